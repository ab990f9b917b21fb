import { accessEnvironment } from '../core/access/person';
import { handler as abandonLaunch } from '../lambdas/abandon-launch/handler';
import { handler as acquireLease } from '../lambdas/acquire-lease/handler';
import { handler as associateElasticIp } from '../lambdas/associate-elastic-ip/handler';
import { handler as checkPools } from '../lambdas/check-pools/handler';
import { handler as checkPrerequisites } from '../lambdas/check-prerequisites/handler';
import { handler as checkRestore } from '../lambdas/check-restore/handler';
import { handler as checkTrigger } from '../lambdas/check-trigger/handler';
import { handler as completeLaunch } from '../lambdas/complete-launch/handler';
import { handler as createLoadBalancer } from '../lambdas/create-load-balancer/handler';
import { handler as deleteJoinTokens } from '../lambdas/delete-join-tokens/handler';
import { handler as deleteLoadBalancer } from '../lambdas/delete-load-balancer/handler';
import { handler as deleteStaleNodes } from '../lambdas/delete-stale-nodes/handler';
import { handler as detectIdle } from '../lambdas/detect-idle/handler';
import { handler as drainNodes } from '../lambdas/drain-nodes/handler';
import { handler as findLostNode } from '../lambdas/find-lost-node/handler';
import { handler as installNetwork } from '../lambdas/install-network/handler';
import { handler as lookAfter } from '../lambdas/look-after/handler';
import { handler as mintJoinToken } from '../lambdas/mint-join-token/handler';
import { handler as reconcilePlatform } from '../lambdas/reconcile-platform/handler';
import { handler as mintJoinTokens } from '../lambdas/mint-join-tokens/handler';
import { handler as probeApp } from '../lambdas/probe-app/handler';
import { handler as moveElasticIp } from '../lambdas/move-elastic-ip/handler';
import { handler as pruneSnapshots } from '../lambdas/prune-snapshots/handler';
import { handler as recordDurations } from '../lambdas/record-durations/handler';
import { handler as recordFailure } from '../lambdas/record-failure/handler';
import { handler as recordIncident } from '../lambdas/record-incident/handler';
import { handler as recordNodeLoss } from '../lambdas/record-node-loss/handler';
import { handler as recordRecovery } from '../lambdas/record-recovery/handler';
import { handler as recordSizes } from '../lambdas/record-sizes/handler';
import { handler as recordSuccess } from '../lambdas/record-success/handler';
import { handler as rehearseWake } from '../lambdas/rehearse-wake/handler';
import { handler as restoreEtcd } from '../lambdas/restore-etcd/handler';
import { handler as seekCapacity } from '../lambdas/seek-capacity/handler';
import { handler as sendNotice } from '../lambdas/send-notice/handler';
import { handler as snapshotEtcd } from '../lambdas/snapshot-etcd/handler';
import { handler as startPools } from '../lambdas/start-pools/handler';
import { handler as startSeats } from '../lambdas/start-seats/handler';
import { handler as stopPools } from '../lambdas/stop-pools/handler';
import { handler as stopSeats } from '../lambdas/stop-seats/handler';
import { handler as verifyAsleep } from '../lambdas/verify-asleep/handler';
import { handler as verifyElasticIp } from '../lambdas/verify-elastic-ip/handler';
import { handler as verifySnapshot } from '../lambdas/verify-snapshot/handler';
import { handler as waitForApi } from '../lambdas/wait-for-api/handler';
import { handler as waitForNode } from '../lambdas/wait-for-node/handler';
import { handler as waitForNodes } from '../lambdas/wait-for-nodes/handler';
import { withClients } from '../lambdas/shared/clients/clients';
import { logger } from '../lambdas/shared/clients/logger';
import { hasApiLoadBalancer } from '../core/config/api-access';
import { appOf } from '../core/config/names';
import { ratesEnvironment } from '../core/cost/rates';
import { surroundingsEnvironment } from '../core/cost/running';
import { pricesEnvironment } from '../core/cost/instance-price';
import { bookEnvironment, bookOf } from '../core/schedule/book';
import { ACCOUNT, ELASTIC_IP_ID, type Model, REGION } from './model';

/** One instance of a step's function. */
export type StepFunction = (event: unknown) => Promise<unknown>;

/** What the twin needs of a step's handler. */
interface Handler {
  instance: (environment: NodeJS.ProcessEnv) => StepFunction;
}

