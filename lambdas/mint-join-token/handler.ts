import type * as z from 'zod';
import { launch, type mintedToken } from '../../core/record/contracts';
import { runCommandDeps } from '../shared/step/deps';
import { InvalidInput } from '../shared/step/errors';
import { type Minted, mintTokens } from '../shared/commands/join-tokens';
import type { RunCommandDeps } from '../shared/commands/run-command';
import { step } from '../shared/step/step';
import { env } from './env';

const input = launch.pick({ execution: true, instanceId: true, metadata: true, minted: true });

/**
 * Has a seat write a short-lived join token where only this instance can read it; another one where the node could not use
 * the last.
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
    const token = await mintTokens(deps, execution, { pool: metadata.pool, instanceIds: [instanceId] }, key);
    return { ...token, at: new Date(deps.now?.() ?? Date.now()).toISOString(), round };
  };

export const handler = step({ name: 'mint-join-token', input, env, deps: runCommandDeps }, mintJoinToken);
