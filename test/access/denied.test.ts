import { EVERYTHING } from '../support/configs';
import { synthesize } from '../support/stacks';
import { type IamRequest, isAllowed } from './support/evaluate';
import { arn, tagged } from './support/requests';
import { roleOfNodes, roleOfStep, rolesOf, type SynthesizedRole } from './support/roles';

const roles = rolesOf(synthesize(EVERYTHING));
const step = (name: string) => roleOfStep(roles, name);
const pool = (name: string) => roleOfNodes(roles, 'drowse:pool', name);
const seat = (index: number) => roleOfNodes(roles, 'drowse:seat', String(index));

const OWN = { 'drowse:cluster': 'big' };
const GPU = { ...OWN, 'drowse:pool': 'gpu' };
const SEAT = { ...OWN, 'drowse:role': 'seat' };
const POOL = { ...OWN, 'drowse:role': 'pool' };
const FOREIGN = { 'drowse:cluster': 'other' };
const instance = (tags: Readonly<Record<string, string>>) => ({
  resource: arn('ec2', 'instance/i-1'),
  context: tagged(tags),
});
const parameter = (name: string) => ({ resource: arn('ssm', `parameter${name}`) });
/** A join parameter that was written for one instance, as another or the same one asks for it. */
const token = (name: string, onlyFor: string, caller: string) => ({
  ...parameter(name),
  context: { ...tagged({ 'drowse:only-for': instanceArn(onlyFor) }), ...callOf(caller) },
});
const instanceArn = (id: string) => arn('ec2', `instance/${id}`);
/** What EC2 says of a request with an instance's credentials. */
const callOf = (id: string) => ({ 'ec2:SourceInstanceARN': instanceArn(id) });
const group = (tags: Readonly<Record<string, string>>) => ({
  resource: arn('autoscaling', 'autoScalingGroup:0a1b:autoScalingGroupName/big-pool-gpu'),
  context: tagged(tags),
});
const phase = (tags: Readonly<Record<string, string>>, key = 'drowse:phase', caller = 'i-1') => ({
  resource: arn('ec2', 'instance/i-1'),
  context: {
    ...tagged(tags),
    ...callOf(caller),
    'ec2:InstanceID': 'i-1',
    'aws:TagKeys': [key],
    [`aws:RequestTag/${key}`]: 'ready',
  },
});
const put = (name: string, overwrite: string) => ({ ...parameter(name), context: { 'ssm:Overwrite': overwrite } });
/** A volume with these tags, in the call that makes it. */
const made = (tags: Readonly<Record<string, string>>) => ({
  resource: arn('ec2', 'volume/vol-9'),
  context: {
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    'aws:TagKeys': Object.keys(tags),
    'ec2:CreateAction': 'CreateVolume',
  },
});
/** An object in the bucket, as an instance writes it. */
const written = (key: string, caller: string) => ({ resource: bucket('big', key), context: callOf(caller) });

type Case = [what: string, role: SynthesizedRole, action: string, request: Omit<IamRequest, 'action'>];

