import * as z from 'zod';
import { leased } from '../shared/contracts';
import { runCommandDeps } from '../shared/deps';
import { type RunCommandDeps, runOnSeat } from '../shared/run-command';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.pick({ execution: true });

const installed = z.object({
  /** What is installed and healthy. */
  ready: z.array(z.string()),
});

/**
 * Has Flux bring ingress, certificates, monitoring and the app to what the repository says, in order, and waits until
 * each is healthy. When nothing changed and all is well, it is over at once.
 */
export const reconcilePlatform =
  (deps: RunCommandDeps) =>
  ({ execution }: z.output<typeof input>): Promise<z.output<typeof installed>> =>
    runOnSeat(deps, { execution, command: 'reconcile-platform', executionSeconds: 900, result: installed });

export const handler = step({ name: 'reconcile-platform', input, env, deps: runCommandDeps }, reconcilePlatform);
