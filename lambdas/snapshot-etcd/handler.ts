import * as z from 'zod';
import { leased } from '../shared/contracts';
import { runCommandDeps } from '../shared/deps';
import { describeNodes, LIVE_STATES } from '../shared/instances';
import { type RunCommandDeps, runOnSeat } from '../shared/run-command';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.pick({ execution: true });

const snapshot = z.object({
  /** Key of the snapshot in the cluster's bucket. */
  key: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  /** etcd's revision at that moment. */
  revision: z.number(),
  at: z.string(),
});

/**
 * Saves etcd to the bucket before the seats go: the state volume is enough to wake from, the snapshot is for the day
 * on which the volume is not. With no seat there is nothing to save, and the last snapshot stands.
 */
export const snapshotEtcd =
  (deps: RunCommandDeps) =>
  async ({ execution }: z.output<typeof input>): Promise<z.output<typeof snapshot> | { skipped: string }> => {
    const nodes = await describeNodes(deps.ec2, deps.cluster, LIVE_STATES);
    if (!nodes.some(({ role }) => role === 'seat')) return { skipped: 'no control-plane seat runs' };
    return runOnSeat(deps, {
      execution,
      command: 'snapshot-etcd',
      parameters: { Reason: 'sleep' },
      executionSeconds: 300,
      result: snapshot,
    });
  };

export const handler = step({ name: 'snapshot-etcd', input, env, deps: runCommandDeps }, snapshotEtcd);