/** Pairs: what must be denied, and beside it the nearest thing that is allowed, so that a denial means something. */
const DENIED: Case[] = [
  [
    'a pool reads another pool’s token',
    pool('gpu'),
    'ssm:GetParameter',
    token('/drowse/big/join/general/i-1', 'i-1', 'i-1'),
  ],
  [
    'a pool reads another cluster’s token',
    pool('gpu'),
    'ssm:GetParameter',
    token('/drowse/other/join/gpu/i-1', 'i-1', 'i-1'),
  ],
  [
    'an instance reads the token of another one of its pool',
    pool('gpu'),
    'ssm:GetParameter',
    token('/drowse/big/join/gpu/i-2', 'i-2', 'i-1'),
  ],
  [
    'an instance reads a token without a name on it',
    pool('gpu'),
    'ssm:GetParameter',
    { ...parameter('/drowse/big/join/gpu/i-1'), context: callOf('i-1') },
  ],
  [
    'a seat says who may read another parameter',
    seat(0),
    'ssm:AddTagsToResource',
    { ...parameter('/drowse/big/kubeconfig'), context: { 'aws:TagKeys': ['drowse:only-for'] } },
  ],
  ['a node calls another one of its pool ready', pool('gpu'), 'ec2:CreateTags', phase(GPU, 'drowse:phase', 'i-2')],
  ['a node writes the log of another', pool('gpu'), 's3:PutObject', written(`logs/${instanceArn('i-2')}/x.log`, 'i-1')],
  ['a node writes a log that is nobody’s', pool('gpu'), 's3:PutObject', written('logs/x.log', 'i-1')],
  ['a pool reads the kubeconfig', pool('gpu'), 'ssm:GetParameter', parameter('/drowse/big/kubeconfig')],
  ['a pool reads the key of snapshots', pool('gpu'), 'ssm:GetParameter', parameter('/drowse/big/snapshot-key')],
  ['a pool writes its token', pool('gpu'), 'ssm:PutParameter', parameter('/drowse/big/join/gpu/i-1')],
  ['a pool reads snapshots', pool('gpu'), 's3:GetObject', { resource: bucket('big', 'snapshots/x/etcd.db') }],
  [
    'a node reads another cluster’s bucket',
    pool('gpu'),
    's3:GetObject',
    { resource: bucket('other', 'node/x.tar.gz') },
  ],
  ['a node replaces the node bundle', seat(0), 's3:PutObject', { resource: bucket('big', 'node/x.tar.gz') }],
  [
    'a seat deletes what it has shipped',
    seat(0),
    'logs:DeleteLogStream',
    { resource: arn('logs', 'log-group:/drowse/big/nodes:log-stream:i-1/audit') },
  ],
  ['a seat deletes a snapshot', seat(0), 's3:DeleteObject', { resource: bucket('big', 'snapshots/x/etcd.db') }],
  ['a seat reads another cluster’s snapshots', seat(0), 's3:GetObject', { resource: bucket('other', 'snapshots/x') }],
  ['a seat takes another seat’s volume', seat(0), 'ec2:AttachVolume', volume({ ...OWN, 'drowse:seat': '1' })],
  ['a seat detaches another seat’s volume', seat(0), 'ec2:DetachVolume', volume({ ...OWN, 'drowse:seat': '1' })],
  ['a seat deletes its own state volume', seat(0), 'ec2:DeleteVolume', volume({ ...OWN, 'drowse:seat': '0' })],
  ['a seat overwrites the key of snapshots', seat(0), 'ssm:PutParameter', put('/drowse/big/snapshot-key', 'true')],
  ['a seat overwrites the record of the cluster', seat(0), 'ssm:PutParameter', put('/drowse/big/initialized', 'true')],
  ['a seat makes a volume that looks like a seat’s', seat(0), 'ec2:CreateVolume', made({ ...OWN, 'drowse:seat': '0' })],
  ['a seat tags a volume as a seat’s', seat(0), 'ec2:CreateTags', made({ ...OWN, 'drowse:seat': '0' })],
  ['a seat terminates another seat', seat(0), 'autoscaling:TerminateInstanceInAutoScalingGroup', seatGroup()],
  [
    'a seat retags an instance as another seat’s',
    seat(0),
    'ec2:CreateTags',
    phase({ ...OWN, 'drowse:seat': '0' }, 'drowse:seat'),
  ],
  ['a seat takes another cluster’s volume', seat(0), 'ec2:AttachVolume', volume({ ...FOREIGN, 'drowse:seat': '0' })],
  [
    'a seat takes an address for a pool node',
    seat(0),
    'ec2:AssignPrivateIpAddresses',
    eni({ ...OWN, 'drowse:pool': 'gpu' }),
  ],
  ['a pool takes an address', pool('gpu'), 'ec2:AssignPrivateIpAddresses', eni({ ...OWN, 'drowse:pool': 'gpu' })],
  [
    'a pool calls another pool’s node ready',
    pool('gpu'),
    'ec2:CreateTags',
    phase({ ...OWN, 'drowse:pool': 'general' }),
  ],
  [
    'a node gives itself another cluster’s tag',
    pool('gpu'),
    'ec2:CreateTags',
    phase({ ...OWN, 'drowse:pool': 'gpu' }, 'drowse:cluster'),
  ],
  [
    'a node takes the Elastic IP',
    pool('general'),
    'ec2:AssociateAddress',
    { resource: arn('ec2', 'elastic-ip/eipalloc-1'), context: tagged(OWN) },
  ],
  ['a node starts a workflow', seat(0), 'states:StartExecution', { resource: machine('big-wake') }],
  ['a step resizes another cluster’s group', step('stop-pools'), 'autoscaling:UpdateAutoScalingGroup', group(FOREIGN)],
  ['a step stops an instance of another cluster', step('stop-pools'), 'ec2:StopInstances', instance(FOREIGN)],
  ['a step stops an instance without tags', step('stop-pools'), 'ec2:StopInstances', instance({})],
  ['a step terminates an instance past its group', step('stop-pools'), 'ec2:TerminateInstances', instance(POOL)],
  ['a step that stops pools stops a seat', step('stop-pools'), 'ec2:StopInstances', instance(SEAT)],
  ['draining runs on a pool’s node', step('drain-nodes'), 'ssm:SendCommand', instance(POOL)],
  [
    'starting seats terminates another cluster’s',
    step('start-seats'),
    'autoscaling:TerminateInstanceInAutoScalingGroup',
    group(FOREIGN),
  ],
  [
    'draining runs any script',
    step('drain-nodes'),
    'ssm:SendCommand',
    { resource: arn('ssm', 'document/AWS-RunShellScript') },
  ],
  [
    'draining runs another command',
    step('drain-nodes'),
    'ssm:SendCommand',
    { resource: arn('ssm', 'document/big-restore-etcd') },
  ],
  ['draining runs on another cluster’s node', step('drain-nodes'), 'ssm:SendCommand', instance(FOREIGN)],
  [
    'the Elastic IP of another cluster is moved',
    step('associate-elastic-ip'),
    'ec2:AssociateAddress',
    { resource: arn('ec2', 'elastic-ip/eipalloc-2'), context: tagged(FOREIGN) },
  ],
  [
    'the Elastic IP goes to another cluster’s node',
    step('associate-elastic-ip'),
    'ec2:AssociateAddress',
    instance(FOREIGN),
  ],
  [
    'the Elastic IP of another cluster is taken away',
    step('move-elastic-ip'),
    'ec2:DisassociateAddress',
    { resource: arn('ec2', 'elastic-ip/eipalloc-2'), context: tagged(FOREIGN) },
  ],
  ['pruning deletes logs', step('prune-snapshots'), 's3:DeleteObject', { resource: bucket('big', 'logs/i-1/x.log') }],
  [
    'pruning deletes the sealed authorities, without which no seat joins',
    step('prune-snapshots'),
    's3:DeleteObject',
    { resource: bucket('big', 'snapshots/authorities-0123456789abcdef.age') },
  ],
  [
    'pruning deletes another cluster’s snapshots',
    step('prune-snapshots'),
    's3:DeleteObject',
    { resource: bucket('other', 'snapshots/x/etcd.db') },
  ],
  ['pruning reads what it deletes', step('prune-snapshots'), 's3:GetObject', snapshotOf('big')],
  ['pruning lists the whole bucket', step('prune-snapshots'), 's3:ListBucket', listing('')],
  ['verifying lists the platform', step('verify-snapshot'), 's3:ListBucket', listing('platform/')],
  ['verifying reads the platform', step('verify-snapshot'), 's3:GetObject', { resource: bucket('big', 'platform/x') }],
  ['verifying deletes a snapshot', step('verify-snapshot'), 's3:DeleteObject', snapshotOf('big')],
  [
    'restoring runs another command',
    step('restore-etcd'),
    'ssm:SendCommand',
    { resource: arn('ssm', 'document/big-snapshot-etcd') },
  ],
  [
    'another load balancer is deleted',
    step('delete-load-balancer'),
    'elasticloadbalancing:DeleteLoadBalancer',
    balancer('shop', OWN),
  ],
  [
    'a load balancer of that name without the tag is deleted',
    step('delete-load-balancer'),
    'elasticloadbalancing:DeleteLoadBalancer',
    balancer('big-api', {}),
  ],
  [
    'tokens of another cluster are deleted',
    step('delete-join-tokens'),
    'ssm:DeleteParameters',
    parameter('/drowse/other/join/gpu/i-1'),
  ],
  [
    'the kubeconfig is deleted',
    step('delete-join-tokens'),
    'ssm:DeleteParameters',
    parameter('/drowse/big/kubeconfig'),
  ],
  [
    'the status page changes the record',
    step('get-status'),
    'dynamodb:UpdateItem',
    { resource: arn('dynamodb', 'table/drowse-big') },
  ],
  ['a step under the lease takes it', step('drain-nodes'), 'dynamodb:UpdateItem', item('cluster', ['lease'])],
  ['a step writes what another one found', step('drain-nodes'), 'dynamodb:UpdateItem', item('cluster', ['sizes'])],
  [
    'a step writes the lease beside what is its own',
    step('drain-nodes'),
    'dynamodb:UpdateItem',
    item('cluster', ['drainedAt', 'lease']),
  ],
  [
    'a step that may not read the record has a write give it back',
    step('drain-nodes'),
    'dynamodb:UpdateItem',
    item('cluster', ['progress'], { 'dynamodb:ReturnValues': 'ALL_OLD' }),
  ],
  ['a step replaces the whole record', step('drain-nodes'), 'dynamodb:PutItem', item('cluster', ['lease'])],
  ['a step forgets the record', step('drain-nodes'), 'dynamodb:DeleteItem', item('cluster')],
  [
    'a step forgets what another one sent',
    step('drain-nodes'),
    'dynamodb:DeleteItem',
    item('command#arn:x#restore-etcd'),
  ],
  ['the page makes a link', step('serve-page'), 'dynamodb:UpdateItem', item('links', ['x'])],
  ['the wake API writes what people have asked for', step('request-wake'), 'dynamodb:UpdateItem', item('overrides')],
  [
    'the status page reads another cluster’s record',
    step('get-status'),
    'dynamodb:GetItem',
    { resource: arn('dynamodb', 'table/drowse-other') },
  ],
  [
    'the wake API puts the cluster to sleep',
    step('request-wake'),
    'states:StartExecution',
    { resource: machine('big-sleep') },
  ],
  [
    'the wake API wakes another cluster',
    step('request-wake'),
    'states:StartExecution',
    { resource: machine('other-wake') },
  ],
  [
    'the idle detector wakes the cluster',
    step('detect-idle'),
    'states:StartExecution',
    { resource: machine('big-wake') },
  ],
  [
    'the idle detector drains a node',
    step('detect-idle'),
    'ssm:SendCommand',
    { resource: arn('ssm', 'document/big-drain-nodes') },
  ],
  [
    'a request to keep the cluster awake puts it to sleep',
    step('keep-awake'),
    'states:StartExecution',
    { resource: machine('big-sleep') },
  ],
  [
    'looking after the cluster restores a snapshot',
    step('look-after'),
    'states:StartExecution',
    { resource: machine('big-restore-etcd') },
  ],
];

