import {
  holidaySkip,
  localTime,
  type ScheduleBook,
  type ScheduledWorkflow,
  type Skip,
} from '../../core/schedule/events';
import type { ClusterRecord } from '../../core/record/cluster-record';

/** The day is that of the schedule's time zone. */
export function onHoliday(
  { schedules, holidays }: ScheduleBook,
  name: string,
  workflow: ScheduledWorkflow,
  due: string,
): Skip | undefined {
  // A schedule that was taken out of the configuration a moment ago has no zone any more.
  const { timeZone = 'UTC' } = schedules.find((schedule) => schedule.name === name) ?? {};
  return holidaySkip({ workflow, local: localTime(due, timeZone) }, holidays);
}

/** Under a lease the state says only where the cluster is on its way to; the lease itself decides then. */
export function alreadyThere({ state, since, lease }: ClusterRecord, workflow: ScheduledWorkflow): Skip | undefined {
  if (!lease && since === undefined) {
    // Deployed, and nobody has begun it: a wake would start nodes that never get ready.
    return { reason: 'not-bootstrapped', message: 'the cluster was never bootstrapped' };
  }
  const goal = workflow === 'sleep' ? 'asleep' : 'awake';
  return lease || state !== goal ? undefined : { reason: 'already', message: `the cluster is ${goal} already` };
}
