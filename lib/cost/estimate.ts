import type { ClusterConfig } from '../config/schema';
import {
  GP3_PER_GIB_MONTH,
  HOURS_PER_MONTH,
  INSTANCE_PER_HOUR,
  LOAD_BALANCER_PER_HOUR,
  PUBLIC_IPV4_PER_HOUR,
} from './prices';

/** One line of the bill. */
export interface CostItem {
  what: string;
  /** USD per hour. */
  perHour: number;
}

export interface CostEstimate {
  awake: CostItem[];
  asleep: CostItem[];
  /** USD per hour while awake, with every pool at its desired size, at on-demand prices: spot costs less. */
  awakePerHour: number;
  /** USD per month if asleep all the time. */
  asleepPerMonth: number;
  /** Instance types without a known price: the sums lack them. */
  unknown: string[];
}

/**
 * What a configuration costs awake and asleep. Counted at on-demand prices, so spot pools are an upper bound; traffic,
 * log volume and snapshots (cents) are left out.
 */
export function estimateCost(config: ClusterConfig): CostEstimate {
  const { controlPlane, pools } = config;
  const seats = controlPlane.seats;
  const nodes = pools.reduce((sum, pool) => sum + pool.desired, 0);
  const types = [
    controlPlane.instanceTypes[0],
    ...pools.filter(({ desired }) => desired > 0).map((pool) => pool.instanceTypes[0]),
  ];
  const stateGiB = seats * controlPlane.stateVolumeGiB;
  const rootGiB = seats * controlPlane.diskGiB + pools.reduce((sum, pool) => sum + pool.desired * pool.diskGiB, 0);
  const stoppedGiB = pools.reduce((sum, pool) => sum + (pool.sleep === 'stop' ? pool.desired * pool.diskGiB : 0), 0);

  const elasticIp = { what: 'Elastic IP', perHour: PUBLIC_IPV4_PER_HOUR };
  const stateVolumes = { what: `state volume, ${String(stateGiB)} GiB`, perHour: diskPerHour(stateGiB) };
  // The Elastic IP takes the place of one instance's own public address.
  const addresses = seats + nodes - 1 + (config.apiAccess === 'load-balancer' ? seats : 0);
  const awake = [
    instances(
      `control plane, ${String(seats)} × ${controlPlane.instanceTypes[0] ?? ''}`,
      controlPlane.instanceTypes[0],
      seats,
    ),
    ...pools
      .filter(({ desired }) => desired > 0)
      .map(({ name, desired, instanceTypes: [type], market }) =>
        instances(
          `pool ${name}, ${String(desired)} × ${type ?? ''}${market === 'on-demand' ? '' : ' (spot: at most)'}`,
          type,
          desired,
        ),
      ),
    ...(config.apiAccess === 'load-balancer' ? [{ what: 'API load balancer', perHour: LOAD_BALANCER_PER_HOUR }] : []),
    elasticIp,
    { what: `public IPv4 addresses, ${String(addresses)}`, perHour: addresses * PUBLIC_IPV4_PER_HOUR },
    stateVolumes,
    { what: `node disks, ${String(rootGiB)} GiB`, perHour: diskPerHour(rootGiB) },
  ];
  const asleep = [
    elasticIp,
    stateVolumes,
    ...(stoppedGiB > 0
      ? [{ what: `disks of stopped nodes, ${String(stoppedGiB)} GiB`, perHour: diskPerHour(stoppedGiB) }]
      : []),
  ];
  return {
    awake,
    asleep,
    awakePerHour: sum(awake),
    asleepPerMonth: sum(asleep) * HOURS_PER_MONTH,
    unknown: [...new Set(types.filter((type) => type !== undefined && !(type in INSTANCE_PER_HOUR)))] as string[],
  };
}

function instances(what: string, type: string | undefined, count: number): CostItem {
  return { what, perHour: count * (INSTANCE_PER_HOUR[type ?? ''] ?? 0) };
}

function diskPerHour(gib: number): number {
  return (gib * GP3_PER_GIB_MONTH) / HOURS_PER_MONTH;
}

function sum(items: readonly CostItem[]): number {
  return items.reduce((total, { perHour }) => total + perHour, 0);
}
