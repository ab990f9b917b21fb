import { costAnswer } from '../../../core/api/answers';
import { connect } from '../../destroy/aws';
import { describeData, findData } from '../../destroy/data';
import { EXIT } from '../../terminal/errors';
import { answer } from '../answers';
import { ask } from '../aws';
import { type TargetOptions, targetOf } from '../target';
import { WakeApi } from '../wake-api';

/** What the cluster came to this month, by the hours on record, what sleeping has saved, and what bills while it sleeps. */
export async function actualCost(options: TargetOptions, signal: AbortSignal): Promise<number> {
  const target = targetOf(options);
  const api = await WakeApi.connect(target, signal);
  const cost = await api.request(costAnswer, 'GET', '/cost');
  const held = await ask(target, async () =>
    describeData(await findData(await connect(target.region), target.cluster)),
  );
  if (options.json) {
    answer('cost', { ...cost, held });
    return EXIT.done;
  }
  const { month, awakePerHour, bySchedules, notes } = cost;
  const usd = (amount: number): string => `$${amount.toFixed(2)}`;
  console.log(
    [
      target.description,
      `Since ${month.from}: ${usd(month.usd)}`,
      `  awake for ${month.awakeHours.toFixed(1)} h at ${usd(awakePerHour)} an hour, asleep for ${month.asleepHours.toFixed(1)} h`,
      `  always on it would have been ${usd(month.alwaysOnUsd)}: ${usd(month.savedUsd)} saved`,
      `A month by the schedules alone comes to ${usd(bySchedules)}.`,
      ['What bills while it sleeps, too:', ...held].join('\n  '),
      ...notes,
    ].join('\n'),
  );
  return EXIT.done;
}
