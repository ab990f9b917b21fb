import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { platformGrants } from '../../lib/platform';
import { ACCOUNT, ROOT, synthesize } from '../support/stacks';
import { dependentsOf } from './support/dependents';
import { type IamRequest, isAllowed } from './support/evaluate';
import { arn, tagged } from './support/requests';
import { actionsOf, roleOfNodes, rolesOf, type SynthesizedRole } from './support/roles';

/** The configuration that the node scripts' cases are told in: three seats, and pools `general` and `gpu`. */
const OWN_KEY = 'arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012';
const CONFIG = `
encryption: { kmsKeyArn: '${OWN_KEY}' }
controlPlane: { seats: 3 }
pools:
  - { name: general, instanceTypes: [t3.large], ingress: true }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true }
`;
const PLACE = { cluster: 'drowse', account: ACCOUNT, region: 'us-east-1', bucketArn: '' };
const CASES = join(ROOT, 'test', 'userdata', 'cases');
const BUCKET = 'arn:aws:s3:::drowse-drowse-123456789012-us-east-1';

const roles = rolesOf(synthesize(CONFIG));
const seatOf = (index: string) => roleOfNodes(roles, 'drowse:seat', index);
const poolOf = (name: string) => roleOfNodes(roles, 'drowse:pool', name);

/** Calls that only the commands make, which the cases of booting do not run: read off the scripts themselves. */
const COMMANDS: [script: string, marker: string, line: string][] = [
  ['commands/mint-join-token.sh', 'parameter_put_for ', 'aws ssm PutParameter /drowse/drowse/join/general/i-1'],
  ['lib/aws.sh', 'Tags', 'aws ssm AddTagsToResource /drowse/drowse/join/general/i-1'],
  ['approve-certificates.sh', 'parameter_delete ', 'aws ssm DeleteParameter /drowse/drowse/join/general/i-1'],
  ['approve-certificates.sh', 'aws_autoscaling ', 'aws autoscaling DescribeAutoScalingInstances'],
  ['commands/snapshot-etcd.sh', 's3_put ', 'aws s3 PUT snapshots/x/etcd.db'],
  ['commands/restore-etcd.sh', 's3_get ', 'aws s3 GET snapshots/x/etcd.db'],
  ['lib/flux-store.sh', 's3_put ', 'aws s3 PUT flux/artifacts.tar.gz'],
  ['lib/flux-store.sh', 's3_get "platform/', 'aws s3 GET platform/x.tar.gz'],
  ['lib/flux-store.sh', 'parameter_get platform ', 'aws ssm GetParameter /drowse/drowse/platform'],
  ['lib/image-store.sh', 's3_put ', 'aws s3 PUT images/list.json'],
  ['lib/image-store.sh', '--request DELETE', 'aws s3 DELETE images/sha256/0'],
  ['lib/image-store.sh', 'list-type=2', 'aws s3 LIST images/'],
];

interface Recorded {
  where: string;
  role: SynthesizedRole;
  tags: Readonly<Record<string, string>>;
  line: string;
}

/** Every AWS call in the recorded cases of the node scripts, with the role of the node that made it. */
function recordedCalls(): Recorded[] {
  const cases = readdirSync(CASES).flatMap((name) => {
    const file = join(CASES, name, 'calls.txt');
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    return lines.filter((line) => line.startsWith('aws ')).map((line) => ({ where: name, ...nodeOf(lines), line }));
  });
  const seat = { role: seatOf('0'), tags: { 'drowse:cluster': 'drowse', 'drowse:seat': '0' } };
  return [...cases, ...COMMANDS.map(([where, , line]) => ({ where, ...seat, line }))];
}

/** Who plays in a case follows from what is called: a token names the pool, a fixed address the seat. */
function nodeOf(lines: readonly string[]): Pick<Recorded, 'role' | 'tags'> {
  const pool = find(lines, /GetParameter \/drowse\/drowse\/join\/(\w+)/) ?? (isPool(lines) ? 'general' : undefined);
  if (pool !== undefined) return { role: poolOf(pool), tags: { 'drowse:cluster': 'drowse', 'drowse:pool': pool } };
  const seat = find(lines, /AssignPrivateIpAddresses 10\.0\.(\d)\./) ?? '0';
  return { role: seatOf(seat), tags: { 'drowse:cluster': 'drowse', 'drowse:seat': seat } };
}

