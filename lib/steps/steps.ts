import type * as z from 'zod';
import { env as abandonLaunch } from '../../lambdas/abandon-launch/env';
import { env as acquireLease } from '../../lambdas/acquire-lease/env';
import { env as associateElasticIp } from '../../lambdas/associate-elastic-ip/env';
import { env as checkPools } from '../../lambdas/check-pools/env';
import { env as checkPrerequisites } from '../../lambdas/check-prerequisites/env';
import { env as checkRestore } from '../../lambdas/check-restore/env';
import { env as checkTrigger } from '../../lambdas/check-trigger/env';
import { env as completeLaunch } from '../../lambdas/complete-launch/env';
import { env as createLoadBalancer } from '../../lambdas/create-load-balancer/env';
import { env as deleteJoinTokens } from '../../lambdas/delete-join-tokens/env';
import { env as deleteLoadBalancer } from '../../lambdas/delete-load-balancer/env';
import { env as deleteStaleNodes } from '../../lambdas/delete-stale-nodes/env';
import { env as detectIdle } from '../../lambdas/detect-idle/env';
import { env as drainNodes } from '../../lambdas/drain-nodes/env';
import { env as findLostNode } from '../../lambdas/find-lost-node/env';
import { env as getReport } from '../../lambdas/get-report/env';
import { env as getStatus } from '../../lambdas/get-status/env';
import { env as installNetwork } from '../../lambdas/install-network/env';
import { env as issueCertificate } from '../../lambdas/issue-certificate/env';
import { env as keepAwake } from '../../lambdas/keep-awake/env';
import { env as lookAfter } from '../../lambdas/look-after/env';
import { env as manageLinks } from '../../lambdas/manage-links/env';
import { env as mintJoinToken } from '../../lambdas/mint-join-token/env';
import { env as mintJoinTokens } from '../../lambdas/mint-join-tokens/env';
import { env as moveElasticIp } from '../../lambdas/move-elastic-ip/env';
import { env as probeApp } from '../../lambdas/probe-app/env';
import { env as pruneSnapshots } from '../../lambdas/prune-snapshots/env';
import { env as postponeSleep } from '../../lambdas/postpone-sleep/env';
import { env as reconcilePlatform } from '../../lambdas/reconcile-platform/env';
import { env as recordDurations } from '../../lambdas/record-durations/env';
import { env as recordFailure } from '../../lambdas/record-failure/env';
import { env as recordIncident } from '../../lambdas/record-incident/env';
import { env as recordNodeLoss } from '../../lambdas/record-node-loss/env';
import { env as recordRecovery } from '../../lambdas/record-recovery/env';
import { env as recordSizes } from '../../lambdas/record-sizes/env';
import { env as recordSuccess } from '../../lambdas/record-success/env';
import { env as rehearseWake } from '../../lambdas/rehearse-wake/env';
import { env as requestSleep } from '../../lambdas/request-sleep/env';
import { env as requestWake } from '../../lambdas/request-wake/env';
import { env as restoreEtcd } from '../../lambdas/restore-etcd/env';
import { env as skipNext } from '../../lambdas/skip-next/env';
import { env as seekCapacity } from '../../lambdas/seek-capacity/env';
import { env as sendNotice } from '../../lambdas/send-notice/env';
import { env as servePage } from '../../lambdas/serve-page/env';
import { env as snapshotEtcd } from '../../lambdas/snapshot-etcd/env';
import { env as startPools } from '../../lambdas/start-pools/env';
import { env as startSeats } from '../../lambdas/start-seats/env';
import { env as stopPools } from '../../lambdas/stop-pools/env';
import { env as stopSeats } from '../../lambdas/stop-seats/env';
import { env as verifyAsleep } from '../../lambdas/verify-asleep/env';
import { env as verifyElasticIp } from '../../lambdas/verify-elastic-ip/env';
import { env as verifySnapshot } from '../../lambdas/verify-snapshot/env';
import { env as waitForApi } from '../../lambdas/wait-for-api/env';
import { env as waitForNode } from '../../lambdas/wait-for-node/env';
import { env as waitForNodes } from '../../lambdas/wait-for-nodes/env';
import type { accessEnvironment } from '../../core/access/person';
import type { appOf } from '../../core/config/names';
import type { ClusterConfig } from '../../core/config/schema';
import type { Statement } from '../constructs/access/statement';
import type { pricesEnvironment } from '../../core/cost/instance-price';
import type { ratesEnvironment } from '../../core/cost/rates';
import type { surroundingsEnvironment } from '../../core/cost/running';
import type { bookEnvironment } from '../../core/schedule/book';
import type { CommandName } from '../constructs/commands/run-commands';
import { type GrantContext, grantsFor, workflowArn } from './grants';

