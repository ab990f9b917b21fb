import { scheduleEvents, type ScheduleEvent } from '../schedule/events';
import { weekdayTime } from '../schedule/stretches';
import type { Problem } from './problem';
import type { ClusterConfig, ScheduleConfig } from './schema';

/** A week without a change of clocks anywhere, and the first two days of the next: windows may reach over its end. */
const WEEK = { from: new Date('2026-01-12T00:00:00Z'), to: new Date('2026-01-21T00:00:00Z') };
/** A window longer than this skips days that are not the schedule's: others may wake the cluster on those (ms). */
const ONE_NIGHT_MS = 24 * 3_600_000;

type Schedules = Pick<ClusterConfig, 'schedules'>;

/** Each schedule has a time, sleep and wake are not the same, and no two schedules want different things at once. */
export function checkScheduleTimes({ schedules }: Schedules): Problem[] {
  const problems = schedules.flatMap(checkTimes);
  return problems.length > 0 ? problems : checkContradictions(schedules);
}

/** There must be time between the last use and the warning. */
export function checkIdle({ idle }: Pick<ClusterConfig, 'idle'>): Problem[] {
  const { enabled, afterMinutes, warnMinutes } = idle;
  if (!enabled || warnMinutes < afterMinutes) return [];
  const found = `${String(warnMinutes)} is not less than afterMinutes (${String(afterMinutes)})`;
  return [{ path: ['idle', 'warnMinutes'], message: `${found}: warn later, or wait longer` }];
}

function checkTimes({ name, sleep, wake }: ScheduleConfig, index: number): Problem[] {
  if (sleep === undefined && wake === undefined) {
    const message = `${name} has neither sleep nor wake: give it at least one time`;
    return [{ path: ['schedules', index], message }];
  }
  if (sleep !== wake) return [];
  const message = `${String(wake)} is also the time of sleep: give them different times`;
  return [{ path: ['schedules', index, 'wake'], message }];
}

/**
 * Two events of different schedules at the same moment, and a schedule that wakes the cluster in the night that is
 * another's.
 */
function checkContradictions(schedules: readonly ScheduleConfig[]): Problem[] {
  const events = scheduleEvents({ schedules, holidays: new Set() }, WEEK);
  const found = new Map<string, Problem>();
  const report = (event: ScheduleEvent, other: ScheduleEvent, message: string) => {
    const path = ['schedules', placeOf(event), event.workflow];
    const key = [...path, other.schedule].join();
    // Once, not for each day of the week.
    if (!found.has(key)) found.set(key, { path, message: `${weekdayTime(event)} ${message}` });
  };
  const placeOf = ({ schedule }: ScheduleEvent) => schedules.findIndex(({ name }) => name === schedule);
  for (const event of events) {
    const others = events.filter(({ schedule }) => schedule !== event.schedule);
    for (const other of others) {
      if (other.at !== event.at || placeOf(other) > placeOf(event)) continue;
      report(
        event,
        other,
        `is also when ${other.schedule} has its ${other.workflow}: choose another time, or other days`,
      );
    }
    if (event.workflow !== 'wake') continue;
    for (const [sleep, wake] of nightsOf(others)) {
      if (sleep.at >= event.at || wake.at <= event.at) continue;
      const night = `${weekdayTime(sleep)} to ${weekdayTime(wake)}`;
      report(
        event,
        sleep,
        `wakes the cluster in the night of ${sleep.schedule} (${night}): take that day out of one of them`,
      );
    }
  }
  return [...found.values()];
}

/** Each schedule's sleeps that its own wake ends within a day. */
function nightsOf(events: readonly ScheduleEvent[]): [sleep: ScheduleEvent, wake: ScheduleEvent][] {
  return events.flatMap((sleep, index): [ScheduleEvent, ScheduleEvent][] => {
    if (sleep.workflow !== 'sleep') return [];
    const next = events.slice(index + 1).find(({ schedule }) => schedule === sleep.schedule);
    const ends = next?.workflow === 'wake' && Date.parse(next.at) - Date.parse(sleep.at) < ONE_NIGHT_MS;
    return ends ? [[sleep, next]] : [];
  });
}
