import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { type namesOf, QUOTA, TAG } from '../../core/config/names';
import { type Statement, WHY } from '../constructs/access/statement';
import type { ClusterRecord } from '../../core/record/cluster-record';
import type { CommandName } from '../constructs/commands/run-commands';
import { servicePrincipalName } from '../constructs/access/service-principal';

export interface GrantContext {
  stack: Stack;
  names: ReturnType<typeof namesOf>;
  tableArn: string;
  /** Topic of what a person should hear of. */
  topicArn: string;
  /** The user's own key; none with AWS's own. */
  kmsKeyArn: string | undefined;
}

/** A kind of call that AWS cannot limit to resources. The access test checks that claim against AWS's own reference. */
const anywhere = (sid: string, ...actions: string[]): Statement => ({
  sid,
  actions,
  resources: ['*'],
  why: WHY.noResourceLevel,
});

/** The service whose role an account needs before its first load balancer. The same name in every partition. */
const ELB = servicePrincipalName('elasticloadbalancing');

type ItemAction = 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem';

/** The permissions that steps are made of, each for one thing that handlers do. */
export function grantsFor({ stack, names, tableArn, topicArn, kmsKeyArn }: GrantContext) {
  const { cluster } = names;
  const tagged = { StringEquals: { [`aws:ResourceTag/${TAG.cluster}`]: cluster } };
  const tagging = { StringEquals: { [`aws:RequestTag/${TAG.cluster}`]: cluster } };
  const ec2Arn = (resource: string) => stack.formatArn({ service: 'ec2', resource, resourceName: '*' });
  const loadBalancerArn = stack.formatArn({
    service: 'elasticloadbalancing',
    resource: 'loadbalancer',
    resourceName: `net/${names.apiLoadBalancer}/*`,
  });
  const listenerArn = stack.formatArn({
    service: 'elasticloadbalancing',
    resource: 'listener',
    resourceName: `net/${names.apiLoadBalancer}/*`,
  });
  const executionArn = (workflow: string) =>
    stack.formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: `${names.workflow(workflow)}:*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  const bucketArn = `arn:${stack.partition}:s3:::${names.bucket(stack.account, stack.region)}`;
  const parameterArn = (name: string) =>
    stack.formatArn({ service: 'ssm', resource: 'parameter', resourceName: name.replace(/^\//, '') });
  const documentArn = (name: string) => stack.formatArn({ service: 'ssm', resource: 'document', resourceName: name });
  const groupArn = (name: string) =>
    stack.formatArn({
      service: 'autoscaling',
      resource: 'autoScalingGroup',
      resourceName: `*:autoScalingGroupName/${name}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  const seatGroupArn = groupArn(`${cluster}-seat-*`);
  const poolGroupArn = groupArn(names.poolGroup('*'));
  const changeGroups = (sid: string, resources: string[], actions: readonly string[]): Statement => ({
    sid,
    actions: actions.map((action) => `autoscaling:${action}`),
    resources,
    conditions: tagged,
    why: WHY.tagged,
  });
  /** The cluster's instances of one role, `seat` or `pool`. */
  const taggedAs = (role: 'seat' | 'pool') => ({
    StringEquals: { ...tagged.StringEquals, [`aws:ResourceTag/${TAG.role}`]: role },
  });

  /**
   * Other items of the table, by their keys (`*` stands for anything); `actions` without “dynamodb:”. DynamoDB limits them by
   * the item that a request is about.
   */
  const items = (sid: string, keys: readonly string[], ...actions: ItemAction[]): Statement => ({
    sid,
    actions: actions.map((action) => `dynamodb:${action}`),
    resources: [tableArn],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': [...keys] } },
  });

  return {
    /** All items of the cluster's table, to look at. */
    readTable: (): Statement => ({ sid: 'ReadTable', actions: ['dynamodb:GetItem'], resources: [tableArn] }),
    /** Attributes of the cluster's record, which a step may write or put conditions on; of the rest it learns nothing back. */
    record: (...attributes: (keyof ClusterRecord | 'progress')[]): Statement => ({
      sid: 'WriteOwnAttributes',
      actions: ['dynamodb:UpdateItem'],
      resources: [tableArn],
      conditions: {
        'ForAllValues:StringEquals': {
          'dynamodb:LeadingKeys': ['cluster'],
          // DynamoDB counts the key among what a request names.
          'dynamodb:Attributes': ['id', ...attributes],
        },
        StringEqualsIfExists: { 'dynamodb:ReturnValues': 'NONE' },
      },
    }),
    items,
    /** What a step remembers of the commands that it sent, so that none is sent twice. */
    sentCommands: (command: CommandName) =>
      items('RememberCommands', [`command#*#${command}`, `command#*#${command}#*`], 'GetItem', 'PutItem', 'DeleteItem'),
    /** Tells people through the cluster's topic; what is to be told is written down before. */
    notify: (): Statement[] => [
      { sid: 'Notify', actions: ['sns:Publish'], resources: [topicArn] },
      items('WriteOutbox', ['outbox'], 'UpdateItem'),
    ],
    useKey: (...actions: string[]): Statement[] =>
      kmsKeyArn === undefined
        ? []
        : [{ sid: 'OwnKey', actions: actions.map((action) => `kms:${action}`), resources: [kmsKeyArn] }],
    /** EC2 decrypts the disks of instances that it starts under a grant of the key, which it makes as the caller. */
    startWithKey: (): Statement[] =>
      kmsKeyArn === undefined
        ? []
        : [
            {
              sid: 'OwnKeyForDisks',
              actions: ['kms:CreateGrant'],
              resources: [kmsKeyArn],
              conditions: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
            },
          ],
    describeGroups: () => anywhere('FindGroups', 'autoscaling:DescribeAutoScalingGroups'),
    describeActivities: () => anywhere('ReadScalingActivities', 'autoscaling:DescribeScalingActivities'),
    describeInstances: () => anywhere('FindInstances', 'ec2:DescribeInstances'),
    describeAddresses: () => anywhere('FindElasticIp', 'ec2:DescribeAddresses'),
    describePrerequisites: () =>
      anywhere(
        'FindPrerequisites',
        'ec2:DescribeAddresses',
        'ec2:DescribeImages',
        'ec2:DescribeInstanceTypes',
        'ec2:DescribeLaunchTemplateVersions',
        'ec2:DescribeVolumes',
      ),
    describeOfferings: () => anywhere('FindOfferings', 'ec2:DescribeInstanceTypeOfferings'),
    readQuotas: (): Statement => ({
      sid: 'ReadQuotas',
      actions: ['servicequotas:GetServiceQuota'],
      resources: Object.values(QUOTA)
        .flatMap((kind) => Object.values(kind))
        .map((code) => stack.formatArn({ service: 'servicequotas', resource: 'ec2', resourceName: code })),
    }),
    describeLoadBalancers: (...more: string[]) =>
      anywhere('FindLoadBalancer', 'elasticloadbalancing:DescribeLoadBalancers', ...more),
    /** Changes to the groups of seats and pools, for example `CompleteLifecycleAction`. */
    groups: (...actions: string[]) => changeGroups('ChangeGroups', [seatGroupArn, poolGroupArn], actions),
    seatGroups: (...actions: string[]) => changeGroups('ChangeSeats', [seatGroupArn], actions),
    poolGroups: (...actions: string[]) => changeGroups('ChangePools', [poolGroupArn], actions),
    /** Changes to the instances of pools, for example `StopInstances`. */
    poolInstances: (...actions: string[]): Statement => ({
      sid: 'ChangeInstances',
      actions: actions.map((action) => `ec2:${action}`),
      resources: [ec2Arn('instance')],
      conditions: taggedAs('pool'),
      why: WHY.tagged,
    }),
    /** Resets the phase of instances of pools, and no other tag. */
    tagPhase: (): Statement => ({
      sid: 'ResetPhase',
      actions: ['ec2:CreateTags'],
      resources: [ec2Arn('instance')],
      conditions: { ...taggedAs('pool'), 'ForAllValues:StringEquals': { 'aws:TagKeys': [TAG.phase, TAG.phaseAt] } },
      why: WHY.tagged,
    }),
    associateElasticIp: (): Statement => ({
      sid: 'MoveElasticIp',
      actions: ['ec2:AssociateAddress', 'ec2:DisassociateAddress'],
      resources: ['elastic-ip', 'instance', 'network-interface'].map(ec2Arn),
      conditions: tagged,
      why: WHY.tagged,
    }),
    /** Lists the snapshots, and nothing else in the bucket. */
    listSnapshots: (): Statement => ({
      sid: 'ListSnapshots',
      actions: ['s3:ListBucket'],
      resources: [bucketArn],
      conditions: { StringLike: { 's3:prefix': 'snapshots/*' } },
    }),
    readSnapshots: (): Statement => ({
      sid: 'ReadSnapshots',
      actions: ['s3:GetObject'],
      resources: [`${bucketArn}/snapshots/*`],
      why: WHY.folder,
    }),
    /** Deletes what lies in folders of snapshots; the sealed authorities beside them are out of its reach. */
    deleteSnapshots: (): Statement => ({
      sid: 'PruneSnapshots',
      actions: ['s3:DeleteObject'],
      resources: [`${bucketArn}/snapshots/*/*`],
      why: WHY.folder,
    }),
    /** Runs a command on the cluster's seats, and reads how it went. */
    runCommand: (command: CommandName): Statement[] => [
      { sid: 'SendDocument', actions: ['ssm:SendCommand'], resources: [documentArn(names.document(command))] },
      {
        sid: 'SendToSeats',
        actions: ['ssm:SendCommand'],
        resources: [ec2Arn('instance')],
        conditions: taggedAs('seat'),
        why: WHY.tagged,
      },
      anywhere('ReadCommand', 'ssm:GetCommandInvocation'),
    ],
    describeAgents: () => anywhere('FindAgents', 'ssm:DescribeInstanceInformation'),
    describeSessions: () => anywhere('FindSessions', 'ssm:DescribeSessions'),
    listJoinTokens: (): Statement => ({
      sid: 'ListJoinTokens',
      actions: ['ssm:GetParametersByPath'],
      resources: [parameterArn(names.joinParameterRoot), parameterArn(`${names.joinParameterRoot}/*`)],
      why: WHY.folder,
    }),
    deleteJoinTokens: (): Statement => ({
      sid: 'DeleteJoinTokens',
      actions: ['ssm:DeleteParameters'],
      resources: [parameterArn(`${names.joinParameterRoot}/*`)],
      why: WHY.folder,
    }),
    readWebhooks: (): Statement => ({
      sid: 'ReadWebhooks',
      actions: ['ssm:GetParameter'],
      resources: [parameterArn(`${names.webhookParameterRoot}/*`)],
      why: WHY.folder,
    }),
    readLinkKey: (): Statement => ({
      sid: 'ReadLinkKey',
      actions: ['ssm:GetParameter'],
      resources: [parameterArn(names.linkKeyParameter)],
    }),
    writeLinkKey: (): Statement => ({
      sid: 'WriteLinkKey',
      actions: ['ssm:PutParameter'],
      resources: [parameterArn(names.linkKeyParameter)],
    }),
    createLoadBalancer: (): Statement[] => [
      // AWS asks for these of whoever makes a load balancer (test/access/support/dependents.ts).
      anywhere(
        'LookAtNetwork',
        'ec2:DescribeAccountAttributes',
        'ec2:DescribeAddresses',
        'ec2:DescribeInternetGateways',
        'ec2:DescribeSecurityGroups',
        'ec2:DescribeSubnets',
        'ec2:DescribeVpcs',
      ),
      {
        sid: 'MakeRoleOfLoadBalancing',
        actions: ['iam:CreateServiceLinkedRole'],
        resources: [
          stack.formatArn({
            service: 'iam',
            region: '',
            resource: 'role',
            resourceName: `aws-service-role/${ELB}/AWSServiceRoleForElasticLoadBalancing`,
          }),
        ],
        conditions: { StringEquals: { 'iam:AWSServiceName': ELB } },
      },
      {
        sid: 'CreateLoadBalancer',
        actions: ['elasticloadbalancing:CreateLoadBalancer'],
        resources: [loadBalancerArn],
        conditions: tagging,
        why: WHY.named,
      },
      {
        sid: 'CreateListener',
        actions: ['elasticloadbalancing:CreateListener'],
        resources: [loadBalancerArn],
        conditions: tagged,
        why: WHY.tagged,
      },
      {
        // AWS asks for this as well where something is made with tags.
        sid: 'TagWhatIsCreated',
        actions: ['elasticloadbalancing:AddTags'],
        resources: [loadBalancerArn, listenerArn],
        conditions: tagging,
        why: WHY.named,
      },
    ],
    deleteLoadBalancer: (): Statement => ({
      sid: 'DeleteLoadBalancer',
      actions: ['elasticloadbalancing:DeleteLoadBalancer'],
      resources: [loadBalancerArn],
      conditions: tagged,
      why: WHY.tagged,
    }),
    /** Reads what became of executions of the named workflows, for example by `DescribeExecution`. */
    executions: (workflows: readonly string[], ...actions: string[]): Statement => ({
      sid: 'ReadExecutions',
      actions: actions.map((action) => `states:${action}`),
      resources: workflows.map(executionArn),
      why: WHY.named,
    }),
    listExecutions: (...workflows: string[]): Statement => ({
      sid: 'ListExecutions',
      actions: ['states:ListExecutions'],
      resources: workflows.map((workflow) => workflowArn(stack, names, workflow)),
    }),
    startWorkflow: (...workflows: string[]): Statement => ({
      sid: 'StartWorkflow',
      actions: ['states:StartExecution'],
      resources: workflows.map((workflow) => workflowArn(stack, names, workflow)),
    }),
  };
}

/** ARN of a workflow by its name: known before the state machine is, which invokes the steps that name it. */
export function workflowArn(stack: Stack, names: GrantContext['names'], workflow: string): string {
  return stack.formatArn({
    service: 'states',
    resource: 'stateMachine',
    resourceName: names.workflow(workflow),
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
