import * as z from 'zod';
import { leased } from '../../core/record/contracts';
import { runCommandDeps } from '../shared/step/deps';
import { describeNodes, LIVE_STATES } from '../shared/ec2/instances';
import { type RunCommandDeps, runOnSeat } from '../shared/commands/run-command';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/** How long one node may take to let its pods go (s). */
const PER_NODE_SECONDS = 120;

const drained = z.object({
  drained: z.array(z.string()),
  /** Pods that would not leave in time, and why; they end with their node. */
  stuck: z.array(z.object({ pod: z.string(), node: z.string(), reason: z.string() })),
  /** How many they are, where there are too many to name. */
  stuckPods: z.int().optional(),
});

/**
 * Evicts the pods of every pool node before sleep, so that they end as their owners planned (PodDisruptionBudgets
 * honoured, bounded per node) rather than with their instance.
 */
export const drainNodes =
  (deps: RunCommandDeps) =>
  async ({ execution }: z.output<typeof input>): Promise<z.output<typeof drained>> => {
    const nodes = await describeNodes(deps.ec2, deps.cluster, LIVE_STATES);
    const both = (['seat', 'pool'] as const).every((role) => nodes.some((node) => node.role === role));
    if (!both) return { drained: [], stuck: [] };
    return runOnSeat(deps, {
      execution,
      command: 'drain-nodes',
      parameters: async () => {
        // Known before it is done: nodes may be left cordoned from here on.
        await deps.store.recordDrain();
        return { PerNodeSeconds: String(PER_NODE_SECONDS) };
      },
      executionSeconds: 900,
      result: drained,
    });
  };

export const handler = step({ name: 'drain-nodes', input, env, deps: runCommandDeps }, drainNodes);
