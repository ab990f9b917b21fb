import { awakeStretches, describeStretch } from '../schedule/stretches';
import { describePrices, estimateCost } from '../cost/estimate';
import { HOURS_PER_MONTH } from '../cost/prices';
import { hasOfferings } from '../facts/instance-types';
import type { ClusterConfig } from './schema';

/** True if only a person puts the cluster to sleep. */
export function isAlwaysOn({ schedules, idle }: Pick<ClusterConfig, 'schedules' | 'idle'>): boolean {
  return !idle.enabled && !schedules.some(({ sleep }) => sleep !== undefined);
}

/** A stretch longer than this is said: a weekend that nobody meant is the usual reason (hours). */
const LONG_STRETCH = 24;

/** What is allowed, and is probably not meant: each a line with the field, what follows from it, and what to do about it. */
const WARNINGS: readonly ((config: ClusterConfig) => string[])[] = [
  neverSleeps,
  longStretches,
  unknownOfferings,
  operatorsWithoutBalancer,
];

/** What a person should know of a sound configuration before deploying it, a line each. */
export function warningsOf(config: ClusterConfig): string[] {
  return WARNINGS.flatMap((check) => check(config));
}

/** The dearest mistake: nobody meant to pay for the nights. */
function neverSleeps(config: ClusterConfig): string[] {
  if (!isAlwaysOn(config)) return [];
  const estimate = estimateCost(config);
  const { sum } = describePrices(config, estimate);
  const month = `${sum}$${(estimate.awakePerHour * HOURS_PER_MONTH).toFixed(0)} a month`;
  return [
    `schedules: nothing puts this cluster to sleep: ${month}, against $${estimate.asleepPerMonth.toFixed(2)} asleep: add schedules, or turn idle on`,
  ];
}

function unknownOfferings({ region }: ClusterConfig): string[] {
  if (hasOfferings(region)) return [];
  return [`region: which instance types ${region} offers is not known here: look there before you deploy`];
}

function operatorsWithoutBalancer({ apiAccess, operatorCidrs }: ClusterConfig): string[] {
  if (apiAccess !== 'tunnel' || operatorCidrs.length === 0) return [];
  return ['operatorCidrs: nobody comes from there, as apiAccess: tunnel makes no load balancer: take one of them out'];
}

function longStretches({ schedules, idle }: ClusterConfig): string[] {
  // A cluster that sleeps for lack of use needs no sleep of a schedule.
  if (idle.enabled) return [];
  return awakeStretches(schedules)
    .filter(({ hours = Infinity }) => hours > LONG_STRETCH)
    .map(
      (stretch) =>
        `schedules: awake ${describeStretch(stretch)}: add a sleep in between if you do not mean to pay for that`,
    );
}
