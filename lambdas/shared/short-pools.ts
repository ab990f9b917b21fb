import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { LaunchBreaker } from './breaker';
import { seekCapacity } from './capacity';
import type { ClusterStore } from './cluster-store';
import type { DegradedPool } from './contracts';
import { describeGroupsOf, type Group } from './groups';
import { describeNodes, listNodes, LIVE_STATES } from './instances';
import { isReady } from './pools';

/** What looking for short pools, and waiting for them, works with. */
export interface PoolDeps {
  cluster: string;
  autoScaling: AutoScalingClient;
  ec2: EC2Client;
  breaker: LaunchBreaker;
  store: ClusterStore;
  now?: () => number;
}

/** A pool with fewer ready nodes than it should have. */
export interface ShortPool {
  pool: string;
  ingress: boolean;
  /** What is there of it, in words. */
  told: string;
  /** True if AWS has made all of its instances, and they are on their way. */
  launched: boolean;
  /** Why nothing of it is on its way; undefined while something is, or nobody knows. */
  lack: Lack | undefined;
}

interface Lack {
  reason: string;
  /** It has another market to try. */
  triesOn: boolean;
  /** Its launches are held: nothing more will come of waiting. */
  held: boolean;
}

/**
 * The pools that are not up, and why. A lack of capacity is named as soon as AWS tells of it, and a pool that may buy on
 * demand does from then on. Nodes that are on their way are waited for, whatever AWS says of further ones.
 */
export async function findShortPools(deps: PoolDeps): Promise<ShortPool[]> {
  const { cluster, autoScaling, ec2 } = deps;
  const nodes = await describeNodes(ec2, cluster, LIVE_STATES);
  const short: ShortPool[] = [];
  for (const group of await describeGroupsOf(autoScaling, cluster, 'pool')) {
    const { pool = group.name, ingress, current } = group;
    const own = nodes.filter((node) => node.role === 'pool' && node.pool === pool);
    const ready = own.filter((node) => isReady(node, group)).length;
    if (ready >= current.desired) continue;
    const launched = own.length >= current.desired;
    const lack = launched ? undefined : await findLack(deps, group);
    const rest = lack?.reason ?? (own.length > 0 ? listNodes(own) : 'no instance yet');
    const told = `${pool} has ${ready} of ${current.desired}: ${rest}`;
    short.push({ pool, ingress, told, launched, lack: own.length > ready ? undefined : lack });
  }
  return short;
}

/** Keeps which of these pools AWS gives no instances for now, for whoever asks how it goes. */
export async function recordLacks({ store }: PoolDeps, short: readonly ShortPool[]): Promise<void> {
  const lacks = short.flatMap(({ pool, lack }): DegradedPool[] => (lack ? [{ pool, reason: lack.reason }] : []));
  if (lacks.length > 0) await store.recordShortages(lacks);
}

/** How long the workflow that has the cluster has had it (ms); of an execution that has lost it, since its start. */
export async function waitedSoFar({ store, now = Date.now }: PoolDeps, startedAt: string): Promise<number> {
  const { lease } = await store.read();
  return now() - Date.parse(lease?.since ?? startedAt);
}

async function findLack({ autoScaling, breaker }: PoolDeps, group: Group): Promise<Lack | undefined> {
  if (group.suspended.includes('Launch')) {
    const cause = (await breaker.cause(group.name)) ?? 'their process is suspended';
    return { reason: `its launches are held: ${cause}`, triesOn: false, held: true };
  }
  const shortage = await seekCapacity(autoScaling, group);
  return shortage && { ...shortage, held: false };
}
