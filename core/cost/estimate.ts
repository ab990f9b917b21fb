import { hasApiLoadBalancer } from '../config/api-access';
import type { ClusterConfig } from '../config/schema';
import { pricesDate } from '../facts/prices';
import { CHEAPEST_REGION, instancePrice } from './instance-price';
import {
  DASHBOARD_PER_MONTH,
  GP3_PER_GIB_MONTH,
  HOURS_PER_MONTH,
  LOAD_BALANCER_PER_HOUR,
  METRIC_CALL,
  METRIC_PER_MONTH,
  PUBLIC_IPV4_PER_HOUR,
  S3_PER_GB_MONTH,
} from './prices';

/**
 * Size of the images that are kept in the bucket for the next wake, compressed, in GB: an estimate, as about 45 images of some 70 MB. A
 * seat keeps none above 4 GiB, nor any from ECR (userdata/lib/image-store.sh).
 */
const IMAGES_GB = 3;

/** USD an hour of a seat's report, once a minute, that its API answers. */
export const HEARTBEAT_PER_HOUR = METRIC_PER_MONTH / HOURS_PER_MONTH + 60 * METRIC_CALL;

/** One line of the bill. */
export interface CostItem {
  what: string;
  /** USD per hour; a floor where the price is not known. */
  perHour: number;
}

export interface CostEstimate {
  awake: CostItem[];
  asleep: CostItem[];
  /** USD per hour while awake, with every pool at its desired size, at on-demand prices: spot costs less. */
  awakePerHour: number;
  /** USD per month if asleep all the time. */
  asleepPerMonth: number;
  /** Instance types whose price in the region is not known: the sums are "at least" if there is one. */
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
  const rootGiB = seats * controlPlane.diskGiB + pools.reduce((sum, pool) => sum + pool.desired * pool.diskGiB, 0);
  const stoppedGiB = pools.reduce((sum, pool) => sum + (pool.sleep === 'stop' ? pool.desired * pool.diskGiB : 0), 0);

  const [elasticIp, ...kept] = keptItems(config);
  // The Elastic IP takes the place of one instance's own public address.
  const addresses = seats + nodes - 1 + (hasApiLoadBalancer(config) ? seats : 0);
  const instances = (what: string, type: string | undefined, count: number): CostItem => {
    const price = instancePrice(type ?? '', config);
    const note =
      price === undefined ? ' (price not known)' : price.own ? '' : ` (at least: price of ${CHEAPEST_REGION})`;
    return { what: `${what}${note}`, perHour: count * (price?.perHour ?? 0) };
  };
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
    ...(hasApiLoadBalancer(config) ? [{ what: 'API load balancer', perHour: LOAD_BALANCER_PER_HOUR }] : []),
    elasticIp,
    { what: `public IPv4 addresses, ${String(addresses)}`, perHour: addresses * PUBLIC_IPV4_PER_HOUR },
    ...kept,
    { what: `node disks, ${String(rootGiB)} GiB`, perHour: diskPerHour(rootGiB) },
    { what: `heartbeat, ${String(seats)} × API`, perHour: seats * HEARTBEAT_PER_HOUR },
  ];
  const asleep = [
    elasticIp,
    ...kept,
    ...(stoppedGiB > 0
      ? [{ what: `disks of stopped nodes, ${String(stoppedGiB)} GiB`, perHour: diskPerHour(stoppedGiB) }]
      : []),
  ];
  return {
    awake,
    asleep,
    awakePerHour: sum(awake),
    asleepPerMonth: sum(asleep) * HOURS_PER_MONTH,
    unknown: [
      ...new Set(types.filter((type) => type !== undefined && instancePrice(type, config)?.own !== true)),
    ] as string[],
  };
}

/**
 * What a bill must say of itself: which prices it counts by, and what it does not know. Begins the sum with `at least` if so.
 * @param elsewhere how the region is called whose prices stand in for others
 */
export function describePrices(
  { region }: ClusterConfig,
  { unknown }: CostEstimate,
  elsewhere = CHEAPEST_REGION,
): { sum: string; notes: string[] } {
  const dated = pricesDate(region);
  const instances =
    dated === undefined ? `no instance prices are known of ${region}` : `instances on demand, list of ${dated}`;
  const others = region === CHEAPEST_REGION ? '' : ` Load balancer and disks are counted as in ${elsewhere}.`;
  return {
    sum: unknown.length > 0 ? 'at least ' : '',
    notes: [
      `Prices of ${region}: ${instances}; spot costs less.${others} Traffic, logs and snapshots come on top.`,
      ...(unknown.length > 0 ? [`What ${unknown.join(', ')} costs in ${region} is not known.`] : []),
    ],
  };
}

/** What is there as long as the cluster is, asleep or awake. */
export function keptItems({
  controlPlane,
  dashboard,
}: Pick<ClusterConfig, 'controlPlane' | 'dashboard'>): [CostItem, ...CostItem[]] {
  const stateGiB = controlPlane.seats * controlPlane.stateVolumeGiB;
  return [
    { what: 'Elastic IP', perHour: PUBLIC_IPV4_PER_HOUR },
    { what: `state volume, ${String(stateGiB)} GiB`, perHour: diskPerHour(stateGiB) },
    {
      what: `images in the bucket, about ${String(IMAGES_GB)} GB`,
      perHour: (IMAGES_GB * S3_PER_GB_MONTH) / HOURS_PER_MONTH,
    },
    ...(dashboard.enabled
      ? [{ what: 'dashboard (at most: three are free)', perHour: DASHBOARD_PER_MONTH / HOURS_PER_MONTH }]
      : []),
  ];
}

/** USD an hour of so many GiB of gp3. */
export function diskPerHour(gib: number): number {
  return (gib * GP3_PER_GIB_MONTH) / HOURS_PER_MONTH;
}

function sum(items: readonly CostItem[]): number {
  return items.reduce((total, { perHour }) => total + perHour, 0);
}
