import type { EC2Client } from '@aws-sdk/client-ec2';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { api, type ApiAnswer } from '../shared/api';
import { ec2, stepFunctions } from '../shared/clients';
import type { Lease } from '../shared/cluster-record';
import type { ClusterStore } from '../shared/cluster-store';
import { clusterStore, runStore } from '../shared/deps';
import { describeElasticIp } from '../shared/elastic-ip';
import { readStates } from '../shared/history';
import { describeNodes, PRESENT_STATES } from '../shared/instances';
import type { RunStore } from '../shared/run-store';
import { env } from './env';
import { type ScheduleStatus, scheduleStatus } from './schedule';

interface Deps {
  cluster: string;
  ec2: EC2Client;
  sfn: SFNClient;
  store: ClusterStore;
  runs: RunStore;
  schedule: () => Promise<ScheduleStatus>;
}

/** One thousand events from the end: a state that polls writes three each time. */
const PAGES = 1;

/**
 * Tells what the cluster is and does: state, running workflow with its steps and how long they usually take, last
 * failure, what is missing, newest snapshot, nodes with their phases, what the schedules do next. No secrets.
 */
export const getStatus = (deps: Deps) => async (): Promise<ApiAnswer> => {
  const { cluster, ec2, store, runs } = deps;
  const [{ lease, ...record }, nodes, address, wake, sleep, schedule] = await Promise.all([
    store.read(),
    describeNodes(ec2, cluster, PRESENT_STATES),
    describeElasticIp(ec2, cluster),
    runs.usual('wake'),
    runs.usual('sleep'),
    deps.schedule(),
  ]);
  const { state, since, failure, degraded, shortages, unreachable, warnings, snapshot, platformAt } = record;
  return {
    statusCode: 200,
    body: {
      cluster,
      state,
      since,
      running: lease && (await describeRunning(deps, lease)),
      failure,
      degraded,
      shortages,
      unreachable,
      warnings,
      snapshot,
      platformAt,
      schedule,
      /** How long it takes to wake and to sleep (s). */
      usualSeconds: { wake: wake?.seconds, sleep: sleep?.seconds },
      nodes,
      elasticIp: address && { publicIp: address.PublicIp, instanceId: address.InstanceId },
    },
  };
};

async function describeRunning({ sfn, runs }: Deps, { workflow, step, since, requestedBy, owner }: Lease) {
  const usual = await runs.usual(workflow);
  const { states, ended } = await readStates(sfn, owner, { pages: PAGES, newest: true });
  const underWay = states.filter(({ exitedAt }) => exitedAt === undefined);
  return {
    workflow,
    /** The step begun last; several may be under way side by side. */
    step,
    since,
    requestedBy,
    execution: owner,
    /** How the execution ended without giving back the lease: the next workflow takes it over. */
    ended,
    usualSeconds: usual?.seconds,
    states: underWay.map(({ name, enteredAt }) => ({
      name,
      since: new Date(enteredAt).toISOString(),
      usualSeconds: usual?.states[name],
    })),
  };
}

export const handler = api(
  {
    name: 'get-status',
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      ec2: ec2(),
      sfn: stepFunctions(),
      store: clusterStore(env),
      runs: runStore(env),
      schedule: scheduleStatus(env),
    }),
  },
  getStatus,
);
