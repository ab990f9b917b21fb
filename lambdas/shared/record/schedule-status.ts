import type * as z from 'zod';
import type { bookEnv } from '../../../core/schedule/book';
import { type ScheduleEvent, scheduleEvents } from '../../../core/schedule/events';
import { dynamo } from '../clients/clients';
import type { storeEnv } from '../step/env';
import { overridesOf, ScheduleStore } from './schedule-store';

/** What the schedules do next, what people have asked for beside them, and whether an idle sleep is announced. */
export interface ScheduleStatus {
  /** The next events, those that are left out with the reason. */
  next: ScheduleEvent[];
  /** UTC ISO time until which nothing but a person puts the cluster to sleep. */
  keepAwakeUntil: string | undefined;
  /** UTC ISO time for which a sleep for lack of use is announced. */
  idleSleepAt: string | undefined;
  /** UTC ISO time before which there is no sleep for lack of use. */
  postponedUntil: string | undefined;
}

type Env = Pick<z.output<typeof storeEnv>, 'TABLE_NAME'> & z.output<typeof bookEnv>;

/**
 * How to find out what is ahead: by the same function that everything else goes by.
 * @param shown at most so many events of the next days
 */
export function scheduleStatus(
  { TABLE_NAME, SCHEDULES, HOLIDAYS }: Env,
  { days, shown }: { days: number; shown: number },
): () => Promise<ScheduleStatus> {
  const store = new ScheduleStore(dynamo(), TABLE_NAME);
  return async () => {
    const [overrides, idle] = await Promise.all([store.readOverrides(), store.readIdle()]);
    const now = Date.now();
    const range = { from: new Date(now), to: new Date(now + days * 24 * 3_600_000) };
    const book = { schedules: SCHEDULES, holidays: HOLIDAYS };
    const ahead = (time: string | undefined) => (time !== undefined && Date.parse(time) > now ? time : undefined);
    return {
      next: scheduleEvents(book, range, overridesOf(overrides)).slice(0, shown),
      keepAwakeUntil: ahead(overrides.keepAwake?.until),
      idleSleepAt: ahead(idle?.sleepAt),
      postponedUntil: ahead(overrides.postponed?.until),
    };
  };
}
