import { api, type ApiRoute } from '../shared/api/api';
import { behind, readLive, type StartDeps, startRequested } from '../shared/api/start';
import { stepFunctions } from '../shared/clients/clients';
import type { Lease } from '../../core/record/cluster-record';
import { clusterStore } from '../shared/step/deps';
import { env } from './env';

/** Puts the cluster to sleep on request, whatever keep-awake there is: a person's word counts more. */
export const requestSleep =
  (deps: StartDeps): ApiRoute =>
  async (request) => {
    const { state, since, lease } = await readLive(deps);
    if (!lease && state === 'asleep') {
      return { statusCode: 200, body: { state, since, message: 'The cluster is asleep' } };
    }
    if (lease?.workflow === 'sleep') {
      const message = `Going to sleep since ${lease.since}, at ${lease.step}`;
      return { statusCode: 202, body: { state, since, execution: lease.owner, message } };
    }
    const execution = await startRequested(deps, request);
    return { statusCode: 202, body: { state, since, execution, message: announce(lease), ...behind(lease) } };
  };

function announce(lease: Lease | undefined): string {
  return lease ? `The sleep begins when ${lease.workflow} has ended` : 'The cluster goes to sleep';
}

export const handler = api(
  {
    name: 'request-sleep',
    env,
    deps: (env) => ({ machineArn: env.SLEEP_MACHINE_ARN, sfn: stepFunctions(), store: clusterStore(env) }),
  },
  { 'POST /sleep': requestSleep },
);