const ALLOWED: Case[] = [
  ['an instance reads its own token', pool('gpu'), 'ssm:GetParameter', token('/drowse/big/join/gpu/i-1', 'i-1', 'i-1')],
  ['a node writes its own log', pool('gpu'), 's3:PutObject', written(`logs/${instanceArn('i-1')}/x.log`, 'i-1')],
  ['a node reads the node bundle', pool('gpu'), 's3:GetObject', { resource: bucket('big', 'node/x.tar.gz') }],
  ['a seat keeps a snapshot', seat(0), 's3:PutObject', { resource: bucket('big', 'snapshots/x/etcd.db') }],
  ['a seat makes the key of snapshots', seat(0), 'ssm:PutParameter', put('/drowse/big/snapshot-key', 'false')],
  ['a volume is made for a pod', seat(0), 'ec2:CreateVolume', made(OWN)],
  ['and tagged as it is made', seat(0), 'ec2:CreateTags', made(OWN)],
  [
    'a seat ships its audit log',
    seat(0),
    'logs:PutLogEvents',
    { resource: arn('logs', 'log-group:/drowse/big/nodes:log-stream:i-1/audit') },
  ],
  ['a seat takes its volume', seat(0), 'ec2:AttachVolume', volume({ ...OWN, 'drowse:seat': '0' })],
  ['a seat takes its address', seat(1), 'ec2:AssignPrivateIpAddresses', eni({ ...OWN, 'drowse:seat': '1' })],
  ['a node reports its phase', pool('gpu'), 'ec2:CreateTags', phase({ ...OWN, 'drowse:pool': 'gpu' })],
  ['a step stops an instance', step('stop-pools'), 'ec2:StopInstances', instance(POOL)],
  ['a step says how far it has come', step('drain-nodes'), 'dynamodb:UpdateItem', item('cluster', ['progress'])],
  ['a step writes its own', step('drain-nodes'), 'dynamodb:UpdateItem', item('cluster', ['progress', 'drainedAt'])],
  ['a step forgets what it sent', step('drain-nodes'), 'dynamodb:DeleteItem', item('command#arn:x#drain-nodes')],
  ['draining runs on a seat', step('drain-nodes'), 'ssm:SendCommand', instance(SEAT)],
  [
    'draining runs its command',
    step('drain-nodes'),
    'ssm:SendCommand',
    { resource: arn('ssm', 'document/big-drain-nodes') },
  ],
  [
    'the load balancer is deleted',
    step('delete-load-balancer'),
    'elasticloadbalancing:DeleteLoadBalancer',
    balancer('big-api', OWN),
  ],
  ['the wake API wakes the cluster', step('request-wake'), 'states:StartExecution', { resource: machine('big-wake') }],
  ['pruning deletes a snapshot', step('prune-snapshots'), 's3:DeleteObject', snapshotOf('big')],
  ['pruning lists the snapshots', step('prune-snapshots'), 's3:ListBucket', listing('snapshots/')],
  [
    'verifying lists one set',
    step('verify-snapshot'),
    's3:ListBucket',
    listing('snapshots/2026-11-20T08-00-00Z-sleep/'),
  ],
  ['verifying reads a snapshot', step('verify-snapshot'), 's3:GetObject', snapshotOf('big')],
];

