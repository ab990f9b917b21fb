import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { autoScaling } from '../shared/clients/clients';
import type { ClusterStore } from '../shared/record/cluster-store';
import { type GroupSize, leased } from '../../core/record/contracts';
import { clusterStore } from '../shared/step/deps';
import { describeGroupsOf } from '../shared/ec2/groups';
import { resize } from '../shared/ec2/scale';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

interface Deps {
  cluster: string;
  autoScaling: AutoScalingClient;
  store: ClusterStore;
}

/**
 * Keeps the sizes of the pools for the next wake, then holds each pool at its size: draining leaves pods pending, and
 * Cluster Autoscaler would answer by growing the very pool that is being emptied. A pool of which nothing runs and
 * nothing may run tells nothing about the next wake, and is left out.
 */
export const recordSizes =
  ({ cluster, autoScaling, store }: Deps) =>
  async (): Promise<{ sizes: Record<string, GroupSize> }> => {
    const pools = await describeGroupsOf(autoScaling, cluster, 'pool');
    const sizes = Object.fromEntries(
      pools.flatMap(({ pool, current }) => (pool !== undefined && current.max > 0 ? [[pool, current]] : [])),
    );
    if (Object.keys(sizes).length > 0) await store.recordSizes(sizes);
    for (const pool of pools) await resize(autoScaling, pool, { ...pool.current, max: pool.current.desired });
    return { sizes };
  };

export const handler = step(
  {
    name: 'record-sizes',
    input,
    env,
    deps: (env) => ({ cluster: env.CLUSTER_NAME, autoScaling: autoScaling(), store: clusterStore(env) }),
  },
  recordSizes,
);
