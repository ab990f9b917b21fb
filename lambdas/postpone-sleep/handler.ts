import { api, type ApiRoute } from '../shared/api/api';
import { dynamo } from '../shared/clients/clients';
import { ScheduleStore } from '../shared/record/schedule-store';
import { env } from './env';

interface Deps {
  idle: { enabled: boolean; postponeMinutes: number };
  schedules: ScheduleStore;
  now?: () => Date;
}

/** Answers the idle detector's warning: no sleep for lack of use before so many minutes have passed. */
export const postponeSleep =
  ({ idle, schedules, now = () => new Date() }: Deps): ApiRoute =>
  async (request) => {
    if (!idle.enabled) {
      const message = 'Nothing puts this cluster to sleep for lack of use; for its schedules there is PUT /keep-awake';
      return { statusCode: 409, body: { error: 'IdleSleepDisabled', message } };
    }
    const until = new Date(now().getTime() + idle.postponeMinutes * 60_000);
    await schedules.postpone(until, request.caller);
    const message = `The cluster does not sleep for lack of use before ${until.toISOString()}`;
    return { statusCode: 200, body: { postponedUntil: until.toISOString(), message } };
  };

export const handler = api(
  {
    name: 'postpone-sleep',
    env,
    deps: (env) => ({ idle: env.IDLE, schedules: new ScheduleStore(dynamo(), env.TABLE_NAME) }),
  },
  { 'POST /postpone-sleep': postponeSleep },
);
