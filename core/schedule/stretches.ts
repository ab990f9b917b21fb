import { scheduleEvents, type ScheduleBook, type ScheduleEvent } from './events';

/** From a wake of the schedules to the sleep that ends it. */
export interface AwakeStretch {
  wake: ScheduleEvent;
  /** Undefined if none comes within a week of the wake. */
  sleep: ScheduleEvent | undefined;
  /** Undefined without a sleep. */
  hours: number | undefined;
}

/** A week without a change of clocks anywhere. */
const WEEK = { from: Date.parse('2026-01-12T00:00:00Z'), to: Date.parse('2026-01-19T00:00:00Z') };
const WEEK_MS = WEEK.to - WEEK.from;

/**
 * How long the schedules keep the cluster awake: each stretch that begins in an ordinary week, without holidays and overrides. A
 * wake of a cluster that is awake begins none.
 */
export function awakeStretches(schedules: ScheduleBook['schedules']): AwakeStretch[] {
  const range = { from: new Date(WEEK.from - WEEK_MS), to: new Date(WEEK.to + WEEK_MS) };
  const events = scheduleEvents({ schedules, holidays: new Set() }, range);
  const first = events.find(({ at }) => Date.parse(at) >= WEEK.from);
  const neverSleeps = events.every(({ workflow }) => workflow === 'wake');
  if (neverSleeps) return first ? [{ wake: first, sleep: undefined, hours: undefined }] : [];
  return events.flatMap((wake, index): AwakeStretch[] => {
    const at = Date.parse(wake.at);
    const begins = wake.workflow === 'wake' && events[index - 1]?.workflow !== 'wake';
    if (!begins || at < WEEK.from || at >= WEEK.to) return [];
    const sleep = events.slice(index).find(({ workflow }) => workflow === 'sleep');
    return [{ wake, sleep, hours: sleep && (Date.parse(sleep.at) - at) / 3_600_000 }];
  });
}

/** `Fri 22:00 to Mon 06:00, 56 h`. */
export function describeStretch({ wake, sleep, hours }: AwakeStretch): string {
  if (!sleep || hours === undefined) return `from ${weekdayTime(wake)} on, with no sleep within a week`;
  return `${weekdayTime(wake)} to ${weekdayTime(sleep)}, ${String(Math.round(hours * 10) / 10)} h`;
}

/** `Fri 22:00`, as clocks show it in the schedule's zone. */
export function weekdayTime({ local }: Pick<ScheduleEvent, 'local'>): string {
  const weekday = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'UTC' }).format(new Date(`${local}Z`));
  return `${weekday} ${local.slice(11)}`;
}
