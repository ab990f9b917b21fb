import type { ClusterConfig } from '../config/schema';
import { awakeStretches } from '../schedule/stretches';
import { HOURS_PER_MONTH } from './prices';

const HOURS_PER_WEEK = 7 * 24;

/**
 * How many hours of an average month the schedules keep a cluster awake, holidays not counted; all of them if nothing puts it to
 * sleep. An idle sleep makes it less.
 */
export function awakeHoursPerMonth({ schedules }: Pick<ClusterConfig, 'schedules'>): number {
  const stretches = awakeStretches(schedules);
  if (stretches.some(({ hours }) => hours === undefined)) return HOURS_PER_MONTH;
  if (stretches.length === 0) return schedules.some(({ sleep }) => sleep !== undefined) ? 0 : HOURS_PER_MONTH;
  const weekly = stretches.reduce((sum, { hours = 0 }) => sum + hours, 0);
  return (Math.min(weekly, HOURS_PER_WEEK) / HOURS_PER_WEEK) * HOURS_PER_MONTH;
}
