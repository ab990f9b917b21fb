import * as z from 'zod';
import { leased } from '../shared/contracts';
import { runCommandDeps } from '../shared/deps';
import { CommandFailed } from '../shared/errors';
import { type RunCommandDeps, runOnSeat } from '../shared/run-command';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/** Flux has applied the platform, and part of it is not healthy yet; asked again until the bound. */
export class PlatformNotReady extends Error {
  override readonly name = 'PlatformNotReady';
}

const installed = z.object({
  /** What is installed and healthy. */
  ready: z.array(z.string()),
});

/**
 * Has Flux bring ingress, certificates, monitoring and the app to what the repository says, in order, and waits until
 * each is healthy. When nothing changed and all is well, it is over at once.
 * @throws PlatformNotReady naming what is not healthy after one command's patience
 */
export const reconcilePlatform =
  (deps: RunCommandDeps) =>
  async ({ execution }: z.output<typeof input>): Promise<z.output<typeof installed>> => {
    try {
      return await runOnSeat(deps, {
        execution,
        command: 'reconcile-platform',
        executionSeconds: 900,
        result: installed,
      });
    } catch (error) {
      if (error instanceof CommandFailed && error.reason === 'PlatformNotReady') {
        throw new PlatformNotReady(error.message);
      }
      throw error;
    }
  };

export const handler = step({ name: 'reconcile-platform', input, env, deps: runCommandDeps }, reconcilePlatform);