const isPool = (lines: readonly string[]) => !lines.some((line) => /DescribeVolumes|control-plane/.test(line));
const find = (lines: readonly string[], pattern: RegExp) =>
  lines.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined);

const instanceArn = (id: string) => arn('ec2', `instance/${id}`);
const callOf = (id = 'i-1') => ({ 'ec2:SourceInstanceARN': instanceArn(id) });

function requestsOf({ line, tags }: Recorded): IamRequest[] {
  const [, service = '', action = '', subject = ''] = line.split(' ');
  const own = (resource: string) => ({ resource: arn('ec2', resource), context: tagged(tags) });
  if (action.startsWith('Describe')) return [{ action: `${service}:${action}`, resource: '*' }];
  switch (`${service} ${action}`) {
    case 's3 GET':
      return [{ action: 's3:GetObject', resource: `${BUCKET}/${subject}` }];
    case 's3 DELETE':
      return [{ action: 's3:DeleteObject', resource: `${BUCKET}/${subject}` }];
    case 's3 LIST':
      return [{ action: 's3:ListBucket', resource: BUCKET, context: { 's3:prefix': subject } }];
    case 's3 PUT':
      return [
        { action: 's3:PutObject', resource: `${BUCKET}/${subject}`, context: callOf(/i-\w+/.exec(subject)?.[0]) },
      ];
    case 'ssm GetParameter': {
      const id = /join\/\w+\/(i-\w+)/.exec(subject)?.[1];
      const context = id === undefined ? {} : { ...tagged({ 'drowse:only-for': instanceArn(id) }), ...callOf(id) };
      return [{ action: 'ssm:GetParameter', resource: arn('ssm', `parameter${subject}`), context }];
    }
    case 'ssm AddTagsToResource':
    case 'ssm DeleteParameter':
    case 'ssm PutParameter': {
      const context = action === 'AddTagsToResource' ? { 'aws:TagKeys': ['drowse:only-for'] } : {};
      return [{ action: `ssm:${action}`, resource: arn('ssm', `parameter${subject}`), context }];
    }
    case 'logs PutLogEvents':
    case 'logs CreateLogStream':
      return [{ action: `logs:${action}`, resource: arn('logs', 'log-group:/drowse/drowse/nodes:log-stream:i-1') }];
    case 'ec2 AttachVolume':
      return ['instance/i-1', `volume/${subject}`].map((resource) => ({
        action: 'ec2:AttachVolume',
        ...own(resource),
      }));
    case 'ec2 AssignPrivateIpAddresses':
      return [{ action: 'ec2:AssignPrivateIpAddresses', ...own('network-interface/eni-1') }];
    case 'ec2 CreateTags': {
      const { resource, context } = own('instance/i-1');
      const [key = ''] = subject.split('=');
      const itself = { ...callOf('i-1'), 'ec2:InstanceID': 'i-1' };
      const keys = { ...itself, 'aws:TagKeys': [key, 'drowse:phase-at'], [`aws:RequestTag/${key}`]: 'x' };
      return [{ action: 'ec2:CreateTags', resource, context: { ...context, ...keys } }];
    }
    default:
      throw new Error(`The access test does not know ${line}`);
  }
}

