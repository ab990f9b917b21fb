import { join } from 'node:path';
import { CfnOutput, Duration, Lazy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { accessEnvironment } from '../../core/access/person';
import { seatPlaces } from '../../core/config/addresses';
import { hasApiLoadBalancer } from '../../core/config/api-access';
import { appOf, functionLogGroup, namesOf, workflowLogGroup } from '../../core/config/names';
import type { ClusterConfig } from '../../core/config/schema';
import { AppFront } from '../constructs/app-front/app-front';
import { ClusterAlarms } from '../constructs/alarms/cluster-alarms';
import { ClusterDashboard } from '../constructs/dashboard/cluster-dashboard';
import { CareRules } from '../constructs/care-rules/care-rules';
import { JoinRule } from '../constructs/join-rule/join-rule';
import { NodeLossRules } from '../constructs/node-loss-rules/node-loss-rules';
import { Notifications } from '../constructs/notifications/notifications';
import { ClusterSchedules } from '../constructs/schedule/cluster-schedules';
import { SnapshotSchedule } from '../constructs/snapshot-schedule/snapshot-schedule';
import { type LogLevel, StepLambda } from '../constructs/step-lambda/step-lambda';
import { WorkflowQueries } from '../constructs/queries/workflow-queries';
import { WakeApi } from '../constructs/wake-api/wake-api';
import { Workflow } from '../constructs/workflow/workflow';
import { estimateCost } from '../../core/cost/estimate';
import { HOURS_PER_MONTH } from '../../core/cost/prices';
import { ratesEnvironment } from '../../core/cost/rates';
import { surroundingsEnvironment } from '../../core/cost/running';
import { pricesEnvironment } from '../../core/cost/instance-price';
import { bookEnvironment, bookOf } from '../../core/schedule/book';
import { platformSources } from '../platform';
import { pascalCase, stepsOf, type StepName } from '../steps/steps';
import type { ClusterStack } from './cluster-stack';
import type { FoundationStack } from './foundation-stack';

/** Steps that answer requests: their logs are not about workflows. */
const API_STEPS: ReadonlySet<StepName> = new Set<StepName>(['get-report', 'get-status', 'manage-links', 'serve-page']);

/** Folders that the operations stack takes its code from. */
export interface OperationsCode {
  /** Bundles of the steps: `<step>/index.js`. */
  lambdas: string;
  /** Definitions of the workflows: `<workflow>.asl.json`. */
  stateMachines: string;
}

export interface OperationsStackProps extends StackProps {
  config: ClusterConfig;
  foundation: FoundationStack;
  cluster: ClusterStack;
  code: OperationsCode;
  logLevel: LogLevel;
}

/** What runs the cluster's life: steps, workflows, schedules, wake API, alarms. Deleting it stops and loses nothing. */
export class OperationsStack extends Stack {
  readonly steps: Readonly<Record<StepName, StepLambda>>;
  readonly workflows: Readonly<Record<string, Workflow>>;

  constructor(scope: Construct, id: string, props: OperationsStackProps) {
    const { config, foundation, cluster, code, logLevel, ...stackProps } = props;
    super(scope, id, stackProps);
    const names = namesOf(config.name);
    const logRetentionDays = config.logRetentionDays;

    const { topic } = new Notifications(this, 'Notifications', {
      cluster: config.name,
      email: config.notifications.email,
      monthlyUsd: config.budget.monthlyUsd,
      region: config.region,
    });

    // Known once the API is made, of functions that are made before it.
    let pageUrl = '';
    const definitions = stepsOf({
      stack: this,
      names,
      tableArn: foundation.table.tableArn,
      tableName: names.table,
      topicArn: topic.topicArn,
      pageUrl: Lazy.string({ produce: () => pageUrl }),
      webhooks: config.notifications.webhooks,
      kmsKeyArn: config.encryption.kmsKeyArn,
      elasticIpId: foundation.elasticIp.attrAllocationId,
      apiAccess: hasApiLoadBalancer(config) ? 'load-balancer' : 'tunnel',
      snapshots: config.snapshots,
      app: appOf(config),
      sources: platformSources(config),
      domain: config.app.domain,
      book: bookEnvironment(bookOf(config), new Date()),
      idle: config.idle,
      access: accessEnvironment(config.access),
      prices: pricesEnvironment(config),
      rates: ratesEnvironment(config),
      surroundings: surroundingsEnvironment(config),
      subnetIds: seatPlaces(config).map(({ zone }) => foundation.network.subnetIds[zone] ?? ''),
      apiSecurityGroupId: cluster.securityGroups.apiLoadBalancer.attrGroupId,
      apiTargetGroupArn: cluster.apiTarget.targetGroupArn,
    });
    const step = (name: StepName) =>
      new StepLambda(this, pascalCase(name), {
        step: name,
        functionName: names.step(name),
        definition: definitions[name],
        codePath: join(code.lambdas, name),
        logRetentionDays,
        logLevel,
      });
    const stepNames = Object.keys(definitions) as StepName[];
    this.steps = Object.fromEntries(stepNames.map((name) => [name, step(name)])) as Record<StepName, StepLambda>;

    const workflow = (name: string, workflows: Record<string, Workflow> = {}) =>
      new Workflow(this, `${pascalCase(name)}Workflow`, {
        stateMachineName: names.workflow(name),
        file: join(code.stateMachines, `${name}.asl.json`),
        steps: this.steps,
        workflows,
        logRetentionDays,
      });
    const installPlatform = workflow('install-platform');
    const children = { 'install-platform': installPlatform };
    const recoverPools = workflow('recover-pools', children);
    const bootstrap = workflow('bootstrap', children);
    const wake = workflow('wake', children);
    const sleep = workflow('sleep');
    const joinNode = workflow('join-node');
    const alarmed = { bootstrap, wake, sleep, 'install-platform': installPlatform, 'join-node': joinNode };
    // Their failures are told by themselves: only ten alarms are free.
    const snapshotEtcd = workflow('snapshot-etcd');
    const handleNodeLoss = workflow('handle-node-loss');
    const others = {
      'snapshot-etcd': snapshotEtcd,
      'restore-etcd': workflow('restore-etcd'),
      'handle-node-loss': handleNodeLoss,
      'recover-pools': recoverPools,
    };
    this.workflows = { ...alarmed, ...others };

    const deadLetters = new Queue(this, 'LostTriggers', {
      queueName: `${config.name}-lost-triggers`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is the dead-letter queue, of schedules and of the rules for joins and losses',
    });
    new ClusterSchedules(this, 'Schedules', {
      cluster: config.name,
      schedules: config.schedules,
      sleep: sleep.stateMachine,
      wake: wake.stateMachine,
      lookAfter: this.steps['look-after'].function,
      rehearseWake: this.steps['rehearse-wake'].function,
      detectIdle: config.idle.enabled ? this.steps['detect-idle'].function : undefined,
      deadLetters,
    });
    new JoinRule(this, 'Joins', {
      ruleName: `${config.name}-joins`,
      groupNames: cluster.launchingGroups,
      joinNode: joinNode.stateMachine,
      deadLetters,
    });
    new NodeLossRules(this, 'NodeLosses', {
      cluster: config.name,
      groupNames: cluster.groupNames,
      handleNodeLoss: handleNodeLoss.stateMachine,
      deadLetters,
    });
    new CareRules(this, 'Care', {
      cluster: config.name,
      groupNames: cluster.groupNames,
      workflows: [bootstrap, wake, sleep].map(({ stateMachine }) => stateMachine),
      lookAfter: this.steps['look-after'].function,
    });
    new SnapshotSchedule(this, 'Snapshots', {
      cluster: config.name,
      everyMinutes: config.snapshots.everyMinutes,
      snapshotEtcd: snapshotEtcd.stateMachine,
    });
    const { api } = new WakeApi(this, 'WakeApi', {
      apiName: config.name,
      routes: {
        'POST /wake': this.steps['request-wake'].function,
        'POST /sleep': this.steps['request-sleep'].function,
        'GET /status': this.steps['get-status'].function,
        'GET /runs': this.steps['get-report'].function,
        'GET /schedule': this.steps['get-report'].function,
        'GET /cost': this.steps['get-report'].function,
        'POST /certificates': this.steps['issue-certificate'].function,
        'GET /links': this.steps['manage-links'].function,
        'POST /links': this.steps['manage-links'].function,
        'DELETE /links/{id}': this.steps['manage-links'].function,
        'GET /openapi.json': this.steps['get-report'].function,
        'GET /': this.steps['serve-page'].function,
        'GET /.drowse/waiting': this.steps['serve-page'].function,
        'GET /link/view': this.steps['serve-page'].function,
        'GET /link/status': this.steps['serve-page'].function,
        'GET /link/wait': this.steps['serve-page'].function,
        'POST /link/session': this.steps['serve-page'].function,
        'POST /link/leave': this.steps['serve-page'].function,
        'POST /link/wake': this.steps['serve-page'].function,
        'POST /link/sleep': this.steps['serve-page'].function,
        'POST /link/keep-awake': this.steps['serve-page'].function,
        'POST /link/end-keep-awake': this.steps['serve-page'].function,
        'POST /link/skip-next': this.steps['serve-page'].function,
        'POST /link/unskip': this.steps['serve-page'].function,
        'POST /link/postpone-sleep': this.steps['serve-page'].function,
        'PUT /keep-awake': this.steps['keep-awake'].function,
        'DELETE /keep-awake': this.steps['keep-awake'].function,
        'PUT /skip-next': this.steps['skip-next'].function,
        'DELETE /skip-next': this.steps['skip-next'].function,
        'POST /postpone-sleep': this.steps['postpone-sleep'].function,
      },
      logRetentionDays,
    });
    pageUrl = api.apiEndpoint;
    const { domain, waitingPage } = config.app;
    if (domain !== undefined && waitingPage !== undefined) {
      const { domainName } = new AppFront(this, 'Front', {
        ...{ cluster: config.name, domain, ...waitingPage, region: config.region },
        elasticIp: foundation.elasticIp.ref,
        apiEndpoint: api.apiEndpoint,
      });
      new CfnOutput(this, 'AppFront', { value: domainName });
    }
    if (config.notifications.webhooks.length > 0) {
      topic.addSubscription(new LambdaSubscription(this.steps['send-notice'].function));
    }
    const { alarms } = new ClusterAlarms(this, 'Alarms', {
      cluster: config.name,
      topic,
      workflows: machinesOf(alarmed),
      deadLetters,
      seatGroups: seatPlaces(config).map(({ seat }) => namesOf(config.name).seatGroup(seat)),
    });

    const logGroups = Object.keys(this.workflows).map((name) => workflowLogGroup(names.workflow(name)));
    if (config.dashboard.enabled) {
      const { awakePerHour, asleepPerMonth } = estimateCost(config);
      new ClusterDashboard(this, 'Overview', {
        cluster: config.name,
        workflows: machinesOf(this.workflows),
        logGroups,
        seats: config.controlPlane.seats,
        rates: { awake: awakePerHour, asleep: asleepPerMonth / HOURS_PER_MONTH },
        alarms,
      });
    }
    new WorkflowQueries(this, 'Queries', {
      cluster: config.name,
      workflows: logGroups,
      // The steps of a sleep and a wake fit; the API's own are left out.
      steps: stepNames.filter((name) => !API_STEPS.has(name)).map((name) => functionLogGroup(names.step(name))),
    });

    for (const [name, { stateMachine }] of Object.entries(this.workflows)) {
      new CfnOutput(this, `${pascalCase(name)}MachineArn`, { value: stateMachine.stateMachineArn });
    }
    new CfnOutput(this, 'ApiId', { value: api.apiId });
    new CfnOutput(this, 'ApiUrl', { value: api.apiEndpoint });
    new CfnOutput(this, 'TopicArn', { value: topic.topicArn });
  }
}

/** State machines by the names of their workflows. */
function machinesOf(workflows: Readonly<Record<string, Workflow>>): Record<string, IStateMachine> {
  return Object.fromEntries(Object.entries(workflows).map(([name, { stateMachine }]) => [name, stateMachine]));
}