/** What the steps are told about the cluster that they work on. */
export interface StepContext extends GrantContext {
  tableName: string;
  elasticIpId: string;
  apiAccess: ClusterConfig['apiAccess'];
  snapshots: ClusterConfig['snapshots'];
  app: ReturnType<typeof appOf>;
  /** Addresses from which nodes and platform take what they need. */
  sources: readonly string[];
  /** Host name of the app; undefined without one. */
  domain: string | undefined;
  /** The schedules and holidays, as functions are told of them. */
  book: ReturnType<typeof bookEnvironment>;
  idle: ClusterConfig['idle'];
  /** Who gets into Kubernetes, as functions are told of it. */
  access: ReturnType<typeof accessEnvironment>;
  /** What instance types cost, as functions are told of it. */
  prices: ReturnType<typeof pricesEnvironment>;
  /** Address of the page. */
  pageUrl: string;
  /** Who hears of news beside e-mail. */
  webhooks: ClusterConfig['notifications']['webhooks'];
  /** What the cluster costs awake and asleep. */
  rates: ReturnType<typeof ratesEnvironment>;
  /** What is billed around the instances. */
  surroundings: ReturnType<typeof surroundingsEnvironment>;
  subnetIds: readonly string[];
  apiSecurityGroupId: string;
  apiTargetGroupArn: string;
}

/** One Lambda function: what it is told and what it may do. */
export interface Step {
  /** The handler's own schema of its environment. */
  env: z.ZodObject;
  environment: Readonly<Record<string, string>>;
  grants: readonly Statement[];
}

/** A step whose environment is checked against its handler's schema by the compiler. */
function step<Env extends z.ZodObject>(
  env: Env,
  environment: z.input<Env> & Record<string, string>,
  ...grants: (Statement | Statement[])[]
): Step {
  return { env, environment, grants: grants.flat() };
}

/** Workflows that hold the lease, and so may be found as its dead holder. */
const LEASED_WORKFLOWS = ['bootstrap', 'wake', 'sleep', 'install-platform', 'restore-etcd'];
/** Workflows beside it: they change nothing that a workflow under the lease relies on. */
const UNLEASED_WORKFLOWS = ['snapshot-etcd', 'handle-node-loss', 'recover-pools'];

/** Workflows whose durations are kept. */
const TIMED_WORKFLOWS = ['bootstrap', 'wake', 'sleep'];

/**
 * The one table of steps: from it come functions, environments and roles, and the state machines may invoke exactly
 * the steps that their files name. The key is the folder below `lambdas/`.
 */
