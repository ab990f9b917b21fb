import * as z from 'zod';
import type { costAnswer } from '../api/answers';
import type { ClusterConfig } from '../config/schema';
import { parseJson } from '../parse-json';
import { type BilledLife, monthBill } from './bill';
import { describePrices, estimateCost } from './estimate';
import { awakeHoursPerMonth } from './month';
import { HOURS_PER_MONTH } from './prices';

const rates = z.object({
  /** USD an hour. */
  awakePerHour: z.number(),
  asleepPerHour: z.number(),
  /** USD a month by the schedules alone. */
  bySchedules: z.number(),
  /** What the figures do not know. */
  notes: z.array(z.string()),
});

/** Environment of the functions that say what the cluster costs. */
export const ratesEnv = z.object({ RATES: z.preprocess(parseJson, rates) });

/** What the cluster costs by the hour, what this month came to so far, and what sleeping has saved; as the API answers it. */
export function describeCost(
  { awakePerHour, asleepPerHour, bySchedules, notes }: z.output<typeof rates>,
  life: BilledLife,
): z.output<typeof costAnswer> {
  const month = monthBill(life, { awakePerHour, asleepPerHour });
  return { currency: 'USD', awakePerHour, asleepPerHour, month, bySchedules, notes };
}

/** What a configuration costs, as functions are told of it. */
export function ratesEnvironment(config: ClusterConfig): { RATES: string } {
  const estimate = estimateCost(config);
  const asleepPerHour = estimate.asleepPerMonth / HOURS_PER_MONTH;
  const awakeHours = awakeHoursPerMonth(config);
  const round = (usd: number) => Math.round(usd * 1e6) / 1e6;
  const told: z.output<typeof rates> = {
    awakePerHour: round(estimate.awakePerHour),
    asleepPerHour: round(asleepPerHour),
    bySchedules: round(awakeHours * estimate.awakePerHour + (HOURS_PER_MONTH - awakeHours) * asleepPerHour),
    notes: describePrices(config, estimate, 'the cheapest region').notes,
  };
  return { RATES: JSON.stringify(told) };
}
