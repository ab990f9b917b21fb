import * as z from 'zod';
import type { ClusterConfig } from '../config/schema';
import { listPriceOf } from '../facts/prices';
import { parseJson } from '../parse-json';

/** Region whose prices stand in for those that are not known: AWS is nowhere cheaper. */
export const CHEAPEST_REGION = 'us-east-1';

/** What an instance type costs. */
export interface InstancePrice {
  /** USD an hour, on demand, Linux. */
  perHour: number;
  /** False if it is the price of another region, which this one will not be below. */
  own: boolean;
}

/** What an instance type costs in the cluster's region, as the configuration or the table says; undefined if nobody knows. */
export function instancePrice(
  type: string,
  { region, newInstanceTypes }: Pick<ClusterConfig, 'region' | 'newInstanceTypes'>,
): InstancePrice | undefined {
  const own = newInstanceTypes[type]?.pricePerHour ?? listPriceOf(type, region);
  if (own !== undefined) return { perHour: own, own: true };
  const cheapest = listPriceOf(type, CHEAPEST_REGION);
  return cheapest === undefined ? undefined : { perHour: cheapest, own: false };
}

/** Environment of the functions that say what instances cost. */
export const pricesEnv = z.object({
  /** USD an hour by instance type, as JSON; a type that is not there has no known price. */
  INSTANCE_PRICES: z.preprocess(parseJson, z.record(z.string(), z.number().positive())),
});

/** Prices of the types that a cluster may run, as functions are told of them: USD an hour by type, in its region only. */
export function pricesEnvironment(config: ClusterConfig): { INSTANCE_PRICES: string } {
  const types = [config.controlPlane, ...config.pools].flatMap(({ instanceTypes }) => instanceTypes);
  const known = types.flatMap((type) => {
    const price = instancePrice(type, config);
    return price?.own === true ? [[type, price.perHour] as const] : [];
  });
  return { INSTANCE_PRICES: JSON.stringify(Object.fromEntries(known)) };
}
