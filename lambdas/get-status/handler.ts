import type { EC2Client } from '@aws-sdk/client-ec2';
import { runningCost } from '../../core/cost/running';
import { api, type ApiRoute } from '../shared/api/api';
import { ec2, stepFunctions } from '../shared/clients/clients';
import { describeElasticIp } from '../shared/ec2/elastic-ip';
import { describeNodes, type NodeInstance, PRESENT_STATES } from '../shared/ec2/instances';
import { usualOf } from '../shared/record/run-store';
import { type ScheduleStatus, scheduleStatus } from '../shared/record/schedule-status';
import { clusterStore, runStore } from '../shared/step/deps';
import { findWaiting } from '../shared/workflows/executions';
import { type AccessEnv, describeAccess } from './access';
import { env } from './env';
import { describeRunning, describeWaiting, type WorkDeps } from './work';

interface Deps extends WorkDeps {
  cluster: string;
  ec2: EC2Client;
  schedule: () => Promise<ScheduleStatus>;
  /** By workflow, the machines of what may wait for its turn. */
  machines: Readonly<Record<'wake' | 'sleep', string>>;
  rates: Parameters<typeof runningCost>[0];
  access: AccessEnv;
}

/** Every schedule acts each week; two nights are shown. */
const AHEAD = { days: 8, shown: 4 };

/**
 * Tells what the cluster is and does: state, running workflow with its steps and how much longer it takes, what waits behind it, last
 * failure, what is missing, newest snapshot, nodes with their phases, what it costs, how to reach it, what comes next. No secrets.
 */
export const getStatus =
  (deps: Deps): ApiRoute =>
  async () => {
    const { cluster, ec2, store, runs } = deps;
    const [{ lease, ...record }, nodes, address, wake, sleep, schedule] = await Promise.all([
      store.read(),
      describeNodes(ec2, cluster, PRESENT_STATES),
      describeElasticIp(ec2, cluster),
      runs.recent('wake'),
      runs.recent('sleep'),
      deps.schedule(),
    ]);
    const [running, queue] = await Promise.all([
      lease && describeRunning(deps, lease, { wake, sleep }),
      findWaiting(deps.sfn, deps.machines, lease?.owner),
    ]);
    const { state, since, failure, degraded, unreachable, warnings, snapshot, platformAt } = record;
    const shortages = [...(record.seatShortages ?? []), ...(record.shortages ?? [])];
    return {
      statusCode: 200,
      body: {
        cluster,
        state,
        since,
        running,
        /** What has been asked for and waits until `running` has ended. */
        waiting: describeWaiting(queue, running, { wake, sleep }),
        failure,
        degraded,
        shortages: shortages.length > 0 ? shortages : undefined,
        unreachable,
        warnings,
        snapshot,
        platformAt,
        schedule,
        /** How long it takes to wake and to sleep (s). */
        usualSeconds: { wake: usualOf(wake)?.seconds, sleep: usualOf(sleep)?.seconds },
        nodes: nodes.map(toldOf),
        elasticIp: address && { publicIp: address.PublicIp, instanceId: address.InstanceId },
        cost: { currency: 'USD', ...runningCost(deps.rates, nodes, address?.PublicIp) },
        ...describeAccess(deps.access, record),
      },
    };
  };

/** A node as the API tells of it. */
function toldOf(node: NodeInstance) {
  const { startedAt: _, ...told } = node;
  return told;
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
      rates: env,
      access: env,
    }),
  },
  { 'GET /status': getStatus },
);
