import * as z from 'zod';
import { api, type ApiAnswer, type ApiRequest, bodyOf, callerOf } from '../shared/api';
import { dynamo } from '../shared/clients';
import { InvalidInput } from '../shared/errors';
import { ScheduleStore } from '../shared/schedule-store';
import { env } from './env';

const body = z.object({ until: z.iso.datetime({ offset: true }) });

/** Longer than that it would be forgotten rather than wanted (days). */
const LONGEST_DAYS = 31;

interface Deps {
  schedules: ScheduleStore;
  now?: () => Date;
}

/**
 * PUT: no schedule and no idle detector puts the cluster to sleep until a time; a later PUT takes its place. It ends by itself
 * then, or by DELETE: a sleep that it held back takes place within minutes, unless a wake has come in between. People are
 * never held back.
 */
export const keepAwake =
  ({ schedules, now = () => new Date() }: Deps) =>
  async (request: ApiRequest): Promise<ApiAnswer> => {
    if (request.requestContext.http.method === 'DELETE') {
      const ended = await schedules.endKeepAwake();
      return { statusCode: 200, body: { message: ended ? 'The keep-awake ends now' : 'There is no keep-awake' } };
    }
    const until = new Date(bodyOf(request, body).until);
    const latest = new Date(now().getTime() + LONGEST_DAYS * 86_400_000);
    if (until <= now()) throw new InvalidInput(`until: ${until.toISOString()} is in the past: give a later time`);
    if (until > latest) {
      throw new InvalidInput(
        `until: ${until.toISOString()} is more than ${LONGEST_DAYS} days away: give a time before ${latest.toISOString()}`,
      );
    }
    await schedules.keepAwake(until, callerOf(request));
    const message = `Nothing but a person puts the cluster to sleep before ${until.toISOString()}`;
    return { statusCode: 200, body: { keepAwake: { until: until.toISOString() }, message } };
  };

export const handler = api(
  { name: 'keep-awake', env, deps: (env) => ({ schedules: new ScheduleStore(dynamo(), env.TABLE_NAME) }) },
  keepAwake,
);
