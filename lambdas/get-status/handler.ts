import type { EC2Client } from '@aws-sdk/client-ec2';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { api, type ApiRoute } from '../shared/api/api';
import { ec2, stepFunctions } from '../shared/clients/clients';
import type { Lease } from '../../core/record/cluster-record';
import type { ClusterStore } from '../shared/record/cluster-store';
import { clusterStore, runStore } from '../shared/step/deps';
import { describeElasticIp } from '../shared/ec2/elastic-ip';
import { findWaiting } from '../shared/workflows/executions';
import { readStates } from '../shared/workflows/history';
import { describeNodes, type NodeInstance, PRESENT_STATES } from '../shared/ec2/instances';
import type { RunStore } from '../shared/record/run-store';
import { env } from './env';
import { type ScheduleStatus, scheduleStatus } from '../shared/record/schedule-status';

interface Deps {
  cluster: string;
  ec2: EC2Client;
  sfn: SFNClient;
  store: ClusterStore;
  runs: RunStore;
  schedule: () => Promise<ScheduleStatus>;
  /** By workflow, the machines of what may wait for its turn. */
  machines: Readonly<Record<'wake' | 'sleep', string>>;
}

/** One thousand events from the end: a state that polls writes three each time. */
const PAGES = 1;
/** Every schedule acts each week; two nights are shown. */
const AHEAD = { days: 8, shown: 4 };

/**
 * Tells what the cluster is and does: state, running workflow with its steps and how long they usually take, last
 * failure, what is missing, newest snapshot, nodes with their phases, what the schedules do next. No secrets.
 */
export const getStatus =
  (deps: Deps): ApiRoute =>
  async () => {
    const { cluster, ec2, store, runs } = deps;
    const [{ lease, ...record }, nodes, address, wake, sleep, schedule] = await Promise.all([
      store.read(),
      describeNodes(ec2, cluster, PRESENT_STATES),
      describeElasticIp(ec2, cluster),
      runs.usual('wake'),
      runs.usual('sleep'),
      deps.schedule(),
    ]);
    const waiting = await findWaiting(deps.sfn, deps.machines, lease?.owner);
    const { state, since, failure, degraded, unreachable, warnings, snapshot, platformAt } = record;
    const shortages = [...(record.seatShortages ?? []), ...(record.shortages ?? [])];
    return {
      statusCode: 200,
      body: {
        cluster,
        state,
        since,
        running: lease && (await describeRunning(deps, lease)),
        /** What has been asked for and waits until `running` has ended. */
        waiting,
        failure,
        degraded,
        shortages: shortages.length > 0 ? shortages : undefined,
        unreachable,
        warnings,
        snapshot,
        platformAt,
        schedule,
        /** How long it takes to wake and to sleep (s). */
        usualSeconds: { wake: wake?.seconds, sleep: sleep?.seconds },
        nodes: nodes.map(toldOf),
        elasticIp: address && { publicIp: address.PublicIp, instanceId: address.InstanceId },
      },
    };
  };

/** A node as the API tells of it. */
function toldOf(node: NodeInstance) {
  const { startedAt: _, ...told } = node;
  return told;
}

async function describeRunning({ sfn, runs }: Deps, { workflow, step, since, requestedBy, reason, owner }: Lease) {
  const usual = await runs.usual(workflow);
  const { states, ended } = await readStates(sfn, owner, { pages: PAGES, newest: true });
  const underWay = states.filter(({ exitedAt }) => exitedAt === undefined);
  return {
    workflow,
    /** The step begun last; several may be under way side by side. */
    step,
    since,
    requestedBy,
    reason,
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
      schedule: scheduleStatus(env, AHEAD),
      machines: { wake: env.WAKE_MACHINE_ARN, sleep: env.SLEEP_MACHINE_ARN },
    }),
  },
  { 'GET /status': getStatus },
);
