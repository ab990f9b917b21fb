import type * as z from 'zod';
import { endKeepAwake, keepAwake } from '../keep-awake/handler';
import { postponeSleep } from '../postpone-sleep/handler';
import { requestSleep } from '../request-sleep/handler';
import { requestWake } from '../request-wake/handler';
import { answerOf, routed, toResponse } from '../shared/api/api';
import { dynamo, ssm, stepFunctions } from '../shared/clients/clients';
import { logger } from '../shared/clients/logger';
import { LinkKey } from '../shared/links/link-key';
import { LinkStore } from '../shared/links/link-store';
import { scheduleStatus } from '../shared/record/schedule-status';
import { ScheduleStore } from '../shared/record/schedule-store';
import { clusterStore, historyStore, runStore } from '../shared/step/deps';
import { skipNext, unskip } from '../skip-next/handler';
import { backToPage, htmlAnswer, isForm, isScript } from './answers';
import { skipNeeds, untilOfHours } from './changes';
import { env } from './env';
import { problemOf, signIn } from './page';
import {
  changeBy,
  getLinkStatus,
  getPage,
  getView,
  getWait,
  leave,
  openSession,
  type PageDeps,
  wantedBy,
} from './pages';
import { NotFromPage, TooOften } from './visit';
import { getWaiting } from './waiting';

/** The schedules' events that the page knows. */
const AHEAD = { days: 14, shown: 12 };
type Env = z.output<typeof env>;

/**
 * The page that wakes the cluster, for people and scripts with a signed link. Everything that changes something is a POST under a
 * right of the link; a GET changes nothing, whoever sends it.
 */
function routesOf(env: Env) {
  const schedules = new ScheduleStore(dynamo(), env.TABLE_NAME);
  const timeZones = env.SCHEDULES.map(({ timeZone }) => timeZone);
  const book = { schedules: env.SCHEDULES, holidays: env.HOLIDAYS };
  const start = { sfn: stepFunctions(), store: clusterStore(env), runs: runStore(env) };
  return {
    'GET /': getPage,
    'GET /.drowse/waiting': getWaiting,
    'GET /link/view': getView,
    'GET /link/status': getLinkStatus,
    'GET /link/wait': getWait,
    'POST /link/session': openSession,
    'POST /link/leave': leave,
    'POST /link/wake': changeBy('wake', () => ({
      needs: () => ['wake'],
      run: requestWake({ ...start, machineArn: env.WAKE_MACHINE_ARN }),
    })),
    'POST /link/sleep': changeBy('sleep', () => ({
      needs: () => ['sleep'],
      run: requestSleep({ ...start, machineArn: env.SLEEP_MACHINE_ARN }),
    })),
    'POST /link/keep-awake': changeBy('keep-awake', () => ({
      needs: () => ['keep-awake'],
      run: keepAwake({ schedules, timeZones }),
      read: untilOfHours,
    })),
    'POST /link/end-keep-awake': changeBy('end-keep-awake', () => ({
      needs: () => ['keep-awake'],
      run: endKeepAwake({ schedules, timeZones }),
    })),
    'POST /link/skip-next': changeBy('skip-next', () => ({ needs: skipNeeds, run: skipNext({ book, schedules }) })),
    'POST /link/unskip': changeBy('unskip', () => ({
      needs: () => ['keep-awake', 'sleep'],
      run: unskip({ book, schedules }),
    })),
    'POST /link/postpone-sleep': changeBy('postpone-sleep', () => ({
      needs: () => ['keep-awake'],
      run: postponeSleep({ idle: env.IDLE, schedules }),
    })),
  } as const;
}

function depsOf(env: Env): PageDeps {
  return {
    cluster: env.CLUSTER_NAME,
    sfn: stepFunctions(),
    store: clusterStore(env),
    runs: runStore(env),
    history: historyStore(env),
    schedule: scheduleStatus(env, AHEAD),
    rates: env.RATES,
    machines: { wake: env.WAKE_MACHINE_ARN, sleep: env.SLEEP_MACHINE_ARN },
    appUrl: env.APP_URL,
    key: new LinkKey(ssm(), env.LINK_KEY_PARAMETER),
    links: new LinkStore(dynamo(), env.TABLE_NAME),
    timeZone: env.SCHEDULES[0]?.timeZone ?? 'UTC',
  };
}

/** An error as the asker can read it: a page for people, JSON for scripts. */
function refusal(error: Error, req: Request, appUrl: string): Response {
  const answer = answerOf(error);
  const { statusCode } = answer;
  if (statusCode >= 500) logger.error('Request failed', error);
  else logger.info('Request refused', { error: error.name, message: error.message });
  const problem = error instanceof NotFromPage ? 'page' : error instanceof TooOften ? 'often' : PROBLEM_OF[statusCode];
  if (isForm(req) && statusCode < 500) return backToPage(req, problem ?? 'refused');
  const page = req.method === 'GET' && (req.headers.get('accept') ?? '').includes('text/html');
  if (!page && !(isScript(req) && statusCode === 401)) return toResponse(answer);
  return htmlAnswer(appUrl, {
    status: statusCode,
    title: 'drowse',
    main: signIn(problemOf(problem ?? null) ?? 'That failed. Try again in a minute.', wantedBy(req)),
  });
}

const PROBLEM_OF: Readonly<Record<number, string>> = { 401: 'link', 403: 'rights' };

export const handler = routed({ name: 'serve-page', env }, (env) => {
  const deps = depsOf(env);
  const routes = Object.entries(routesOf(env)).map(([route, page]) => [route, page(deps)] as const);
  return { routes: Object.fromEntries(routes), refuse: (error, req) => refusal(error, req, deps.appUrl) };
});
