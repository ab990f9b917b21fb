import * as z from 'zod';
import { leased } from '../../core/record/contracts';
import { runCommandDeps } from '../shared/step/deps';
import { describeNodes, LIVE_STATES } from '../shared/ec2/instances';
import { type RunCommandDeps, runOnSeat } from '../shared/commands/run-command';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

const deleted = z.object({
  /** Names (instance IDs) of the Node objects that went. */
  nodes: z.array(z.string()),
  volumeAttachments: z.number(),
});

/**
 * Deletes the Node objects and VolumeAttachments of instances that are gone, while an API server still answers: at
 * the next wake they would show as NotReady, and hold volumes back for six minutes.
 */
export const deleteStaleNodes =
  (deps: RunCommandDeps) =>
  async ({ execution }: z.output<typeof input>): Promise<z.output<typeof deleted>> => {
    const nodes = await describeNodes(deps.ec2, deps.cluster, LIVE_STATES);
    if (!nodes.some(({ role }) => role === 'seat')) return { nodes: [], volumeAttachments: 0 };
    return runOnSeat(deps, { execution, command: 'delete-stale-nodes', executionSeconds: 120, result: deleted });
  };

export const handler = step({ name: 'delete-stale-nodes', input, env, deps: runCommandDeps }, deleteStaleNodes);
