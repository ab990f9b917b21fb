import type { ClusterRecord } from '../../core/record/cluster-record';
import { eventKey, localTime, type ScheduleBook, scheduleEvents } from '../../core/schedule/events';
import { notify, type NotifyDeps } from '../shared/news/notify';
import { overridesOf, type ScheduleStore } from '../shared/record/schedule-store';

/** So long before a sleep of the schedules people hear of it (ms): three looks. */
const AHEAD_MS = 15 * 60_000;

interface SoonDeps {
  cluster: string;
  book: ScheduleBook;
  schedules: Pick<ScheduleStore, 'readOverrides'>;
  notify: NotifyDeps;
  /** A link by which a reader keeps the cluster awake. */
  keepAwakeLink: () => Promise<string | undefined>;
}

/** Tells once that a sleep of the schedules is near, with a link that keeps the cluster awake. */
export async function tellOfSleep(deps: SoonDeps, { state, lease }: ClusterRecord, now: Date): Promise<void> {
  if (lease || (state !== 'awake' && state !== 'awake-degraded') || deps.book.schedules.length === 0) return;
  const range = { from: now, to: new Date(now.getTime() + AHEAD_MS) };
  const events = scheduleEvents(deps.book, range, overridesOf(await deps.schedules.readOverrides()));
  const sleep = events.find(({ workflow, skipped }) => workflow === 'sleep' && skipped === undefined);
  if (sleep === undefined) return;
  const { at, timeZone, schedule } = sleep;
  const time = localTime(at, timeZone).slice(11);
  const link = await deps.keepAwakeLink();
  await notify(deps.notify, `soon#${eventKey(sleep)}`, {
    subject: `${deps.cluster} sleeps at ${time} (${timeZone})`,
    text: [
      `Cluster ${deps.cluster} goes to sleep at ${time} (${timeZone}), as the schedule ${schedule} says.`,
      link === undefined
        ? 'To keep it awake: npx drowse keep-awake 2h, or npx drowse skip-next sleep.'
        : `To keep it awake: open ${link} and say for how long.`,
    ].join('\n\n'),
  });
}
