import type * as z from 'zod';
import { launch } from '../shared/contracts';
import { runCommandDeps } from '../shared/deps';
import { InvalidInput } from '../shared/errors';
import { type Minted, mintToken } from '../shared/join-tokens';
import type { RunCommandDeps } from '../shared/run-command';
import { step } from '../shared/step';
import { env } from './env';

const input = launch.pick({ execution: true, instanceId: true, metadata: true });

/** Has a seat write a short-lived join token where only nodes of this pool can read it. */
export const mintJoinToken =
  (deps: RunCommandDeps) =>
  async ({ execution, instanceId, metadata }: z.output<typeof input>): Promise<Minted> => {
    if (metadata.pool === undefined) throw new InvalidInput(`${instanceId} is of no pool: it needs no join token`);
    return mintToken(deps, execution, metadata.pool, instanceId);
  };

export const handler = step({ name: 'mint-join-token', input, env, deps: runCommandDeps }, mintJoinToken);
