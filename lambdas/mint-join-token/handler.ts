import type * as z from 'zod';
import { launch, type mintedToken } from '../shared/contracts';
import { runCommandDeps } from '../shared/deps';
import { InvalidInput } from '../shared/errors';
import { type Minted, mintToken } from '../shared/join-tokens';
import type { RunCommandDeps } from '../shared/run-command';
import { step } from '../shared/step';
import { env } from './env';

const input = launch.pick({ execution: true, instanceId: true, metadata: true, minted: true });

/**
 * Has a seat write a short-lived join token where only nodes of this pool can read it; another one where the node could not
 * use the last.
 */
export const mintJoinToken =
  (deps: RunCommandDeps) =>
  async ({
    execution,
    instanceId,
    metadata,
    minted,
  }: z.output<typeof input>): Promise<Minted & z.output<typeof mintedToken>> => {
    if (metadata.pool === undefined) throw new InvalidInput(`${instanceId} is of no pool: it needs no join token`);
    const round = (minted?.round ?? 0) + 1;
    const key = round === 1 ? instanceId : `${instanceId}#${String(round)}`;
    const token = await mintToken(deps, execution, metadata.pool, key);
    return { ...token, at: new Date(deps.now?.() ?? Date.now()).toISOString(), round };
  };

export const handler = step({ name: 'mint-join-token', input, env, deps: runCommandDeps }, mintJoinToken);
