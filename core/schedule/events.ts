import { DateTime } from 'luxon';
import type { ScheduleConfig } from '../config/schema';
import { shiftDay, type Weekday, weekdayOf } from './weekdays';

/** What a schedule starts. */
export type ScheduledWorkflow = 'sleep' | 'wake';

/** The configured windows, and the days on which nobody is to be woken. */
export interface ScheduleBook {
  schedules: readonly ScheduleConfig[];
  /** Local dates, `YYYY-MM-DD`. */
  holidays: ReadonlySet<string>;
}

/** What people have asked for beside the schedule. */
export interface Overrides {
  /** UTC ISO time until which no schedule puts the cluster to sleep. */
  keepAwakeUntil?: string | undefined;
  /** The next event of that kind is left out. */
  skipNext?: Partial<Record<ScheduledWorkflow, boolean>> | undefined;
}

/** Why an event of a schedule does not take place. */
export interface Skip {
  reason: 'holiday' | 'keep-awake' | 'skip-next' | 'already' | 'not-bootstrapped';
  /** For a person. */
  message: string;
}

/** One moment at which a schedule acts, or would. */
export interface ScheduleEvent {
  /** UTC ISO instant, to the minute. */
  at: string;
  /** The same in the schedule's time zone, without offset: `2026-11-20T22:00`. */
  local: string;
  timeZone: string;
  workflow: ScheduledWorkflow;
  /** Name of the schedule. */
  schedule: string;
  /**
   * `schedule`: EventBridge Scheduler triggers it. `catch-up`: it does not, and the catch-up makes good for it: the local
   * time does not exist on that day, or a keep-awake that held a sleep back runs out.
   */
  startedBy: 'schedule' | 'catch-up';
  skipped?: Skip;
}

const WORKFLOWS = ['sleep', 'wake'] as const;
const DAY_MS = 24 * 3_600_000;

/**
 * What the schedules do in a time range, in order. Daylight saving as EventBridge Scheduler has it (its user guide,
 * "Daylight savings time"): a local time that occurs twice counts once, the first time; one that does not exist is not
 * triggered, and happens by the catch-up when the clock, had it not been put forward, would have shown it.
 * @param range from (included) to (excluded); overrides are those that hold at its start
 */
export function scheduleEvents(
  { schedules, holidays }: ScheduleBook,
  range: { from: Date; to: Date },
  overrides: Overrides = {},
): ScheduleEvent[] {
  const events = schedules
    .flatMap((schedule) => occurrences(schedule, range))
    .sort((a, b) => a.at.localeCompare(b.at) || a.workflow.localeCompare(b.workflow));
  const pending = { ...overrides.skipNext };
  const marked = events.map((event): ScheduleEvent => {
    const skipped =
      holidaySkip(event, holidays) ??
      keepAwakeSkip(event.workflow, overrides.keepAwakeUntil, new Date(event.at)) ??
      (pending[event.workflow] ? SKIP_NEXT(event.workflow) : undefined);
    if (skipped?.reason === 'skip-next') pending[event.workflow] = false;
    return skipped ? { ...event, skipped } : event;
  });
  return withMissedSleep(marked, range, overrides.keepAwakeUntil);
}

/**
 * The days of the week on which a schedule starts a workflow. A window over midnight (22:00 to 06:00) belongs to the day on
 * which it begins, so it ends on the day after.
 */
export function daysOfWorkflow(
  { days, sleep, wake }: Pick<ScheduleConfig, 'days' | 'sleep' | 'wake'>,
  workflow: ScheduledWorkflow,
): Weekday[] {
  const overMidnight = workflow === 'sleep' && sleep !== undefined && wake !== undefined && sleep < wake;
  if (!overMidnight) return [...days];
  return days.map((day) => shiftDay(day, 1));
}

/** A holiday keeps the cluster asleep: it takes away that day's wakes, and no sleep. */
export function holidaySkip(
  { workflow, local }: Pick<ScheduleEvent, 'workflow' | 'local'>,
  holidays: ReadonlySet<string>,
): Skip | undefined {
  const date = local.slice(0, 10);
  if (workflow !== 'wake' || !holidays.has(date)) return undefined;
  return { reason: 'holiday', message: `${date} is a holiday` };
}

