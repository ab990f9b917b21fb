import { namesOf } from '../../../core/config/names';
import type { Call } from '../../../sim/aws/calls';
import type { Model } from '../../../sim/model';
import { ACCOUNT } from '../../support/stacks';
import type { IamRequest } from './evaluate';

const REGION = 'us-east-1';
export const arn = (service: string, rest: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;

type Tags = Readonly<Record<string, string>>;
/** Condition keys for a resource's tags. */
export const tagged = (tags: Tags): Tags =>
  Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]));

/** Fields of the calls' inputs that say which resource is meant. */
interface Input {
  AutoScalingGroupName?: string;
  InstanceId?: string;
  InstanceIds?: string[];
  Resources?: string[];
  Tags?: { Key: string; Value: string }[];
  AllocationId?: string;
  DocumentName?: string;
  Bucket?: string;
  Prefix?: string;
  Key?: string;
  Delete?: { Objects: { Key: string }[] };
  Path?: string;
  Names?: string[];
  Name?: string;
  LoadBalancerArn?: string;
  stateMachineArn?: string;
  executionArn?: string;
  TopicArn?: string;
  ServiceCode?: string;
  QuotaCode?: string;
}

/** Actions that AWS cannot limit to a resource, so that nothing about their input matters to IAM. */
const ANYWHERE =
  /^(ec2|autoscaling|elasticloadbalancing):Describe|^ssm:(GetCommandInvocation|DescribeInstanceInformation|DescribeSessions)$/;

/**
 * What IAM is asked for one recorded call: each resource that it names, with the condition keys that AWS would fill in.
 * @throws Error for an action that is not known here: it must be added before a step may use it
 */
export function requestsOf(call: Call, model: Model): IamRequest[] {
  const action = `${call.service}:${call.action}`;
  if (ANYWHERE.test(action)) return [{ action, resource: '*' }];
  if (call.service === 'dynamodb') {
    // The document client names its commands without “Item”.
    const context = itemContext(call.input);
    return [{ action: `${action}Item`, resource: arn('dynamodb', `table/${model.names.table}`), context }];
  }
  const named = RESOURCES[action];
  if (!named) throw new Error(`The access test does not know which resources ${action} names`);
  return named(call.input as Input, model).map((request) => ({ action, ...request }));
}

/** Fields of DynamoDB's requests by which IAM knows what they touch. */
interface ItemInput {
  Key?: { id: string };
  Item?: { id: string };
  UpdateExpression?: string;
  ConditionExpression?: string;
  ExpressionAttributeNames?: Readonly<Record<string, string>>;
  ReturnValues?: string;
}

/**
 * Condition keys that DynamoDB fills in. `dynamodb:Attributes` are the item's own attributes that a request names, in what it
 * writes and in its condition alike: whatever lies inside one is not told apart.
 */
function itemContext(input: ItemInput): NonNullable<IamRequest['context']> {
  const { Key, Item, UpdateExpression = '', ConditionExpression = '', ExpressionAttributeNames: names = {} } = input;
  const paths = `${UpdateExpression} ${ConditionExpression}`.match(/#\w+(\.#\w+)*/g) ?? [];
  const named = paths.map((path) => names[path.split('.')[0]!]!);
  const attributes = new Set(['id', ...Object.keys(Item ?? {}), ...named]);
  return {
    'dynamodb:LeadingKeys': [(Key ?? Item)!.id],
    ...(UpdateExpression + ConditionExpression !== '' || Item ? { 'dynamodb:Attributes': [...attributes] } : {}),
    ...(input.ReturnValues !== undefined && { 'dynamodb:ReturnValues': input.ReturnValues }),
  };
}

type Named = Omit<IamRequest, 'action'> & { action?: string };

const groupOf = (name: string | undefined, model: Model): Named => ({
  resource: arn('autoscaling', `autoScalingGroup:0a1b:autoScalingGroupName/${name ?? ''}`),
  context: tagged(model.autoScaling.groups.get(name ?? '')?.tags ?? {}),
});
const instanceOf = (id: string, model: Model, more: Named['context'] = {}): Named => ({
  resource: arn('ec2', `instance/${id}`),
  context: { ...tagged(model.ec2.instances.get(id)?.tags ?? {}), ...more },
});
const clusterTag = (model: Model) => ({ 'drowse:cluster': model.config.name });
const changesGroup = ({ AutoScalingGroupName }: Input, model: Model) => [groupOf(AutoScalingGroupName, model)];
const changesInstances = ({ InstanceIds = [] }: Input, model: Model) => InstanceIds.map((id) => instanceOf(id, model));
const namesExecution = ({ executionArn = '' }: Input) => [{ resource: executionArn }];
const readsObject = ({ Bucket = '', Key = '' }: Input) => [
  { action: 's3:GetObject', resource: `arn:aws:s3:::${Bucket}/${Key}` },
];
const requestTags = (tags: Input['Tags'] = []) =>
  Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value]));

