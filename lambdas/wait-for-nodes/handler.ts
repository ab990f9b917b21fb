import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { autoScaling, ec2 } from '../shared/clients';
import type { ClusterStore } from '../shared/cluster-store';
import { leased } from '../shared/contracts';
import { clusterStore } from '../shared/deps';
import { describeGroupsOf } from '../shared/groups';
import { describeNodes, listNodes, LIVE_STATES } from '../shared/instances';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/** A pool has fewer ready nodes than it should. */
export class NodesNotReady extends Error {
  override readonly name = 'NodesNotReady';
}

interface Deps {
  cluster: string;
  autoScaling: AutoScalingClient;
  ec2: EC2Client;
  store: ClusterStore;
}

/**
 * Waits until each pool has as many ready nodes as it should. Getting each of them in is join-node's business, which
 * also ends a node that fails, so that its group tries another.
 * @throws NodesNotReady until then
 */
export const waitForNodes =
  ({ cluster, autoScaling, ec2 }: Deps) =>
  async (): Promise<{ ready: number }> => {
    const nodes = await describeNodes(ec2, cluster, LIVE_STATES);
    const pools = (await describeGroupsOf(autoScaling, cluster, 'pool')).map(({ pool, current, instances }) => {
      const serving = new Set(instances.filter(({ lifecycle }) => lifecycle === 'InService').map(({ id }) => id));
      const own = nodes.filter((node) => node.role === 'pool' && node.pool === pool);
      const ready = own.filter(({ id, state, phase }) => serving.has(id) && state === 'running' && phase === 'ready');
      return { pool, desired: current.desired, own, ready: ready.length };
    });
    const short = pools.filter(({ ready, desired }) => ready < desired);
    if (short.length > 0) {
      const told = short.map(
        ({ pool, ready, desired, own }) =>
          `${pool ?? ''} has ${ready} of ${desired}${own.length > 0 ? `: ${listNodes(own)}` : ', no instance yet'}`,
      );
      throw new NodesNotReady(`Pools not ready: ${told.join('; ')}`);
    }
    return { ready: pools.reduce((sum, { ready }) => sum + ready, 0) };
  };

export const handler = step(
  {
    name: 'wait-for-nodes',
    input,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      autoScaling: autoScaling(),
      ec2: ec2(),
      store: clusterStore(env),
    }),
  },
  waitForNodes,
);
