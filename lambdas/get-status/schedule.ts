import type * as z from 'zod';
import { type ScheduleEvent, scheduleEvents } from '../../lib/schedule/events';
import { dynamo } from '../shared/clients';
import { overridesOf, ScheduleStore } from '../shared/schedule-store';
import type { env } from './env';

/** Every schedule acts each week (ms). */
const AHEAD_MS = 8 * 24 * 3_600_000;
/** Events shown: two nights. */
const SHOWN = 4;

/** What the schedules do next, what people have asked for beside them, and whether an idle sleep is announced. */
export interface ScheduleStatus {
  /** The next events, those that are left out with the reason. */
  next: ScheduleEvent[];
  /** UTC ISO time until which nothing but a person puts the cluster to sleep. */
  keepAwakeUntil: string | undefined;
  /** UTC ISO time for which a sleep for lack of use is announced. */
  idleSleepAt: string | undefined;
}

/** How to find out what is ahead: by the same function that everything else goes by. */
export function scheduleStatus({
  TABLE_NAME,
  SCHEDULES,
  HOLIDAYS,
}: z.output<typeof env>): () => Promise<ScheduleStatus> {
  const store = new ScheduleStore(dynamo(), TABLE_NAME);
  return async () => {
    const [overrides, idle] = await Promise.all([store.readOverrides(), store.readIdle()]);
    const now = Date.now();
    const range = { from: new Date(now), to: new Date(now + AHEAD_MS) };
    const book = { schedules: SCHEDULES, holidays: HOLIDAYS };
    const ahead = (time: string | undefined) => (time !== undefined && Date.parse(time) > now ? time : undefined);
    return {
      next: scheduleEvents(book, range, overridesOf(overrides)).slice(0, SHOWN),
      keepAwakeUntil: ahead(overrides.keepAwake?.until),
      idleSleepAt: ahead(idle?.sleepAt),
    };
  };
}