/** The handler of every step, by its folder. */
export const STEPS: Readonly<Record<string, Handler>> = {
  'abandon-launch': abandonLaunch,
  'acquire-lease': acquireLease,
  'associate-elastic-ip': associateElasticIp,
  'check-pools': checkPools,
  'check-prerequisites': checkPrerequisites,
  'check-restore': checkRestore,
  'check-trigger': checkTrigger,
  'complete-launch': completeLaunch,
  'create-load-balancer': createLoadBalancer,
  'delete-join-tokens': deleteJoinTokens,
  'delete-load-balancer': deleteLoadBalancer,
  'delete-stale-nodes': deleteStaleNodes,
  'detect-idle': detectIdle,
  'drain-nodes': drainNodes,
  'find-lost-node': findLostNode,
  'install-network': installNetwork,
  'look-after': lookAfter,
  'mint-join-token': mintJoinToken,
  'mint-join-tokens': mintJoinTokens,
  'probe-app': probeApp,
  'move-elastic-ip': moveElasticIp,
  'prune-snapshots': pruneSnapshots,
  'reconcile-platform': reconcilePlatform,
  'record-durations': recordDurations,
  'record-failure': recordFailure,
  'record-incident': recordIncident,
  'record-node-loss': recordNodeLoss,
  'record-recovery': recordRecovery,
  'record-sizes': recordSizes,
  'record-success': recordSuccess,
  'rehearse-wake': rehearseWake,
  'restore-etcd': restoreEtcd,
  'seek-capacity': seekCapacity,
  'send-notice': sendNotice,
  'snapshot-etcd': snapshotEtcd,
  'start-pools': startPools,
  'start-seats': startSeats,
  'stop-pools': stopPools,
  'stop-seats': stopSeats,
  'verify-asleep': verifyAsleep,
  'verify-elastic-ip': verifyElasticIp,
  'verify-snapshot': verifySnapshot,
  'wait-for-api': waitForApi,
  'wait-for-node': waitForNode,
  'wait-for-nodes': waitForNodes,
};

/** Every environment variable that a step may ask for; each takes what its schema names. */
export function environmentOf({ config, names, sns }: Model): NodeJS.ProcessEnv {
  const app = appOf(config);
  const machine = (workflow: string) => `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${names.workflow(workflow)}`;
  return {
    CLUSTER_NAME: config.name,
    TABLE_NAME: names.table,
    TOPIC_ARN: sns.topicArn,
    BUCKET_NAME: names.bucket(ACCOUNT, REGION),
    KEEP_HOURLY_DAYS: String(config.snapshots.keepHourlyDays),
    KEEP_DAILY_DAYS: String(config.snapshots.keepDailyDays),
    ELASTIC_IP_ID,
    DOMAIN: config.app.domain ?? '',
    // The twin asks nobody outside.
    SOURCES: '',
    WAITING_PAGE: String(app.hasWaitingPage),
    PROBE: app.probe,
    APP_HOST: app.host,
    PROBE_PATH: app.probePath,
    CERTIFICATES: app.certificates,
    ...bookEnvironment(bookOf(config), new Date()),
    IDLE: JSON.stringify(config.idle),
    ...accessEnvironment(config.access),
    ...pricesEnvironment(config),
    ...ratesEnvironment(config),
    ...surroundingsEnvironment(config),
    SLEEP_MACHINE_ARN: machine('sleep'),
    WAKE_MACHINE_ARN: machine('wake'),
    BOOTSTRAP_MACHINE_ARN: machine('bootstrap'),
    RECOVER_POOLS_MACHINE_ARN: machine('recover-pools'),
    JOIN_NODE_MACHINE_ARN: machine('join-node'),
    APP_URL: app.url,
    PAGE_URL: 'https://id.execute-api.us-east-1.amazonaws.com',
    WEBHOOKS: JSON.stringify(config.notifications.webhooks),
    WEBHOOK_PARAMETER_ROOT: names.webhookParameterRoot,
    LINK_KEY_PARAMETER: names.linkKeyParameter,
    KMS_KEY_ID: 'alias/aws/ssm',
    API_ACCESS: hasApiLoadBalancer(config) ? 'load-balancer' : 'tunnel',
    SUBNET_IDS: config.zones.map((zone) => `subnet-${zone}`).join(','),
    SECURITY_GROUP_ID: 'sg-0123456789abcdef0',
    TARGET_GROUP_ARN: `arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/${config.name}-api/1`,
  };
}

/** A step's function on a model of AWS: the real handler with its real schemas, environment check and lease. */
export function makeStep(model: Model, name: string): StepFunction {
  const handler = STEPS[name];
  if (!handler) throw new Error(`There is no step ${name}`);
  // What the steps log is for an operator; the twin has the calls and the history.
  logger.setLogLevel('SILENT');
  return withClients(model.clients(name), () => handler.instance(environmentOf(model)));
}
