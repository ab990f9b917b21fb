import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import * as z from 'zod';
import { autoScaling } from '../shared/clients/clients';
import { leased } from '../../core/record/contracts';
import { runCommandDeps } from '../shared/step/deps';
import { CommandFailed } from '../shared/step/errors';
import { findMissingNodes } from '../shared/ec2/pools';
import { type RunCommandDeps, runOnSeat } from '../shared/commands/run-command';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/** Flux has applied the platform, and part of it is not healthy yet; asked again until the bound. */
export class PlatformNotReady extends Error {
  override readonly name = 'PlatformNotReady';
}

const installed = z.object({
  /** What is installed and healthy. */
  ready: z.array(z.string()),
  /** What is applied and waits for nodes that AWS does not give. */
  leftOut: z.array(z.string()).default([]),
});

interface Deps extends RunCommandDeps {
  autoScaling: AutoScalingClient;
}

/**
 * Has Flux bring ingress, certificates, monitoring and the app to what the repository says, in order, and waits until
 * each is healthy. When nothing changed and all is well, it is over at once. What needs nodes of a pool that is short
 * is not waited for: a lack of capacity is not a broken platform, and Flux brings the rest up with the nodes.
 * @throws PlatformNotReady naming what is not healthy after one command's patience
 */
export const reconcilePlatform =
  (deps: Deps) =>
  async ({ execution }: z.output<typeof input>): Promise<z.output<typeof installed>> => {
    try {
      return await runOnSeat(deps, {
        execution,
        command: 'reconcile-platform',
        parameters: async () => ({ Without: await findMissingNodes(deps, deps.cluster) }),
        executionSeconds: 840,
        result: installed,
      });
    } catch (error) {
      if (error instanceof CommandFailed && error.reason === 'PlatformNotReady') {
        throw new PlatformNotReady(error.message);
      }
      throw error;
    }
  };

export const handler = step(
  {
    name: 'reconcile-platform',
    input,
    env,
    deps: (env) => ({ ...runCommandDeps(env), autoScaling: autoScaling() }),
  },
  reconcilePlatform,
);
