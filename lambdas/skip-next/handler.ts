import { skipBody } from '../../core/api/bodies';
import {
  type ScheduleBook,
  type ScheduledWorkflow,
  type ScheduleEvent,
  scheduleEvents,
} from '../../core/schedule/events';
import { api, type ApiRoute, bodyOf } from '../shared/api/api';
import { dynamo } from '../shared/clients/clients';
import { overridesOf, ScheduleStore } from '../shared/record/schedule-store';
import { env } from './env';

/** Every schedule acts each week; holidays rarely fill as much (ms). */
const AHEAD_MS = 31 * 24 * 3_600_000;

interface Deps {
  book: ScheduleBook;
  schedules: ScheduleStore;
  now?: () => Date;
}

/**
 * The next sleep or the next wake of the schedules is left out, once; for both, ask twice. A skip is used up by the event that it
 * left out, so nobody has to remember to remove it.
 */
export const skipNext =
  ({ book, schedules, now = () => new Date() }: Deps): ApiRoute =>
  async (request) => {
    const { workflow } = await bodyOf(request, skipBody);
    const overrides = overridesOf(await schedules.readOverrides());
    const asked = { ...overrides, skipNext: { ...overrides.skipNext, [workflow]: true } };
    const skipped = findSkipped(book, workflow, asked, now());
    if (!skipped) {
      const message = `No schedule has a ${workflow} in the next 31 days`;
      return { statusCode: 409, body: { error: 'NothingToSkip', message } };
    }
    await schedules.skipNext(workflow, request.caller);
    const { at, local, timeZone, schedule } = skipped;
    const message = `The next ${workflow} is skipped: that of ${schedule} at ${local} ${timeZone}`;
    return { statusCode: 200, body: { skipNext: { workflow, schedule, at }, message } };
  };

/** Takes every skip back. */
export const unskip =
  ({ schedules }: Deps): ApiRoute =>
  async () => {
    await schedules.unskip();
    return { statusCode: 200, body: { message: 'Nothing is skipped' } };
  };

function findSkipped(
  book: ScheduleBook,
  workflow: ScheduledWorkflow,
  overrides: Parameters<typeof scheduleEvents>[2],
  from: Date,
): ScheduleEvent | undefined {
  const events = scheduleEvents(book, { from, to: new Date(from.getTime() + AHEAD_MS) }, overrides);
  return events.find((event) => event.workflow === workflow && event.skipped?.reason === 'skip-next');
}

export const handler = api(
  {
    name: 'skip-next',
    env,
    deps: (env) => ({
      book: { schedules: env.SCHEDULES, holidays: env.HOLIDAYS },
      schedules: new ScheduleStore(dynamo(), env.TABLE_NAME),
    }),
  },
  { 'PUT /skip-next': skipNext, 'DELETE /skip-next': unskip },
);
