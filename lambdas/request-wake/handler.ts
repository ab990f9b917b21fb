import { api, type ApiRoute } from '../shared/api/api';
import { behind, outlook, readLive, type StartDeps, startRequested } from '../shared/api/start';
import { stepFunctions } from '../shared/clients/clients';
import type { Lease } from '../../core/record/cluster-record';
import { clusterStore, runStore } from '../shared/step/deps';
import { env } from './env';

/** Wakes the cluster on request: says that it is awake, on its way, or was started now. */
export const requestWake =
  (deps: StartDeps): ApiRoute =>
  async (request) => {
    const { state, since, lease } = await readLive(deps);
    if (!lease && (state === 'awake' || state === 'awake-degraded')) {
      return { statusCode: 200, body: { state, since, message: `The cluster is ${state}` } };
    }
    if (lease && state === 'waking') {
      const execution = lease.owner;
      const message = `Waking since ${lease.since}, at ${lease.step}`;
      const ahead = await outlook(deps, request, { workflow: 'wake', execution, lease });
      return { statusCode: 202, body: { state, since, execution, message, ...ahead } };
    }
    const execution = await startRequested(deps, request);
    // The state is the record's, as GET /status has it: the execution changes it when its turn has come.
    const ahead = await outlook(deps, request, { workflow: 'wake', execution, lease });
    return { statusCode: 202, body: { state, since, execution, message: announce(lease), ...behind(lease), ...ahead } };
  };

function announce(lease: Lease | undefined): string {
  if (!lease) return 'The cluster wakes up';
  return lease.workflow === 'sleep'
    ? 'The cluster goes to sleep; it wakes as soon as that is done'
    : `The wake begins when ${lease.workflow} has ended`;
}

export const handler = api(
  {
    name: 'request-wake',
    env,
    deps: (env) => ({
      machineArn: env.WAKE_MACHINE_ARN,
      sfn: stepFunctions(),
      store: clusterStore(env),
      runs: runStore(env),
    }),
  },
  { 'POST /wake': requestWake },
);
