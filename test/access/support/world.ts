import { COMMANDS } from '../../../lib/constructs/commands/run-commands';
import { namesOf, TAG } from '../../../core/config/names';
import { ACCOUNT, resourcesOf, type Synthesized } from '../../support/stacks';
import { arn, tagged } from './requests';
import { resolve } from './resolve';

type Tags = Readonly<Record<string, string>>;

/** Something in the account that a role may or may not be able to change. */
export interface Target {
  /** As the table calls it. */
  name: string;
  /** Types of resources by which AWS's reference of actions knows it. */
  types: readonly string[];
  arn: string;
  /** False for what belongs to another cluster, or to somebody else in the account. */
  ours: boolean;
  /** Condition keys that AWS fills in, whatever the caller wants. */
  context: Readonly<Record<string, string>>;
}

/** Whose credentials they are, as far as it matters to who is “itself” and “another”: of a node its group, of the rest nothing. */
export interface Holder {
  seat?: string | undefined;
  pool?: string | undefined;
  /** Name of its function, if it is one's. */
  function?: string | undefined;
}

const CLUSTER = 'big';
const names = namesOf(CLUSTER);
/** The instance whose credentials a node's role carries. */
export const CALLER = arn('ec2', 'instance/i-self');
const OURS: Tags = { [TAG.cluster]: CLUSTER };
const THEIRS: Tags = { [TAG.cluster]: 'other' };

/**
 * All that there is to change, seen from one holder: each kind of thing as the cluster's, as another cluster's that is made
 * by this app in the same account, and as somebody's who has never heard of it.
 */
