import type * as z from 'zod';
import { openApiDocument } from '../../core/api/openapi';
import { describeCost, type ratesEnv } from '../../core/cost/rates';
import { api, type ApiRoute } from '../shared/api/api';
import type { ClusterStore } from '../shared/record/cluster-store';
import type { HistoryStore } from '../shared/record/history-store';
import { type ScheduleStatus, scheduleStatus } from '../shared/record/schedule-status';
import { clusterStore, historyStore } from '../shared/step/deps';
import { env } from './env';

/** Runs that are told, of this month and the one before. */
const RUNS = 50;
/** How far ahead the schedules are told, and how many events at most. */
const AHEAD = { days: 14, shown: 60 };

interface Deps {
  store: ClusterStore;
  history: HistoryStore;
  schedule: () => Promise<ScheduleStatus>;
  rates: z.output<typeof ratesEnv>['RATES'];
  now?: () => Date;
}

/** The last runs, newest first: what, when, who asked and why, how it went. */
export const getRuns =
  ({ history }: Deps): ApiRoute =>
  async () => ({ statusCode: 200, body: { runs: (await history.recent()).slice(0, RUNS) } });

/** What the schedules do in the next two weeks, what is left out and why, and what people have asked for beside them. */
export const getSchedule =
  ({ schedule }: Deps): ApiRoute =>
  async () => ({ statusCode: 200, body: await schedule() });

/** What the cluster costs by the hour, what this month came to so far, and what sleeping has saved. */
export const getCost =
  ({ store, history, rates, now = () => new Date() }: Deps): ApiRoute =>
  async () => {
    const [runs, { state, lease }] = await Promise.all([history.recent(), store.read()]);
    return { statusCode: 200, body: describeCost(rates, { runs, state, running: lease, now: now() }) };
  };

/** The document of the API. */
const getDocument = (): ApiRoute => () => Promise.resolve({ statusCode: 200, body: openApiDocument() });

export const handler = api(
  {
    name: 'get-report',
    env,
    deps: (env) => ({
      store: clusterStore(env),
      history: historyStore(env),
      schedule: scheduleStatus(env, AHEAD),
      rates: env.RATES,
    }),
  },
  {
    'GET /runs': getRuns,
    'GET /schedule': getSchedule,
    'GET /cost': getCost,
    'GET /openapi.json': getDocument,
  },
);