const RESOURCES: Readonly<Record<string, (input: Input, model: Model) => Named[]>> = {
  'autoscaling:UpdateAutoScalingGroup': changesGroup,
  'autoscaling:SuspendProcesses': changesGroup,
  'autoscaling:ResumeProcesses': changesGroup,
  'autoscaling:EnterStandby': changesGroup,
  'autoscaling:ExitStandby': changesGroup,
  'autoscaling:CompleteLifecycleAction': changesGroup,
  'autoscaling:TerminateInstanceInAutoScalingGroup': ({ InstanceId = '' }, model) => {
    const group = [...model.autoScaling.groups.values()].find(({ tags }) => {
      const instance = model.ec2.instances.get(InstanceId)?.tags ?? {};
      return tags['drowse:seat'] === instance['drowse:seat'] && tags['drowse:pool'] === instance['drowse:pool'];
    });
    return [groupOf(group?.name, model)];
  },
  'ec2:StartInstances': changesInstances,
  'ec2:StopInstances': changesInstances,
  'ec2:CreateTags': ({ Resources = [], Tags = [] }, model) =>
    Resources.map((id) => instanceOf(id, model, { ...requestTags(Tags), 'aws:TagKeys': Tags.map(({ Key }) => Key) })),
  'ec2:AssociateAddress': ({ AllocationId = '', InstanceId = '' }, model) => [
    // A life may end without the address that it had.
    {
      resource: arn('ec2', `elastic-ip/${AllocationId}`),
      context: tagged(model.ec2.address?.tags ?? clusterTag(model)),
    },
    instanceOf(InstanceId, model),
    { ...instanceOf(InstanceId, model), resource: arn('ec2', `network-interface/eni-${InstanceId}`) },
  ],
  // An association names neither address nor interface; AWS looks both up.
  'ec2:DisassociateAddress': (_input, model) => [
    {
      resource: arn('ec2', `elastic-ip/${model.ec2.address?.id ?? ''}`),
      context: tagged(model.ec2.address?.tags ?? {}),
    },
    { resource: arn('ec2', 'network-interface/eni-1'), context: tagged(clusterTag(model)) },
  ],
  's3:ListObjectsV2': ({ Bucket = '', Prefix = '' }) => [
    { action: 's3:ListBucket', resource: `arn:aws:s3:::${Bucket}`, context: { 's3:prefix': Prefix } },
  ],
  's3:HeadObject': readsObject,
  's3:GetObject': readsObject,
  's3:DeleteObjects': ({ Bucket = '', Delete }) =>
    (Delete?.Objects ?? []).map(({ Key }) => ({
      action: 's3:DeleteObject',
      resource: `arn:aws:s3:::${Bucket}/${Key}`,
    })),
  'ssm:SendCommand': ({ DocumentName = '', InstanceIds = [] }, model) => [
    { resource: arn('ssm', `document/${DocumentName}`) },
    ...InstanceIds.map((id) => instanceOf(id, model)),
  ],
  'ssm:GetParameter': ({ Name = '' }) => [{ resource: arn('ssm', `parameter${Name}`) }],
  'ssm:PutParameter': ({ Name = '' }) => [{ resource: arn('ssm', `parameter${Name}`) }],
  'ssm:GetParametersByPath': ({ Path = '' }) => [{ resource: arn('ssm', `parameter${Path}`) }],
  'ssm:DeleteParameters': ({ Names = [] }) => Names.map((name) => ({ resource: arn('ssm', `parameter${name}`) })),
  'elasticloadbalancing:CreateLoadBalancer': ({ Name = '', Tags }) => {
    const resource = arn('elasticloadbalancing', `loadbalancer/net/${Name}/50dc6c495c0c9188`);
    const context = requestTags(Tags);
    return [
      { resource, context },
      { action: 'elasticloadbalancing:AddTags', resource, context },
    ];
  },
  'elasticloadbalancing:CreateListener': ({ LoadBalancerArn = '', Tags }, model) => [
    { resource: LoadBalancerArn, context: { ...tagged(clusterTag(model)), ...requestTags(Tags) } },
    {
      action: 'elasticloadbalancing:AddTags',
      resource: LoadBalancerArn.replace(':loadbalancer/', ':listener/') + '/f2f7dc8efc522ab2',
      context: requestTags(Tags),
    },
  ],
  'elasticloadbalancing:DeleteLoadBalancer': ({ LoadBalancerArn = '' }, model) => [
    { resource: LoadBalancerArn, context: tagged(clusterTag(model)) },
  ],
  'servicequotas:GetServiceQuota': ({ ServiceCode = '', QuotaCode = '' }) => [
    { resource: arn('servicequotas', `${ServiceCode}/${QuotaCode}`) },
  ],
  'sns:Publish': ({ TopicArn = '' }) => [{ resource: TopicArn }],
  'states:DescribeExecution': namesExecution,
  'states:GetExecutionHistory': namesExecution,
  'states:StartExecution': ({ stateMachineArn = '' }) => [{ resource: stateMachineArn }],
  'states:ListExecutions': ({ stateMachineArn = '' }) => [{ resource: stateMachineArn }],
};

/** The names of a cluster, for the requests that a test asks itself. */
export const NAMES = namesOf('drowse');
