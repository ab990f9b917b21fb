import * as z from 'zod';
import { hasApiLoadBalancer } from '../config/api-access';
import type { ClusterConfig } from '../config/schema';
import { parseJson } from '../parse-json';
import { diskPerHour, HEARTBEAT_PER_HOUR, keptItems } from './estimate';
import { pricesEnv } from './instance-price';
import { LOAD_BALANCER_PER_HOUR, PUBLIC_IPV4_PER_HOUR } from './prices';

/** All but the instances themselves, USD an hour. */
const surroundings = z.object({
  /** What is there asleep and awake: Elastic IP, state volumes, what the bucket has. */
  kept: z.number(),
  /** What comes with each seat that runs, beside its disk: its heartbeat, and the load balancer's address in its zone. */
  seat: z.number(),
  /** The API load balancer, while any seat runs. */
  door: z.number(),
  /** The root disk of a node, by pool; of a seat by `''`. */
  disks: z.record(z.string(), z.number()),
});
type Surroundings = z.output<typeof surroundings>;

/** Environment of the functions that say what the cluster costs as it is. */
export const runningEnv = pricesEnv.extend({ SURROUNDINGS: z.preprocess(parseJson, surroundings) });

/** What surrounds the instances of a configuration, as functions are told of it. */
export function surroundingsEnvironment(config: ClusterConfig): { SURROUNDINGS: string } {
  const hasDoor = hasApiLoadBalancer(config);
  const told: Surroundings = {
    kept: keptItems(config).reduce((sum, { perHour }) => sum + perHour, 0),
    seat: HEARTBEAT_PER_HOUR + (hasDoor ? PUBLIC_IPV4_PER_HOUR : 0),
    door: hasDoor ? LOAD_BALANCER_PER_HOUR : 0,
    disks: Object.fromEntries([
      ['', diskPerHour(config.controlPlane.diskGiB)],
      ...config.pools.map(({ name, diskGiB }) => [name, diskPerHour(diskGiB)] as const),
    ]),
  };
  const short = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value);
  return { SURROUNDINGS: JSON.stringify(told, short) };
}

/** An instance, as far as its bill goes. */
export interface BilledNode {
  type: string;
  role: 'seat' | 'pool';
  pool: string | undefined;
  /** EC2's state. */
  state: string;
  publicIp: string | undefined;
}

/**
 * What the cluster costs as it is now (USD an hour): its instances at list prices, and all around them. Spot costs less.
 * @param nodes all that exist; one that is stopped costs its disk alone
 * @param elasticIp address that is billed in any case
 * @returns the sum, and instance types whose price is not known: the sum is then at least so much
 */
export function runningCost(
  { SURROUNDINGS: { kept, seat, door, disks }, INSTANCE_PRICES: prices }: z.output<typeof runningEnv>,
  nodes: readonly BilledNode[],
  elasticIp: string | undefined,
): { perHour: number; unknown: string[] } {
  const running = nodes.filter(({ state }) => state === 'pending' || state === 'running');
  const seats = running.filter(({ role }) => role === 'seat').length;
  const instances = running.map(({ type, publicIp }) => {
    const address = publicIp === undefined || publicIp === elasticIp ? 0 : PUBLIC_IPV4_PER_HOUR;
    return (prices[type] ?? 0) + address;
  });
  const root = nodes.map(({ role, pool = '' }) => disks[role === 'seat' ? '' : pool] ?? 0);
  const all = [kept, seats * seat, seats > 0 ? door : 0, ...instances, ...root];
  const unknown = running.map(({ type }) => type).filter((type) => prices[type] === undefined);
  const perHour = Number(all.reduce((sum, part) => sum + part, 0).toFixed(6));
  return { perHour, unknown: [...new Set(unknown)] };
}
