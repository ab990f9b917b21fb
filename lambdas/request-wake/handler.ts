import type { SFNClient } from '@aws-sdk/client-sfn';
import { api, type ApiAnswer, type ApiRequest, callerOf } from '../shared/api';
import { stepFunctions } from '../shared/clients';
import type { ClusterStore } from '../shared/cluster-store';
import { clusterStore } from '../shared/deps';
import { isOver, startOnce } from '../shared/executions';
import { env } from './env';

/** Requests within this time (ms) are one: a double click starts one execution. */
const TOGETHER_MS = 10_000;

interface Deps {
  machineArn: string;
  sfn: SFNClient;
  store: ClusterStore;
  now?: () => number;
}

/**
 * Wakes the cluster on request: says that it is awake, on its way, or was started now. The lease of an execution that
 * died is not believed: nobody would wake the cluster then.
 */
export const requestWake =
  ({ machineArn, sfn, store, now = Date.now }: Deps) =>
  async (request: ApiRequest): Promise<ApiAnswer> => {
    const { state, since, lease: held } = await store.read();
    const lease = held && !(await isOver(sfn, held.owner)) ? held : undefined;
    if (!lease && (state === 'awake' || state === 'awake-degraded')) {
      return { statusCode: 200, body: { state, since, message: `The cluster is ${state}` } };
    }
    if (lease && state === 'waking') {
      const body = { state, since, execution: lease.owner, message: `Waking since ${lease.since}, at ${lease.step}` };
      return { statusCode: 202, body };
    }
    const name = `api-${Math.floor(now() / TOGETHER_MS)}`;
    const execution = await startOnce(sfn, machineArn, name, { requestedBy: callerOf(request) });
    const message =
      lease?.workflow === 'sleep'
        ? 'The cluster goes to sleep; it wakes as soon as that is done'
        : 'The cluster wakes up';
    return { statusCode: 202, body: { state: 'waking', execution, message } };
  };

export const handler = api(
  {
    name: 'request-wake',
    env,
    deps: (env) => ({ machineArn: env.WAKE_MACHINE_ARN, sfn: stepFunctions(), store: clusterStore(env) }),
  },
  requestWake,
);
