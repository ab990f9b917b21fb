import * as z from 'zod';
import { launch } from '../shared/contracts';
import { runCommandDeps } from '../shared/deps';
import { InvalidInput } from '../shared/errors';
import { type RunCommandDeps, runOnSeat } from '../shared/run-command';
import { step } from '../shared/step';
import { env } from './env';

const input = launch.pick({ execution: true, instanceId: true, metadata: true });

const minted = z.object({
  /** Name of the parameter that now holds the token; the token itself never leaves the seat any other way. */
  parameter: z.string(),
  expiresAt: z.string(),
});

/** Has a seat write a short-lived join token where only nodes of this pool can read it. */
export const mintJoinToken =
  (deps: RunCommandDeps) =>
  async ({ execution, instanceId, metadata }: z.output<typeof input>): Promise<z.output<typeof minted>> => {
    if (metadata.pool === undefined) throw new InvalidInput(`${instanceId} is of no pool: it needs no join token`);
    return runOnSeat(deps, {
      execution,
      command: 'mint-join-token',
      key: instanceId,
      parameters: { Pool: metadata.pool },
      executionSeconds: 60,
      result: minted,
    });
  };

export const handler = step({ name: 'mint-join-token', input, env, deps: runCommandDeps }, mintJoinToken);
