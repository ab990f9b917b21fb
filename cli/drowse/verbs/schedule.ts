import { dirname } from 'node:path';
import { calendarOf } from '../../../lib/config/holidays';
import { configFile, describeTarget, loadConfig } from '../../../lib/config/load';
import type { ClusterConfig } from '../../../core/config/schema';
import { warningsOf } from '../../../core/config/warnings';
import { bookOf } from '../../../core/schedule/book';
import type { Holiday } from '../../../core/schedule/calendar';
import { type ScheduleEvent, scheduleEvents } from '../../../core/schedule/events';
import { awakeStretches, describeStretch, weekdayTime } from '../../../core/schedule/stretches';
import { EXIT } from '../../terminal/errors';
import { tableOf } from '../../terminal/table';
import { answer } from '../answers';
import type { FileOptions } from '../target';

/** How far ahead is shown. */
const DAYS = 14;

/**
 * What the schedules of the configuration do in the next two weeks, how long they keep the cluster awake, and the holidays, as tables
 * or as JSON. Asks nobody: what people have asked for beside the schedules is in the status.
 */
export function schedule({ config: file = process.env.DROWSE_CONFIG, json = false }: FileOptions): number {
  const config = loadConfig(file);
  console.error(`Schedules of ${describeTarget(config, file)}`);
  const from = new Date();
  const to = new Date(from.getTime() + DAYS * 86_400_000);
  const events = scheduleEvents(bookOf(config), { from, to });
  const stretches = awakeStretches(config.schedules);
  const { holidays, observances } = holidaysOf(config, dirname(configFile(file) ?? ''), from);
  const warnings = warningsOf(config);
  if (json) {
    // Copies, as an interface says of itself that it has no other fields.
    const copies = { events: events.map((event) => ({ ...event })), stretches: stretches.map((one) => ({ ...one })) };
    answer('schedule', { ...copies, holidays, observances, warnings });
    return EXIT.done;
  }
  console.log(events.length === 0 ? `Nothing is scheduled in the next ${String(DAYS)} days.` : eventTable(events));
  if (stretches.length > 0) console.log(`\nAwake in a usual week:\n${list(stretches.map(describeStretch))}`);
  if (holidays.length > 0) {
    console.log(`\nHolidays:\n${list(holidays.map(({ date, name }) => `${weekday(date)} ${date}  ${name}`))}`);
  }
  if (observances.length > 0) console.log(`\nOf the calendar no days off: ${observances.join(', ')}`);
  for (const warning of warnings) console.error(`\nWarning: ${warning}`);
  return EXIT.done;
}

/** Those of cluster.yaml and of its calendar that are still to come. */
function holidaysOf(config: ClusterConfig, folder: string, now: Date): { holidays: Holiday[]; observances: string[] } {
  const { holidays, observances } = calendarOf(config.holidays, folder, now);
  const names = new Map(holidays.map(({ date, name }) => [date, name]));
  const today = now.toISOString().slice(0, 10);
  const dates = config.holidays.dates.filter((date) => date >= today);
  return { holidays: dates.map((date) => ({ date, name: names.get(date) ?? 'of cluster.yaml' })), observances };
}

function eventTable(events: readonly ScheduleEvent[]): string {
  const rows = events.map((event) => {
    const { at, local, timeZone, workflow, schedule } = event;
    const shown = `${weekday(local)} ${local.replace('T', ' ')}`;
    return [shown, timeZone, at.slice(0, 16).replace('T', ' '), workflow, schedule, remark(event)];
  });
  return tableOf(['local time', 'time zone', 'UTC', 'does', 'schedule', ''], rows);
}

function remark({ skipped, startedBy }: ScheduleEvent): string {
  if (skipped) return `skipped: ${skipped.message}`;
  return startedBy === 'catch-up' ? 'the clock is put forward: by the catch-up, up to 15 min later' : '';
}

/** `Fri` of a local date or time. */
function weekday(local: string): string {
  return weekdayTime({ local: `${local.slice(0, 10)}T00:00` }).slice(0, 3);
}

function list(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n');
}