/** A keep-awake holds sleeps back, and ends by itself: it is compared with the clock. */
export function keepAwakeSkip(workflow: ScheduledWorkflow, until: string | undefined, now: Date): Skip | undefined {
  if (workflow !== 'sleep' || until === undefined || Date.parse(until) <= now.getTime()) return undefined;
  return { reason: 'keep-awake', message: `somebody keeps the cluster awake until ${until}` };
}

export const SKIP_NEXT = (workflow: ScheduledWorkflow): Skip => ({
  reason: 'skip-next',
  message: `somebody asked to skip the next ${workflow}`,
});

/** Identifies an event: the same whoever finds it, the schedule's trigger or the catch-up. */
export function eventKey({ workflow, schedule, at }: Pick<ScheduleEvent, 'workflow' | 'schedule' | 'at'>): string {
  return `${workflow}#${schedule}#${at}`;
}

/** An instant as events have it: to the minute, which is what Scheduler works with. */
export function toMinute(instant: Date): string {
  return new Date(Math.floor(instant.getTime() / 60_000) * 60_000).toISOString();
}

/** An instant as local time, `2026-11-20T22:00`. */
export function localTime(at: string, timeZone: string): string {
  return DateTime.fromISO(at, { zone: timeZone }).toFormat("yyyy-MM-dd'T'HH:mm");
}

function occurrences(schedule: ScheduleConfig, { from, to }: { from: Date; to: Date }): ScheduleEvent[] {
  const events: ScheduleEvent[] = [];
  // A local date begins up to 14 hours before and 12 hours after the same date in UTC.
  const first = (Math.floor(from.getTime() / DAY_MS) - 1) * DAY_MS;
  const last = to.getTime() + DAY_MS;
  for (const workflow of WORKFLOWS) {
    const time = schedule[workflow];
    if (time === undefined) continue;
    const days = new Set(daysOfWorkflow(schedule, workflow));
    for (let midnight = first; midnight <= last; midnight += DAY_MS) {
      const day = new Date(midnight);
      if (days.has(weekdayOf(day))) events.push(occurrence(schedule, workflow, day, time));
    }
  }
  return events.filter(({ at }) => Date.parse(at) >= from.getTime() && Date.parse(at) < to.getTime());
}

function occurrence(schedule: ScheduleConfig, workflow: ScheduledWorkflow, day: Date, time: string): ScheduleEvent {
  const { name, timeZone } = schedule;
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const [year, month, date] = [day.getUTCFullYear(), day.getUTCMonth() + 1, day.getUTCDate()];
  // Where the clock is put forward, luxon goes on by as much: 02:30 becomes 03:30.
  const found = DateTime.fromObject({ year, month, day: date, hour, minute }, { zone: timeZone });
  const exists = found.hour === hour && found.minute === minute && found.day === date;
  const [first = found] = found.getPossibleOffsets().sort((a, b) => a.toMillis() - b.toMillis());
  return {
    at: first.toJSDate().toISOString(),
    local: first.toFormat("yyyy-MM-dd'T'HH:mm"),
    timeZone,
    workflow,
    schedule: name,
    startedBy: exists ? 'schedule' : 'catch-up',
  };
}

/** The sleep that a keep-awake held back takes place when it runs out, unless a wake has come in between. */
function withMissedSleep(
  events: ScheduleEvent[],
  { from, to }: { from: Date; to: Date },
  until: string | undefined,
): ScheduleEvent[] {
  if (until === undefined || Date.parse(until) < from.getTime() || Date.parse(until) >= to.getTime()) return events;
  const at = toMinute(new Date(until));
  const missed = events.findLast((event) => event.at <= at && stands(event));
  if (missed?.skipped?.reason !== 'keep-awake') return events;
  const { timeZone, workflow, schedule } = missed;
  const local = localTime(at, timeZone);
  const late: ScheduleEvent = { at, local, timeZone, workflow, schedule, startedBy: 'catch-up' };
  const next = events.findIndex((event) => event.at > at);
  return next < 0 ? [...events, late] : events.toSpliced(next, 0, late);
}

/** True if an event says what the cluster is to be: also a sleep that was only held back, but no wake that is left out. */
function stands({ skipped }: ScheduleEvent): boolean {
  return skipped === undefined || skipped.reason === 'keep-awake';
}
