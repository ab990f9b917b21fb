import { isAlwaysOn } from '../../../core/config/warnings';
import { type CostItem, describePrices, estimateCost } from '../../../core/cost/estimate';
import { awakeHoursPerMonth } from '../../../core/cost/month';
import { HOURS_PER_MONTH } from '../../../core/cost/prices';
import { describeTarget, loadConfig } from '../../../lib/config/load';
import { EXIT } from '../../terminal/errors';
import { tableOf } from '../../terminal/table';
import { answer } from '../answers';
import type { FileOptions } from '../target';

/** What the configuration costs: an hour awake, a month asleep, the month by its schedules. Asks nobody. */
export function cost({ config: file = process.env.DROWSE_CONFIG, json }: FileOptions): number {
  const config = loadConfig(file);
  const estimate = estimateCost(config);
  const { sum, notes } = describePrices(config, estimate);
  const awakeHours = awakeHoursPerMonth(config);
  const asleepPerHour = estimate.asleepPerMonth / HOURS_PER_MONTH;
  const month = {
    awakeHours,
    bySchedules: awakeHours * estimate.awakePerHour + (HOURS_PER_MONTH - awakeHours) * asleepPerHour,
    alwaysOn: HOURS_PER_MONTH * estimate.awakePerHour,
  };
  if (json) {
    answer('cost', { currency: 'USD', ...estimate, month, notes });
    return EXIT.done;
  }
  const dollars = (amount: number): string => `${sum}$${amount.toFixed(2)}`;
  console.log(
    [
      describeTarget(config, file),
      itemised('an hour awake', estimate.awake, estimate.awakePerHour, (perHour) => perHour.toFixed(4)),
      itemised('a month asleep', estimate.asleep, asleepPerHour, (perHour) => (perHour * HOURS_PER_MONTH).toFixed(2)),
      `The month by the schedules: ${dollars(month.bySchedules)}, awake for ${awakeHours.toFixed(0)} of ${String(HOURS_PER_MONTH)} hours.`,
      `Always on: ${dollars(month.alwaysOn)}.${advice(!isAlwaysOn(config))}`,
      ...notes,
    ].join('\n'),
  );
  return EXIT.done;
}

function advice(sleeps: boolean): string {
  return sleeps ? '' : ' Nothing puts this cluster to sleep: add schedules, or turn idle on.';
}

function itemised(what: string, items: readonly CostItem[], total: number, show: (perHour: number) => string): string {
  const rows = items.map(({ what: item, perHour }) => [item, show(perHour)]);
  return tableOf([what, 'USD'], [...rows, ['in all', show(total)]], { right: [1] });
}
