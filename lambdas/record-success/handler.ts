import type { EC2Client } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import { ec2 } from '../shared/clients';
import { STATES_OF } from '../shared/cluster-record';
import type { ClusterStore } from '../shared/cluster-store';
import type { ClusterState } from '../shared/contracts';
import { clusterStore, notifyDeps } from '../shared/deps';
import { readFailure } from '../shared/failures';
import { notify, type NotifyDeps } from '../shared/notify';
import { describeRunningCost } from '../shared/running-cost';
import { step } from '../shared/step';
import { env } from './env';
import { describeSuccess, workflowEnd } from './news';

interface Deps {
  cluster: string;
  store: ClusterStore;
  ec2: EC2Client;
  notify: NotifyDeps;
  now?: () => number;
}

/**
 * Ends a workflow well: the cluster's new state, the lease free, somebody told. A child under its parent's lease leaves
 * all that to its parent; installing the platform also records that it is installed.
 */
export const recordSuccess =
  ({ cluster, store, ec2, notify: topic, now = Date.now }: Deps) =>
  async (end: z.output<typeof workflowEnd>): Promise<{ state?: ClusterState }> => {
    const { execution, lease, workflow, nodes, probe } = end;
    if (workflow === 'install-platform') await store.recordPlatform();
    if (lease !== execution) return {};
    const { after } = STATES_OF[workflow];
    const degraded = nodes?.degraded ?? [];
    const unreachable = probe && 'Error' in probe ? `app not reachable: ${readFailure(probe).cause}` : undefined;
    const isDegraded = degraded.length > 0 || unreachable !== undefined;
    const state = after === 'awake' && isDegraded ? 'awake-degraded' : after;
    await store.recordSuccess(execution, state, { restored: after === 'awake', degraded, unreachable });
    if (workflow !== 'install-platform') {
      const { subject, text } = describeSuccess(cluster, end, state, now());
      const cost = await describeRunningCost(ec2, cluster);
      await notify(topic, { subject, text: [text, ...(cost === undefined ? [] : [cost])].join('\n\n') });
    }
    return state === undefined ? {} : { state };
  };

export const handler = step(
  {
    name: 'record-success',
    input: workflowEnd,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      store: clusterStore(env),
      ec2: ec2(),
      notify: notifyDeps(env),
    }),
    renewsLease: false,
  },
  recordSuccess,
);