describe('node scripts', () => {
  const questionsOf = (call: Recorded) =>
    requestsOf(call).flatMap((request) => [request, ...dependentsOf(request, OWN_KEY)]);
  const recorded = recordedCalls();

  test('every recorded call is allowed by the role of the node that makes it', async () => {
    expect(recorded.length).toBeGreaterThan(100);
    const denied: string[] = [];
    const asked = new Set<string>();
    for (const call of recorded) {
      for (const request of questionsOf(call)) {
        const question = JSON.stringify([call.role.id, request]);
        if (asked.has(question)) continue;
        asked.add(question);
        if (!(await isAllowed(call.role, request)))
          denied.push(`${call.where}: ${call.line} (${call.role.description})`);
      }
    }
    expect(denied).toEqual([]);
  });

  test.each(COMMANDS)('%s still calls what is assumed of it', (script, marker) => {
    expect(readFileSync(join(ROOT, 'userdata', script), 'utf8')).toContain(marker);
  });

  test('every action that a node is granted is one that its scripts or its agents call', () => {
    const agents = /^(ssmmessages|ec2messages):|^ssm:UpdateInstanceInformation$/;
    // By services of their own: ship-logs.sh, report-api.sh.
    const shipping = ['logs:CreateLogStream', 'logs:PutLogEvents', 'cloudwatch:PutMetricData'];
    // What the controllers in the cluster do under the seat's role is named there, each with who needs it.
    const platform = new Set(platformGrants(PLACE).map(({ sid }) => sid));
    const calls = recorded.map((call) => ({
      role: call.role.id,
      actions: questionsOf(call).map(({ action }) => action),
    }));
    const unused = [seatOf('0'), poolOf('general')].flatMap((role) => {
      const used = new Set(calls.filter((call) => call.role === role.id).flatMap(({ actions }) => actions));
      const fetched = ['s3:GetObject', 's3:PutObject'].flatMap((action) => [
        action,
        ...dependentsOf({ action }, OWN_KEY).map((request) => request.action),
      ]);
      return role.statements
        .filter(({ Sid }) => !platform.has(Sid ?? ''))
        .flatMap(actionsOf)
        .filter((action) => !agents.test(action) && ![...shipping, ...fetched, ...used].includes(action));
    });
    expect(unused).toEqual([]);
  });
});

describe('images in ECR', () => {
  const team = 'arn:aws:ecr:eu-west-1:123456789012:repository/team/a';
  const others = 'arn:aws:ecr:eu-west-1:123456789012:repository/teams';
  const actions = ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'];

  test('are pulled by every node from the repositories that the configuration names, and from no other', async () => {
    const config = `${CONFIG}\nregistries: { ecr: ['123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/*'] }`;
    const withEcr = rolesOf(synthesize(config));
    for (const role of [
      roleOfNodes(withEcr, 'drowse:seat', '0'),
      roleOfNodes(withEcr, 'drowse:pool', 'general'),
      roleOfNodes(withEcr, 'drowse:pool', 'gpu'),
    ]) {
      const may = (resource: string, names: readonly string[]) =>
        Promise.all(names.map((action) => isAllowed(role, { action, resource })));
      expect(await may('*', ['ecr:GetAuthorizationToken'])).toEqual([true]);
      expect(await may(team, actions)).toEqual([true, true, true]);
      expect(await may(others, actions)).toEqual([false, false, false]);
      expect(await may(team, ['ecr:PutImage'])).toEqual([false]);
    }
  });

  test('are nobody’s if it names none', () => {
    const ecr = [seatOf('0'), poolOf('general')]
      .flatMap(({ statements }) => statements.flatMap(actionsOf))
      .filter((action) => action.startsWith('ecr:'));
    expect(ecr).toEqual([]);
  });
});

test('only a seat reports metrics, in our namespace alone', async () => {
  const may = (role: SynthesizedRole, namespace: string) =>
    isAllowed(role, {
      action: 'cloudwatch:PutMetricData',
      resource: '*',
      context: { 'cloudwatch:namespace': namespace },
    });
  expect(await may(seatOf('0'), 'drowse')).toBe(true);
  expect(await may(seatOf('0'), 'AWS/EC2')).toBe(false);
  expect(await may(poolOf('gpu'), 'drowse')).toBe(false);
});

test('every node reads the images in the bucket, and a seat alone writes them', async () => {
  const may = (role: SynthesizedRole, action: string, key: string) =>
    isAllowed(role, { action: `s3:${action}`, resource: `${BUCKET}/${key}` });
  for (const role of [seatOf('0'), poolOf('general'), poolOf('gpu')])
    expect(await may(role, 'GetObject', 'images/list.json')).toBe(true);
  for (const action of ['PutObject', 'DeleteObject'])
    for (const key of ['images/list.json', `images/sha256/${'0'.repeat(64)}`])
      expect([await may(seatOf('0'), action, key), await may(poolOf('gpu'), action, key)]).toEqual([true, false]);
  // With the same right it deletes nothing else.
  expect(await may(seatOf('0'), 'DeleteObject', 'snapshots/x/etcd.db')).toBe(false);
});
