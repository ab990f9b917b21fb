import { api, type ApiRoute } from '../shared/api/api';
import { behind, outlook, readLive, type StartDeps, startRequested } from '../shared/api/start';
import { stepFunctions } from '../shared/clients/clients';
import type { Lease } from '../../core/record/cluster-record';
import { clusterStore, runStore } from '../shared/step/deps';
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
      const execution = lease.owner;
      const ahead = await outlook(deps, request, { workflow: 'sleep', execution, lease });
      return { statusCode: 202, body: { state, since, execution, message, ...ahead } };
    }
    const execution = await startRequested(deps, request);
    const ahead = await outlook(deps, request, { workflow: 'sleep', execution, lease });
    return { statusCode: 202, body: { state, since, execution, message: announce(lease), ...behind(lease), ...ahead } };
  };

function announce(lease: Lease | undefined): string {
  return lease ? `The sleep begins when ${lease.workflow} has ended` : 'The cluster goes to sleep';
}

export const handler = api(
  {
    name: 'request-sleep',
    env,
    deps: (env) => ({
      machineArn: env.SLEEP_MACHINE_ARN,
      sfn: stepFunctions(),
      store: clusterStore(env),
      runs: runStore(env),
    }),
  },
  { 'POST /sleep': requestSleep },
);
