import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import { describeShortage } from '../shared/capacity';
import { autoScaling, ec2 } from '../shared/clients';
import type { ClusterStore } from '../shared/cluster-store';
import { type DegradedPool, leased } from '../shared/contracts';
import { clusterStore } from '../shared/deps';
import { describeGroupsOf } from '../shared/groups';
import { describeNodes, listNodes, LIVE_STATES } from '../shared/instances';
import { isReady } from '../shared/pools';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.pick({ execution: true, startedAt: true });

/** From the start of a workflow until it goes on without the pools for which there is no capacity (ms). */
const PATIENCE_MS = 5 * 60_000;

/** A pool has fewer ready nodes than it should. */
export class NodesNotReady extends Error {
  override readonly name = 'NodesNotReady';
}

interface Deps {
  cluster: string;
  autoScaling: AutoScalingClient;
  ec2: EC2Client;
  store: ClusterStore;
  now?: () => number;
}

/** A pool that is not up, and what is there of it. */
interface ShortPool {
  pool: string;
  told: string;
  /** Why AWS gives it no instance, if that is the reason. */
  shortage: string | undefined;
}

/**
 * Waits until each pool has as many ready nodes as it should. Getting each of them in is join-node's business, which
 * also ends a node that fails, so that its group tries another. A lack of capacity is named at once, and after a while
 * the rest goes on without: the group keeps trying.
 * @throws NodesNotReady until then
 */
export const waitForNodes =
  ({ cluster, autoScaling, ec2, now = Date.now }: Deps) =>
  async ({ startedAt }: z.output<typeof input>): Promise<{ missing: number; degraded: DegradedPool[] }> => {
    const nodes = await describeNodes(ec2, cluster, LIVE_STATES);
    const short: ShortPool[] = [];
    for (const group of await describeGroupsOf(autoScaling, cluster, 'pool')) {
      const { pool = group.name, current } = group;
      const own = nodes.filter((node) => node.role === 'pool' && node.pool === pool);
      const ready = own.filter((node) => isReady(node, group)).length;
      if (ready >= current.desired) continue;
      const shortage = own.length < current.desired ? await describeShortage(autoScaling, group.name) : undefined;
      const rest = shortage ?? (own.length > 0 ? listNodes(own) : 'no instance yet');
      // Nodes that are there and on their way are waited for, whatever AWS says of further ones.
      short.push({
        pool,
        told: `${pool} has ${ready} of ${current.desired}: ${rest}`,
        shortage: own.length > ready ? undefined : shortage,
      });
    }
    const late = now() - Date.parse(startedAt) > PATIENCE_MS;
    if (!short.every(({ shortage }) => shortage !== undefined && late)) {
      throw new NodesNotReady(`Pools not ready: ${short.map(({ told }) => told).join('; ')}`);
    }
    const degraded = short.map(({ pool, shortage = '' }) => ({ pool, reason: shortage }));
    return { missing: degraded.length, degraded };
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