test.each(DENIED)('denied: %s', async (_, role, action, request) => {
  expect(await isAllowed(role, { action, ...request })).toBe(false);
});

test.each(ALLOWED)('allowed: %s', async (_, role, action, request) => {
  expect(await isAllowed(role, { action, ...request })).toBe(true);
});

function bucket(cluster: string, key: string): string {
  return `arn:aws:s3:::drowse-${cluster}-123456789012-us-east-1/${key}`;
}

function snapshotOf(cluster: string) {
  return { resource: bucket(cluster, 'snapshots/2026-11-20T08-00-00Z-sleep/etcd.db') };
}

function listing(prefix: string) {
  return { resource: bucket('big', '').replace(/\/$/, ''), context: { 's3:prefix': prefix } };
}

/** An item of the table, and what a request names of it. */
function item(key: string, attributes: readonly string[] = [], more: IamRequest['context'] = {}) {
  const context = { 'dynamodb:LeadingKeys': [key], 'dynamodb:Attributes': ['id', ...attributes], ...more };
  return { resource: arn('dynamodb', 'table/drowse-big'), context };
}

function volume(tags: Readonly<Record<string, string>>) {
  return { resource: arn('ec2', 'volume/vol-1'), context: tagged(tags) };
}

function eni(tags: Readonly<Record<string, string>>) {
  return { resource: arn('ec2', 'network-interface/eni-1'), context: tagged(tags) };
}

function seatGroup() {
  const context = { ...tagged(OWN), 'autoscaling:ResourceTag/drowse:cluster': 'big' };
  return { resource: arn('autoscaling', 'autoScalingGroup:0a1b:autoScalingGroupName/big-seat-1'), context };
}

function machine(name: string): string {
  return arn('states', `stateMachine:${name}`);
}

function balancer(name: string, tags: Readonly<Record<string, string>>) {
  return { resource: arn('elasticloadbalancing', `loadbalancer/net/${name}/50dc6c495c0c9188`), context: tagged(tags) };
}