export function stepsOf(context: StepContext) {
  const may = grantsFor(context);
  const { names } = context;
  const cluster = { CLUSTER_NAME: names.cluster };
  const store = { ...cluster, TABLE_NAME: context.tableName };
  const news = { ...store, TOPIC_ARN: context.topicArn };
  const cost = { ...news, ...context.prices };
  const elasticIp = { ...store, ELASTIC_IP_ID: context.elasticIpId };
  const loadBalancer = {
    API_ACCESS: context.apiAccess,
    SUBNET_IDS: context.subnetIds.join(','),
    SECURITY_GROUP_ID: context.apiSecurityGroupId,
    TARGET_GROUP_ARN: context.apiTargetGroupArn,
  };
  const bucket = { ...store, BUCKET_NAME: names.bucket(context.stack.account, context.stack.region) };
  const key = may.useKey('Decrypt', 'GenerateDataKey');
  const read = [may.readTable(), key].flat();
  /** Steps under the lease write how far it has come, and by that learn whether they still hold it. */
  const lease = (...attributes: Parameters<typeof may.record>) => [may.record('progress', ...attributes), key].flat();
  /** Steps that run a command keep a record of what they sent. */
  const command = (name: CommandName) =>
    [may.sentCommands(name), may.runCommand(name), may.describeInstances(), key].flat();
  /** What is written where the lease is given back. */
  const given = ['lease', 'last', 'beforeState', 'beforeSince', 'shortages', 'seatShortages'] as const;
  /** How one run more went, in the history of its month. */
  const history = may.items('WriteHistory', ['month#*'], 'UpdateItem');
  const happened = (key: string) => may.items('WriteEvents', [`event#${key}`], 'PutItem');
  /** Launches of a group that failed in a row: begun anew. */
  const forgetLaunches = may.items('ForgetLaunches', ['breaker#*'], 'DeleteItem');
  const makeLinks = may.items('MakeLinks', ['links'], 'UpdateItem');
  const overrides = may.items('WriteOverrides', ['overrides'], 'UpdateItem');
  const noticeLink = { LINK_KEY_PARAMETER: names.linkKeyParameter, PAGE_URL: context.pageUrl };
  const idle = { IDLE: JSON.stringify(context.idle) };
  const machines = {
    SLEEP_MACHINE_ARN: workflowArn(context.stack, names, 'sleep'),
    WAKE_MACHINE_ARN: workflowArn(context.stack, names, 'wake'),
  };
  /** What look-after starts or looks for beside them. */
  const careMachines = {
    BOOTSTRAP_MACHINE_ARN: workflowArn(context.stack, names, 'bootstrap'),
    RECOVER_POOLS_MACHINE_ARN: workflowArn(context.stack, names, 'recover-pools'),
    JOIN_NODE_MACHINE_ARN: workflowArn(context.stack, names, 'join-node'),
  };
  const findAll = [may.describeGroups(), may.describeInstances()];
  /** Steps that look for pools that are not up let those fall back to on-demand that may. */
  const seekPools = [
    ...findAll,
    may.items('WriteFallbacks', ['fallback#*'], 'UpdateItem'),
    may.describeActivities(),
    may.poolGroups('UpdateAutoScalingGroup'),
  ];

  return {
    'acquire-lease': step(
      acquireLease,
      store,
      read,
      may.record('lease', 'progress', 'state', 'since', 'beforeState', 'beforeSince', 'wanted'),
      may.executions(LEASED_WORKFLOWS, 'DescribeExecution'),
    ),
    'record-sizes': step(
      recordSizes,
      store,
      lease('sizes'),
      may.describeGroups(),
      may.poolGroups('UpdateAutoScalingGroup'),
    ),
    'drain-nodes': step(drainNodes, store, lease('drainedAt'), command('drain-nodes')),
    'snapshot-etcd': step(snapshotEtcd, store, may.readTable(), lease(), command('snapshot-etcd')),
    'verify-snapshot': step(verifySnapshot, bucket, lease('snapshot'), may.listSnapshots(), may.readSnapshots()),
    'prune-snapshots': step(
      pruneSnapshots,
      {
        ...bucket,
        KEEP_HOURLY_DAYS: String(context.snapshots.keepHourlyDays),
        KEEP_DAILY_DAYS: String(context.snapshots.keepDailyDays),
      },
      read,
      may.record('snapshotFailure'),
      may.listSnapshots(),
      may.deleteSnapshots(),
    ),
    'check-restore': step(checkRestore, bucket, lease(), findAll, may.listSnapshots(), may.readSnapshots()),
    'restore-etcd': step(restoreEtcd, store, lease(), command('restore-etcd'), happened('*')),
    'find-lost-node': step(findLostNode, store, read, may.describeInstances()),
    'move-elastic-ip': step(
      moveElasticIp,
      { ...cluster, ELASTIC_IP_ID: context.elasticIpId },
      may.describeInstances(),
      may.describeAddresses(),
      may.associateElasticIp(),
    ),
    'record-node-loss': step(recordNodeLoss, news, happened('node#*'), key, may.notify()),
    'record-incident': step(
      recordIncident,
      news,
      read,
      may.record('snapshotFailure'),
      happened('*'),
      may.executions(UNLEASED_WORKFLOWS, 'GetExecutionHistory'),
      may.notify(),
    ),
    'stop-pools': step(
      stopPools,
      store,
      lease(),
      findAll,
      may.poolGroups('UpdateAutoScalingGroup', 'EnterStandby', 'CompleteLifecycleAction'),
      may.poolInstances('StopInstances'),
    ),
    'delete-stale-nodes': step(deleteStaleNodes, store, lease(), command('delete-stale-nodes')),
    'stop-seats': step(
      stopSeats,
      store,
      lease(),
      findAll,
      may.seatGroups('UpdateAutoScalingGroup', 'CompleteLifecycleAction'),
    ),
    'delete-load-balancer': step(
      deleteLoadBalancer,
      store,
      lease('deletedLoadBalancer'),
      may.describeLoadBalancers(),
      may.deleteLoadBalancer(),
    ),
    'delete-join-tokens': step(deleteJoinTokens, store, lease(), may.listJoinTokens(), may.deleteJoinTokens()),
    'verify-asleep': step(
      verifyAsleep,
      store,
      lease(),
      findAll,
      may.describeAddresses(),
      may.describeLoadBalancers(),
      may.listJoinTokens(),
    ),
    'record-durations': step(
      recordDurations,
      store,
      read,
      may.record('progress'),
      may.items('WriteRuns', ['run#*', 'runs#*'], 'PutItem'),
      may.executions(TIMED_WORKFLOWS, 'GetExecutionHistory'),
    ),
    'record-success': step(
      recordSuccess,
      { ...cost, ...context.rates, APP_URL: context.app.url },
      read,
      may.record(
        ...given,
        ...(['progress', 'state', 'since', 'failure', 'sizes', 'degraded', 'unreachable', 'drainedAt'] as const),
        ...(['warnings', 'platformAt'] as const),
      ),
      history,
      may.describeInstances(),
      may.notify(),
    ),
    'record-failure': step(
      recordFailure,
      cost,
      read,
      may.record(...given, 'progress', 'state', 'since', 'failure'),
      history,
      may.describeInstances(),
      may.notify(),
      may.executions(LEASED_WORKFLOWS, 'GetExecutionHistory'),
    ),
    'check-prerequisites': step(
      checkPrerequisites,
      elasticIp,
      read,
      may.record('progress', 'warnings'),
      may.describeGroups(),
      may.describePrerequisites(),
      may.readQuotas(),
    ),
    'start-seats': step(
      startSeats,
      store,
      lease(),
      forgetLaunches,
      findAll,
      may.seatGroups('UpdateAutoScalingGroup', 'ResumeProcesses', 'TerminateInstanceInAutoScalingGroup'),
    ),
    'wait-for-api': step(
      waitForApi,
      store,
      lease('seatShortages'),
      findAll,
      may.describeActivities(),
      may.describeAgents(),
    ),
    'start-pools': step(
      startPools,
      store,
      read,
      may.record('progress'),
      forgetLaunches,
      findAll,
      may.poolGroups('UpdateAutoScalingGroup', 'SuspendProcesses', 'ResumeProcesses', 'ExitStandby'),
      may.poolInstances('StartInstances'),
      may.tagPhase(),
      may.startWithKey(),
    ),
    'create-load-balancer': step(
      createLoadBalancer,
      { ...store, ...loadBalancer },
      read,
      may.record('progress', 'deletedLoadBalancer'),
      may.describeLoadBalancers('elasticloadbalancing:DescribeListeners'),
      may.createLoadBalancer(),
      may.deleteLoadBalancer(),
    ),
    'seek-capacity': step(seekCapacity, store, read, may.record('progress', 'shortages'), seekPools),
    'wait-for-nodes': step(waitForNodes, store, read, may.record('progress', 'shortages'), seekPools),
    'check-pools': step(checkPools, news, read, seekPools, may.notify()),
    'record-recovery': step(
      recordRecovery,
      news,
      read,
      may.record('progress', 'state', 'since', 'recoveredBy', 'degraded', 'unreachable'),
      may.notify(),
    ),
    'verify-elastic-ip': step(verifyElasticIp, elasticIp, lease(), may.describeAddresses(), may.describeInstances()),
    'probe-app': step(
      probeApp,
      {
        ...store,
        PROBE: context.app.probe,
        APP_HOST: context.app.host,
        PROBE_PATH: context.app.probePath,
        CERTIFICATES: context.app.certificates,
      },
      lease('certificateUntil'),
    ),
    'install-network': step(installNetwork, store, lease(), command('install-network')),
    'reconcile-platform': step(reconcilePlatform, store, lease(), command('reconcile-platform'), may.describeGroups()),
    'associate-elastic-ip': step(
      associateElasticIp,
      { ...cluster, ELASTIC_IP_ID: context.elasticIpId },
      may.describeInstances(),
      may.describeAddresses(),
      may.associateElasticIp(),
    ),
    'mint-join-token': step(mintJoinToken, store, command('mint-join-token')),
    'mint-join-tokens': step(mintJoinTokens, store, lease(), command('mint-join-token'), may.describeGroups()),
    'wait-for-node': step(waitForNode, cluster, may.describeInstances()),
    'complete-launch': step(completeLaunch, store, forgetLaunches, key, may.groups('CompleteLifecycleAction')),
    'abandon-launch': step(
      abandonLaunch,
      news,
      read,
      may.items('RememberLaunches', ['launch#*'], 'PutItem'),
      may.items('CountLaunches', ['breaker#*'], 'UpdateItem'),
      happened('*'),
      findAll,
      may.groups('CompleteLifecycleAction', 'SuspendProcesses'),
      may.notify(),
    ),
    'check-trigger': step(
      checkTrigger,
      { ...news, ...context.book },
      read,
      overrides,
      may.items('WriteTriggers', ['trigger#*', 'skip#*'], 'PutItem'),
      may.notify(),
    ),
    'look-after': step(
      lookAfter,
      { ...cost, ...elasticIp, ...loadBalancer, ...context.book, ...machines, ...careMachines, ...noticeLink },
      read,
      may.record(...given, 'progress', 'state', 'since', 'failure', 'care', 'drainedAt', 'warnings'),
      history,
      makeLinks,
      may.items('WriteSchedules', ['schedules'], 'PutItem'),
      command('uncordon-nodes'),
      may.readLinkKey(),
      may.describeGroups(),
      may.describeAddresses(),
      may.describeLoadBalancers('elasticloadbalancing:DescribeListeners'),
      may.createLoadBalancer(),
      may.executions([...LEASED_WORKFLOWS, 'join-node'], 'DescribeExecution', 'GetExecutionHistory'),
      may.listExecutions('join-node', 'recover-pools'),
      may.startWorkflow('sleep', 'wake', 'bootstrap', 'recover-pools'),
      may.groups('TerminateInstanceInAutoScalingGroup', 'CompleteLifecycleAction'),
      may.associateElasticIp(),
      may.notify(),
    ),
    'rehearse-wake': step(
      rehearseWake,
      {
        ...bucket,
        TOPIC_ARN: context.topicArn,
        DOMAIN: context.domain ?? '',
        WAITING_PAGE: String(context.app.hasWaitingPage),
        CERTIFICATES: context.app.certificates,
        SOURCES: context.sources.join(' '),
      },
      read,
      may.describeGroups(),
      may.describePrerequisites(),
      may.describeOfferings(),
      may.readQuotas(),
      may.listSnapshots(),
      may.readSnapshots(),
      may.notify(),
    ),
    'detect-idle': step(
      detectIdle,
      { ...news, ...idle, ...noticeLink, SLEEP_MACHINE_ARN: machines.SLEEP_MACHINE_ARN },
      read,
      makeLinks,
      may.items('WriteIdle', ['idle'], 'PutItem'),
      command('measure-activity'),
      may.readLinkKey(),
      may.describeSessions(),
      may.executions(LEASED_WORKFLOWS, 'DescribeExecution'),
      may.notify(),
      may.startWorkflow('sleep'),
    ),
    'keep-awake': step(keepAwake, { ...store, SCHEDULES: context.book.SCHEDULES }, overrides, key),
    'skip-next': step(skipNext, { ...store, ...context.book }, read, overrides),
    'postpone-sleep': step(postponeSleep, { ...store, ...idle }, overrides, key),
    'request-sleep': step(
      requestSleep,
      { ...store, SLEEP_MACHINE_ARN: machines.SLEEP_MACHINE_ARN },
      read,
      may.executions(LEASED_WORKFLOWS, 'DescribeExecution', 'GetExecutionHistory'),
      may.startWorkflow('sleep'),
    ),
    'request-wake': step(
      requestWake,
      { ...store, WAKE_MACHINE_ARN: machines.WAKE_MACHINE_ARN },
      read,
      may.executions(LEASED_WORKFLOWS, 'DescribeExecution', 'GetExecutionHistory'),
      may.startWorkflow('wake'),
    ),
    'serve-page': step(
      servePage,
      {
        ...{ ...store, ...context.book, ...context.rates, ...idle, ...machines },
        LINK_KEY_PARAMETER: names.linkKeyParameter,
        APP_URL: context.app.url,
      },
      read,
      may.items('CountUses', ['link#*'], 'UpdateItem'),
      happened('*#link-*'),
      may.readLinkKey(),
      may.executions(LEASED_WORKFLOWS, 'DescribeExecution', 'GetExecutionHistory'),
      may.listExecutions('wake', 'sleep'),
      may.startWorkflow('wake', 'sleep'),
    ),
    'send-notice': step(
      sendNotice,
      {
        ...cluster,
        WEBHOOKS: JSON.stringify(context.webhooks),
        WEBHOOK_PARAMETER_ROOT: names.webhookParameterRoot,
      },
      may.readWebhooks(),
      key,
    ),
    'issue-certificate': step(issueCertificate, { ...store, ...context.access }, command('issue-certificate')),
    'manage-links': step(
      manageLinks,
      {
        ...store,
        LINK_KEY_PARAMETER: names.linkKeyParameter,
        KMS_KEY_ID: context.kmsKeyArn ?? 'alias/aws/ssm',
      },
      may.readTable(),
      makeLinks,
      may.useKey('Decrypt', 'Encrypt', 'GenerateDataKey'),
      may.readLinkKey(),
      may.writeLinkKey(),
    ),
    'get-report': step(getReport, { ...store, ...context.book, ...context.rates }, read),
    'get-status': step(
      getStatus,
      {
        ...{ ...store, ...context.book, ...machines, ...context.prices, ...context.surroundings },
        APP_URL: context.app.url,
        PROBE: context.app.probe,
        API_ACCESS: context.apiAccess,
      },
      read,
      may.describeInstances(),
      may.describeAddresses(),
      may.executions(LEASED_WORKFLOWS, 'GetExecutionHistory'),
      may.listExecutions('wake', 'sleep'),
    ),
  } satisfies Record<string, Step>;
}

export type StepName = keyof ReturnType<typeof stepsOf>;

/** `DrainNodes` for `drain-nodes`: the name of a step's or workflow's state, construct and placeholder. */
export function pascalCase(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}
