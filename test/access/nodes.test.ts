import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { platformGrants } from '../../lib/platform';
import { ACCOUNT, ROOT, synthesize } from '../support/stacks';
import { type IamRequest, isAllowed } from './support/evaluate';
import { arn, tagged } from './support/requests';
import { actionsOf, roleOfNodes, rolesOf, type SynthesizedRole } from './support/roles';

/** The configuration that the node scripts' cases are told in: three seats, and pools `general` and `gpu`. */
const CONFIG = `
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
  ['commands/mint-join-token.sh', 'parameter_put "join/', 'aws ssm PutParameter /drowse/drowse/join/general'],
  ['commands/snapshot-etcd.sh', 's3_put ', 'aws s3 PUT snapshots/x/etcd.db'],
  ['commands/restore-etcd.sh', 's3_get ', 'aws s3 GET snapshots/x/etcd.db'],
  ['lib/platform.sh', 's3_get ', 'aws s3 GET platform/bootstrap/flux.yaml'],
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

function requestsOf({ line, tags }: Recorded): IamRequest[] {
  const [, service = '', action = '', subject = ''] = line.split(' ');
  const own = (resource: string) => ({ resource: arn('ec2', resource), context: tagged(tags) });
  if (action.startsWith('Describe')) return [{ action: `${service}:${action}`, resource: '*' }];
  switch (`${service} ${action}`) {
    case 's3 GET':
      return [{ action: 's3:GetObject', resource: `${BUCKET}/${subject}` }];
    case 's3 PUT':
      return [{ action: 's3:PutObject', resource: `${BUCKET}/${subject}` }];
    case 'ssm GetParameter':
    case 'ssm PutParameter':
      return [{ action: `ssm:${action}`, resource: arn('ssm', `parameter${subject}`) }];
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
      const keys = { 'aws:TagKeys': [key, 'drowse:phase-at'], [`aws:RequestTag/${key}`]: 'x' };
      return [{ action: 'ec2:CreateTags', resource, context: { ...context, ...keys } }];
    }
    default:
      throw new Error(`The access test does not know ${line}`);
  }
}

describe('node scripts', () => {
  const recorded = recordedCalls();

  test('every recorded call is allowed by the role of the node that makes it', async () => {
    expect(recorded.length).toBeGreaterThan(100);
    const denied: string[] = [];
    const asked = new Set<string>();
    for (const call of recorded) {
      for (const request of requestsOf(call)) {
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
    const shipping = ['logs:CreateLogStream', 'logs:PutLogEvents'];
    // What the controllers in the cluster do under the seat's role is named there, each with who needs it.
    const platform = new Set(platformGrants(PLACE).map(({ sid }) => sid));
    const calls = recorded.map((call) => ({
      role: call.role.id,
      actions: requestsOf(call).map(({ action }) => action),
    }));
    const unused = [seatOf('0'), poolOf('general')].flatMap((role) => {
      const used = new Set(calls.filter((call) => call.role === role.id).flatMap(({ actions }) => actions));
      const fetched = ['s3:GetObject', 's3:PutObject'];
      return role.statements
        .filter(({ Sid }) => !platform.has(Sid ?? ''))
        .flatMap(actionsOf)
        .filter((action) => !agents.test(action) && ![...shipping, ...fetched, ...used].includes(action));
    });
    expect(unused).toEqual([]);
  });
});
