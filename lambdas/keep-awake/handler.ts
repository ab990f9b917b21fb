import { keepAwakeBody } from '../../core/api/bodies';
import { api, type ApiRoute, bodyOf } from '../shared/api/api';
import { dynamo } from '../shared/clients/clients';
import { InvalidInput } from '../shared/step/errors';
import { ScheduleStore } from '../shared/record/schedule-store';
import { InvalidInstant, parseInstant } from '../../core/schedule/instant';
import { env } from './env';

/** Longer than that it would be forgotten rather than wanted (days). */
const LONGEST_DAYS = 31;

interface Deps {
  schedules: ScheduleStore;
  /** Of the schedules: a time without an offset is local there. */
  timeZones: readonly string[];
  now?: () => Date;
}

/**
 * No schedule and no idle detector puts the cluster to sleep until a time; a later request takes its place. It ends by itself
 * then, or by a DELETE: a sleep that it held back takes place within minutes, unless a wake has come in between. People are
 * never held back.
 */
export const keepAwake =
  ({ schedules, timeZones, now = () => new Date() }: Deps): ApiRoute =>
  async (request) => {
    const until = readUntil((await bodyOf(request, keepAwakeBody)).until, timeZones);
    const latest = new Date(now().getTime() + LONGEST_DAYS * 86_400_000);
    if (until <= now()) throw new InvalidInput(`until: ${until.toISOString()} is in the past: give a later time`);
    if (until > latest) {
      throw new InvalidInput(
        `until: ${until.toISOString()} is more than ${LONGEST_DAYS} days away: give a time before ${latest.toISOString()}`,
      );
    }
    await schedules.keepAwake(until, request.caller);
    const message = `Nothing but a person puts the cluster to sleep before ${until.toISOString()}`;
    return { statusCode: 200, body: { keepAwake: { until: until.toISOString() }, message } };
  };

/** The keep-awake ends now: a sleep that it held back takes place within minutes. */
export const endKeepAwake =
  ({ schedules }: Deps): ApiRoute =>
  async () => {
    const ended = await schedules.endKeepAwake();
    return { statusCode: 200, body: { message: ended ? 'The keep-awake ends now' : 'There is no keep-awake' } };
  };

function readUntil(text: string, timeZones: readonly string[]): Date {
  try {
    return parseInstant(text, timeZones);
  } catch (error) {
    throw error instanceof InvalidInstant ? new InvalidInput(`until: ${error.message}`) : error;
  }
}

export const handler = api(
  {
    name: 'keep-awake',
    env,
    deps: (env) => ({
      schedules: new ScheduleStore(dynamo(), env.TABLE_NAME),
      timeZones: env.SCHEDULES.map(({ timeZone }) => timeZone),
    }),
  },
  { 'PUT /keep-awake': keepAwake, 'DELETE /keep-awake': endKeepAwake },
);
