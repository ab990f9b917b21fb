import * as z from 'zod';
import { type skipped, snapshot, workflowRequest } from '../../core/record/contracts';
import { runCommandDeps } from '../shared/step/deps';
import { describeNodes, LIVE_STATES } from '../shared/ec2/instances';
import { type RunCommandDeps, runOnSeat } from '../shared/commands/run-command';
import { step } from '../shared/step/step';
import { env } from './env';

const input = z.object({
  execution: z.string(),
  /** Sleep saves etcd under its lease; the workflow of that name on its own. */
  workflow: z.enum(['sleep', 'snapshot-etcd']),
  request: workflowRequest.prefault({}),
});

/**
 * Saves etcd to the bucket: before the seats go (the state volume is enough to wake from, the snapshot is for the day
 * on which the volume is not), and every so often while awake. The latter holds no lease: it changes nothing, and a
 * backup must never turn away a person's sleep or wake. It only does not begin while a workflow holds the cluster.
 */
export const snapshotEtcd =
  (deps: RunCommandDeps) =>
  async ({
    execution,
    workflow,
    request,
  }: z.output<typeof input>): Promise<z.output<typeof snapshot> | z.output<typeof skipped>> => {
    const inSleep = workflow === 'sleep';
    const { lease } = inSleep ? {} : await deps.store.read();
    if (lease) return { skipped: `${lease.workflow} holds the cluster` };
    const nodes = await describeNodes(deps.ec2, deps.cluster, LIVE_STATES);
    if (!nodes.some(({ role }) => role === 'seat')) return { skipped: 'no control-plane seat runs' };
    return runOnSeat(deps, {
      execution,
      command: 'snapshot-etcd',
      parameters: { Reason: inSleep ? 'sleep' : reasonOf(request.requestedBy) },
      executionSeconds: 300,
      result: snapshot,
    });
  };

function reasonOf(requestedBy: string): 'schedule' | 'manual' {
  return requestedBy.startsWith('schedule:') ? 'schedule' : 'manual';
}

export const handler = step({ name: 'snapshot-etcd', input, env, deps: runCommandDeps }, snapshotEtcd);
