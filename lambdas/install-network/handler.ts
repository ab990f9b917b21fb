import * as z from 'zod';
import { leased } from '../../core/record/contracts';
import { runCommandDeps } from '../shared/step/deps';
import { type RunCommandDeps, runOnSeat } from '../shared/commands/run-command';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

const installed = z.object({
  /** What is installed and healthy. */
  ready: z.array(z.string()),
});

/**
 * Installs the network plugin and Flux on a new cluster, once: nodes are not Ready without a network plugin, and Flux
 * brings everything else.
 */
export const installNetwork =
  (deps: RunCommandDeps) =>
  ({ execution }: z.output<typeof input>): Promise<z.output<typeof installed>> =>
    runOnSeat(deps, { execution, command: 'install-network', executionSeconds: 840, result: installed });

export const handler = step({ name: 'install-network', input, env, deps: runCommandDeps }, installNetwork);
