import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { LaunchBreaker } from './breaker';
import { seekCapacity } from './capacity';
import type { ClusterStore } from '../record/cluster-store';
import type { DegradedPool } from '../../../core/record/contracts';
import { LaunchRefused } from '../step/errors';
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
  /** True if it has no instance at all, and AWS does not say why. */
  silent: boolean;
  /** Why nothing of it is on its way; undefined while something is, or nobody knows. */
  lack: Lack | undefined;
}

interface Lack {
  reason: string;
  /** It has another market to try. */
  triesOn: boolean;
  /** Nothing more will come of waiting: AWS's refusal is final. */
  final: boolean;
  /** Its launches are held: nothing more will come of waiting. */
  held: boolean;
}

/**
 * The pools that are not up, and why. A refusal is named as soon as AWS tells of it, and a pool that may buy on
 * demand does from then on. Nodes that are on their way are waited for, whatever AWS says of further ones.
 * @param since when the workflow under way began to want them (epoch ms); without it no refusal is final
 */
export async function findShortPools(deps: PoolDeps, since?: number): Promise<ShortPool[]> {
  const { cluster, autoScaling, ec2 } = deps;
  const nodes = await describeNodes(ec2, cluster, LIVE_STATES);
  const short: ShortPool[] = [];
  for (const group of await describeGroupsOf(autoScaling, cluster, 'pool')) {
    const { pool = group.name, ingress, current } = group;
    const own = nodes.filter((node) => node.role === 'pool' && node.pool === pool);
    const ready = own.filter((node) => isReady(node, group)).length;
    if (ready >= current.desired) continue;
    const launched = own.length >= current.desired;
    const lack = launched ? undefined : await findLack(deps, group, since);
    const rest = lack?.reason ?? (own.length > 0 ? listNodes(own) : 'no instance yet, and no word from AWS');
    const told = `${pool} has ${ready} of ${current.desired}: ${rest}`;
    const silent = own.length === 0 && lack === undefined;
    short.push({ pool, ingress, told, launched, silent, lack: own.length > ready ? undefined : lack });
  }
  return short;
}

/**
 * The seats that AWS refuses to launch; `hopeless` if so many that the others cannot have a quorum, for good.
 * Parameters as of {@link findShortPools}.
 */
export async function findRefusedSeats(
  deps: Pick<PoolDeps, 'cluster' | 'autoScaling' | 'ec2' | 'store' | 'now'>,
  since?: number,
): Promise<{ refused: DegradedPool[]; hopeless: boolean }> {
  const { cluster, autoScaling, ec2 } = deps;
  const nodes = await describeNodes(ec2, cluster, LIVE_STATES);
  const seats = await describeGroupsOf(autoScaling, cluster, 'seat');
  const refused: DegradedPool[] = [];
  let lost = 0;
  for (const group of seats) {
    const { seat = '?', current } = group;
    if (current.desired === 0 || nodes.some((node) => node.role === 'seat' && node.seat === seat)) continue;
    const shortage = await seekCapacity(deps, group, since);
    if (shortage) refused.push({ pool: `seat ${seat}`, reason: shortage.reason });
    if (shortage?.final) lost += 1;
  }
  return { refused, hopeless: lost > 0 && seats.length - lost <= seats.length / 2 };
}

/** @throws LaunchRefused AWS will never launch the pool that carries the Elastic IP: there is no going on without */
export function requireIngress(short: readonly ShortPool[]): void {
  const refused = short.find(({ ingress, lack }) => ingress && lack?.final);
  if (refused) throw new LaunchRefused(refused.told);
}

/** Keeps which of these pools AWS gives no instances for now, for whoever asks how it goes. */
export async function recordLacks({ store }: PoolDeps, short: readonly ShortPool[]): Promise<void> {
  const lacks = short.flatMap(({ pool, lack }): DegradedPool[] => (lack ? [{ pool, reason: lack.reason }] : []));
  if (lacks.length > 0) await store.recordShortages('shortages', lacks);
}

/** Since when the workflow that has the cluster has had it (epoch ms); of an execution that has lost it, its start. */
export async function heldSince({ store }: Pick<PoolDeps, 'store'>, startedAt: string): Promise<number> {
  const { lease } = await store.read();
  return Date.parse(lease?.since ?? startedAt);
}

async function findLack(deps: PoolDeps, group: Group, since: number | undefined): Promise<Lack | undefined> {
  if (group.suspended.includes('Launch')) {
    const cause = (await deps.breaker.cause(group.name)) ?? 'their process is suspended';
    return { reason: `its launches are held: ${cause}`, triesOn: false, final: false, held: true };
  }
  const shortage = await seekCapacity(deps, group, since);
  return shortage && { ...shortage, held: false };
}