export function worldOf(holder: Holder, { templates }: Synthesized): Target[] {
  const node = holder.seat !== undefined || holder.pool !== undefined;
  const itself: Tags = holder.seat === undefined ? { [TAG.pool]: holder.pool ?? '' } : { [TAG.seat]: holder.seat };
  const otherSeat = { [TAG.seat]: holder.seat === '0' ? '1' : '0' };
  const otherPool = { [TAG.pool]: holder.pool === 'gpu' ? 'general' : 'gpu' };
  const another = (what: string, yes: boolean) => (yes ? `another ${what}` : `a ${what}`);

  /** Kinds that carry the tags of an instance. */
  const tagging = (kind: string, service: string, of: string, prefix: string): Target[] => {
    const one = (name: string, id: string, tags: Tags | undefined): Target => ({
      name,
      types: [kind],
      arn: arn(service, `${kind}/${prefix}-${id}`),
      ours: tags?.[TAG.cluster] === CLUSTER,
      context: {
        ...tagged(tags ?? {}),
        ...(kind === 'instance' && { 'ec2:InstanceID': `${prefix}-${id}` }),
      },
    });
    return [
      ...(node ? [one(`its own ${of}`, 'self', { ...OURS, ...itself })] : []),
      ...(holder.pool === undefined ? [] : [one(`${of} of its own pool`, 'sibling', { ...OURS, ...itself })]),
      one(`${of} of ${another('seat', holder.seat !== undefined)}`, 'seat', { ...OURS, ...otherSeat }),
      one(`${of} of ${another('pool', holder.pool !== undefined)}`, 'pool', { ...OURS, ...otherPool }),
      one(`${of} of another cluster`, 'theirs', { ...THEIRS, ...itself, ...otherSeat }),
      one(`${of} of somebody else`, 'foreign', undefined),
    ];
  };
  const simple = (name: string, types: string[], one: string, ours: boolean, tags: Tags = {}): Target => ({
    name,
    types,
    arn: one,
    ours,
    context: tagged(tags),
  });
  const group = (name: string, group: string, tags: Tags): Target => ({
    name,
    types: ['autoScalingGroup'],
    arn: arn('autoscaling', `autoScalingGroup:0a1b:autoScalingGroupName/${group}`),
    ours: tags[TAG.cluster] === CLUSTER,
    context: {
      ...tagged(tags),
      ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`autoscaling:ResourceTag/${key}`, value])),
    },
  });
  const bucket = names.bucket(ACCOUNT, 'us-east-1');
  const object = (name: string, key: string, of = bucket) =>
    simple(name, ['object'], `arn:aws:s3:::${of}/${key}`, of === bucket);
  const parameter = (name: string, path: string, ours = true) =>
    simple(name, ['parameter'], arn('ssm', `parameter${path}`), ours);
  const balancer = (name: string, of: string, tags: Tags) =>
    simple(
      name,
      ['loadbalancer', 'loadbalancer/net/'],
      arn('elasticloadbalancing', `loadbalancer/net/${of}/50dc6c495c0c9188`),
      tags[TAG.cluster] === CLUSTER,
      tags,
    );
  const all = Object.values(templates);
  const named = (type: string, property: string) =>
    all.flatMap((template) =>
      resourcesOf(template, type).map(([id, { Properties = {} }]) =>
        String(resolve(Properties[property] ?? id, template, templates)),
      ),
    );
  const driver = { 'ebs.csi.aws.com/cluster': 'true' };
  const workflows = named('AWS::StepFunctions::StateMachine', 'StateMachineName');
  const machine = (name: string) => arn('states', `stateMachine:${name}`);
  const role = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
  const serviceRole = (service: string, name: string) => role(`aws-service-role/${service}.amazonaws.com/${name}`);
  const snapshot = '2026-11-20T08-00-00Z-sleep';

  return [
    ...tagging('instance', 'ec2', 'instance', 'i'),
    ...tagging('network-interface', 'ec2', 'interface', 'eni'),
    ...(holder.seat === undefined
      ? []
      : [simple('its own state volume', ['volume'], arn('ec2', 'volume/vol-1'), true, { ...OURS, ...itself })]),
    simple(
      `state volume of ${another('seat', holder.seat !== undefined)}`,
      ['volume'],
      arn('ec2', 'volume/vol-2'),
      true,
      { ...OURS, ...otherSeat },
    ),
    simple('volume of a pod', ['volume'], arn('ec2', 'volume/vol-3'), true, { ...OURS, ...driver }),
    simple('volume of another cluster', ['volume'], arn('ec2', 'volume/vol-4'), false, { ...THEIRS, ...driver }),
    simple('volume of somebody else', ['volume'], arn('ec2', 'volume/vol-5'), false),
    {
      name: NEW_VOLUME,
      types: ['volume'],
      arn: arn('ec2', 'volume/*'),
      ours: true,
      context: { 'ec2:CreateAction': 'CreateVolume' },
    },
    group('a seat’s group', names.seatGroup(0), { ...OURS, ...otherSeat }),
    group('a pool’s group', names.poolGroup('gpu'), { ...OURS, ...otherPool }),
    group('group of another cluster', 'other-pool-gpu', { ...THEIRS, ...otherPool }),
    group('group of another cluster that is named like ours', 'big-pool-2', { ...THEIRS, ...otherPool }),
    group('group of somebody else', 'shop', {}),
    simple('the Elastic IP', ['elastic-ip'], arn('ec2', 'elastic-ip/eipalloc-1'), true, OURS),
    simple('Elastic IP of another cluster', ['elastic-ip'], arn('ec2', 'elastic-ip/eipalloc-2'), false, THEIRS),
    simple('Elastic IP of somebody else', ['elastic-ip'], arn('ec2', 'elastic-ip/eipalloc-3'), false),
    ...named('AWS::EC2::Subnet', '-').map((id) =>
      simple('a subnet of the cluster', ['subnet'], arn('ec2', `subnet/${id}`), true),
    ),
    simple('subnet of somebody else', ['subnet'], arn('ec2', 'subnet/subnet-1'), false),

    simple('the bucket', ['bucket'], `arn:aws:s3:::${bucket}`, true),
    simple('bucket of deployments', ['bucket'], `arn:aws:s3:::cdk-hnb659fds-assets-${ACCOUNT}-us-east-1`, false),
    object('a deployment’s files', 'x.zip', `cdk-hnb659fds-assets-${ACCOUNT}-us-east-1`),
    object('node bundle', `node/${'a'.repeat(64)}.tar.gz`),
    object('platform’s tree', `platform/${'a'.repeat(64)}.tar.gz`),
    object('a snapshot', `snapshots/${snapshot}/etcd.db`),
    object('the sealed authorities', 'snapshots/authorities-0123456789abcdef.age'),
    object('images of the bucket', 'images/list.json'),
    object('Flux’s artifacts', 'flux/artifacts.tar.gz'),
    ...(node ? [object('its own logs in the bucket', `logs/${CALLER}/x.log`)] : []),
    object(`logs of ${node ? 'another' : 'an'} instance in the bucket`, `logs/${arn('ec2', 'instance/i-2')}/x.log`),
    object('any other object of the bucket', 'x'),
    object('bucket of another cluster', `snapshots/${snapshot}/etcd.db`, namesOf('other').bucket(ACCOUNT, 'us-east-1')),
    object('bucket of somebody else', 'x', 'shop'),

    parameter('operators’ kubeconfig', names.kubeconfigParameter),
    parameter('what the cluster was brought to', names.runningParameter),
    parameter('that it is initialized', names.initializedParameter),
    parameter('key of snapshots', names.snapshotKeyParameter),
    parameter('which tree seats apply', names.platformParameter),
    parameter('join tokens', names.joinParameter('gpu', 'i-1')),
    parameter('key of links', names.linkKeyParameter),
    parameter('addresses of webhooks', `${names.webhookParameterRoot}/team`),
    parameter('token of Cloudflare', `${names.parameterRoot}/cloudflare-token`),
    parameter('parameter of another cluster', namesOf('other').joinParameter('gpu', 'i-1'), false),
    parameter('parameter of somebody else', '/shop/password', false),

    ...Object.keys(COMMANDS).map((command) =>
      simple(`command ${command}`, ['document'], arn('ssm', `document/${names.document(command)}`), true),
    ),
    simple('any script', ['document'], arn('ssm', 'document/AWS-RunShellScript'), false),
    simple('command of another cluster', ['document'], arn('ssm', 'document/other-drain-nodes'), false),

    ...workflows.flatMap((name) => [
      simple(`workflow ${name.replace(`${CLUSTER}-`, '')}`, ['statemachine'], machine(name), true),
      simple(
        `a run of workflow ${name.replace(`${CLUSTER}-`, '')}`,
        ['execution'],
        `${machine(name).replace(':stateMachine:', ':execution:')}:1`,
        true,
      ),
    ]),
    simple('workflow of another cluster', ['statemachine'], machine('other-wake'), false),
    simple('run of another cluster', ['execution'], arn('states', 'execution:other-wake:1'), false),
    ...named('AWS::Lambda::Function', 'FunctionName').map((name) =>
      simple(`function ${name.replace(`${CLUSTER}-`, '')}`, ['function'], arn('lambda', `function:${name}`), true),
    ),
    simple('function of somebody else', ['function'], arn('lambda', 'function:shop'), false),
    ...named('AWS::Logs::LogGroup', 'LogGroupName').map((name) => {
      const own = holder.function !== undefined && name.endsWith(`/${holder.function}`);
      const stream = own ? OWN_LOG : `log ${name}`;
      return simple(stream, ['log-stream'], arn('logs', `log-group:${name}:log-stream:x`), true);
    }),
    simple('log of somebody else', ['log-stream'], arn('logs', 'log-group:/shop:log-stream:x'), false),

    simple('record of the cluster', ['table'], arn('dynamodb', `table/${names.table}`), true),
    simple('record of another cluster', ['table'], arn('dynamodb', 'table/drowse-other'), false),
    ...named('AWS::SNS::Topic', 'TopicName').map((name) =>
      simple('notices to people', ['topic'], arn('sns', name), true),
    ),
    simple('topic of somebody else', ['topic'], arn('sns', 'shop'), false),
    ...named('AWS::SQS::Queue', 'QueueName').map((name) =>
      simple(`queue ${name.replace(`${CLUSTER}-`, '')}`, ['queue'], arn('sqs', name), true),
    ),
    simple('queue of somebody else', ['queue'], arn('sqs', 'shop'), false),
    balancer('the API’s load balancer', names.apiLoadBalancer, OURS),
    balancer('load balancer of another cluster', 'other-api', THEIRS),
    balancer('load balancer of somebody else', 'shop', {}),
    simple(
      'listener of the API’s load balancer',
      ['listener'],
      arn('elasticloadbalancing', `listener/net/${names.apiLoadBalancer}/50dc6c495c0c9188/f2f7dc8efc522ab2`),
      true,
      OURS,
    ),
    simple(
      'Step Functions’ own rule',
      ['rule-on-default-event-bus'],
      arn('events', 'rule/StepFunctionsGetEventsForStepFunctionsExecutionRule'),
      true,
    ),
    simple('rule of somebody else', ['rule-on-default-event-bus'], arn('events', 'rule/shop'), false),
    simple('the user’s key', ['key'], arn('kms', 'key/12345678-1234-1234-1234-123456789012'), true),
    simple('key of somebody else', ['key'], arn('kms', 'key/87654321-1234-1234-1234-123456789012'), false),
    simple(
      'ELB’s role of its own',
      ['role'],
      serviceRole('elasticloadbalancing', 'AWSServiceRoleForElasticLoadBalancing'),
      true,
    ),
    simple('another service’s role', ['role'], serviceRole('spot', 'AWSServiceRoleForEC2Spot'), false),
    simple('a role of the cluster', ['role'], role('big-step'), true),
    simple('role of an administrator', ['role'], role('admin'), false),
  ];
}

/** Actions that AWS limits to no resource change something in the account as a whole. */
export const ANYTHING: Target = { name: 'no resource of its own', types: [], arn: '*', ours: true, context: {} };

export const NEW_VOLUME = 'a new volume';
/** Every function may write it; the table says so once. */
export const OWN_LOG = 'its own log';
