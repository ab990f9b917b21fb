import Table from 'cli-table3';
import { loadConfig } from '../lib/config/load';
import { bookOf } from '../lib/schedule/book';
import { type ScheduleEvent, scheduleEvents } from '../lib/schedule/events';

/** What `make schedule` prints: what the schedules of cluster.yaml do in the next two weeks, as a table or as JSON. */
const DAYS = 14;

function main(): void {
  const from = new Date();
  const to = new Date(from.getTime() + DAYS * 86_400_000);
  const events = scheduleEvents(bookOf(loadConfig(process.env.DROWSE_CONFIG)), { from, to });
  if (process.argv.includes('--json')) console.log(JSON.stringify(events));
  else console.log(events.length === 0 ? `Nothing is scheduled in the next ${String(DAYS)} days.` : table(events));
}

function table(events: readonly ScheduleEvent[]): string {
  const lines = new Table({
    head: ['local time', 'time zone', 'UTC', '', 'schedule', ''],
    style: { head: [], border: [] },
  });
  for (const event of events) {
    const { at, local, timeZone, workflow, schedule } = event;
    lines.push([weekday(local), timeZone, at.slice(0, 16).replace('T', ' '), workflow, schedule, remark(event)]);
  }
  return lines.toString();
}

function remark({ skipped, startedBy }: ScheduleEvent): string {
  if (skipped) return `skipped: ${skipped.message}`;
  return startedBy === 'catch-up' ? 'the clock is put forward: by the catch-up, up to 15 min later' : '';
}

/** `Fri 2026-11-20 22:00`. */
function weekday(local: string): string {
  const day = new Intl.DateTimeFormat('en', { weekday: 'short', timeZone: 'UTC' }).format(new Date(`${local}Z`));
  return `${day} ${local.replace('T', ' ')}`;
}

try {
  main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
