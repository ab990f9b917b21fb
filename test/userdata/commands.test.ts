import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeRequest } from '../../cli/drowse/reach/request';
import { bake } from './support/case';
import { Life, startingFrom } from './support/life';
import { poolData, seatData } from './support/nodes';
import type { NodeData } from '../../lib/node';

let life: Life;
afterEach(async () => life.end());

/** A seat that is up, so that there is something to command. */
const bootedSeat = startingFrom(async () => {
  const seat = new Life(seatData());
  bake(await seat.replace(), 'seat');
  expect((await seat.boot({ playCurl: true })).code).toBe(0);
  seat.sandbox.write('test/calls', '');
  return seat;
});

/** The node on which commands run: a seat that is up, or one of this data that never booted. */
async function node(data?: NodeData): Promise<void> {
  if (data === undefined) {
    life = await bootedSeat();
    return;
  }
  life = new Life(data);
  bake(await life.replace(), data.role);
  life.sandbox.write('test/calls', '');
}

/** The command's result, which must be the only thing on its standard output. */
async function command(name: string, ...options: string[]): Promise<Record<string, unknown>> {
  const run = await life.sandbox.run([`/opt/drowse/commands/${name}.sh`, ...options]);
  expect(run.stdout.trimEnd().split('\n')).toHaveLength(1);
  const result = JSON.parse(run.stdout) as Record<string, unknown>;
  expect(run.code).toBe(result.ok === true ? 0 : 1);
  expect(life.problems).toEqual([]);
  return result;
}

function mode(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

/** Instances that join. */
const [JOINING, LATER] = ['i-0bbbbbbbbbbbbbbbb', 'i-0cccccccccccccccc'];

test('an instance that comes to wait for a second token keeps the parameter that is its own', async () => {
  await node();
  const words = ['mint-join-token', '--pool', 'gpu', '--instance-ids', JOINING] as const;
  await command(...words);
  const parameter = life.state.parameters[`/drowse/drowse/join/gpu/${JOINING}`]!;
  const before = { ...parameter };
  expect(await command(...words)).toMatchObject({ ok: true });
  const after = life.state.parameters[`/drowse/drowse/join/gpu/${JOINING}`]!;
  expect(after.tags).toEqual(before.tags);
  expect(life.sandbox.calls.filter((call) => call.includes('PutParameter'))).toHaveLength(3);
});

test('mint-join-token writes what a pool node needs, and shows none of it', async () => {
  await node();
  const result = await command('mint-join-token', '--pool', 'gpu', '--instance-ids', `${JOINING},${LATER}`);
  const names = [JOINING, LATER].map((id) => `/drowse/drowse/join/gpu/${id}`);
  expect(result).toEqual({
    ok: true,
    parameters: names,
    expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
  });
  const parameter = life.state.parameters[names[0]!]!;
  expect(parameter.type).toBe('SecureString');
  // Who may read it is in its tag: the role of a pool asks for the ARN of the instance that calls.
  expect(names.map((name) => life.state.parameters[name]?.tags)).toEqual(
    [JOINING, LATER].map((id) => ({ 'drowse:only-for': `arn:aws:ec2:us-east-1:123456789012:instance/${id}` })),
  );
  // A token may ask for one instance's certificate; the cluster's own group is what lets it read what a join needs.
  for (const id of [JOINING, LATER])
    expect(life.sandbox.read('test/calls')).toContain(
      `--groups system:bootstrappers:kubeadm:default-node-token,system:bootstrappers:drowse:${id}`,
    );
  expect(JSON.parse(parameter.value)).toEqual({
    endpoint: 'api.drowse.drowse.internal:6443',
    token: 'abcdef.0123456789abcdef',
    caHash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
    expiresAt: result.expiresAt,
  });
  expect(life.sandbox.read('test/calls')).not.toContain('0123456789abcdef');
  expect(life.sandbox.read('run/drowse/mint-join-token.log')).not.toContain('0123456789abcdef');
});

test('two pools that join at once get each its own token, whenever the one comes between two commands of the other', async () => {
  await node();
  const tokens = (): unknown[] =>
    ['gpu', 'general'].map((pool) => {
      const { value } = life.state.parameters[`/drowse/drowse/join/${pool}/${JOINING}`] ?? { value: '{}' };
      return (JSON.parse(value) as { token?: string }).token;
    });
  const others: unknown[] = [];
  const run = await life.sandbox.run(
    ['/opt/drowse/commands/mint-join-token.sh', '--pool', 'gpu', '--instance-ids', JOINING],
    {
      async onCommand() {
        others.push(await command('mint-join-token', '--pool', 'general', '--instance-ids', JOINING));
      },
    },
  );
  expect(JSON.parse(run.stdout)).toMatchObject({ ok: true, parameters: [`/drowse/drowse/join/gpu/${JOINING}`] });
  expect(others.length).toBeGreaterThan(8);
  for (const other of others)
    expect(other).toMatchObject({ ok: true, parameters: [`/drowse/drowse/join/general/${JOINING}`] });
  expect(tokens()).toEqual(['abcdef.0123456789abcdef', 'fedcba.fedcba9876543210']);
});

test('what a killed run left in memory goes with the next one; what one that runs works on stays', async () => {
  await node();
  const scratch = (pid: number): string => `run/drowse/scratch/${String(pid)}`;
  // No process has this number.
  const [dead, running] = [2 ** 22 + 1, process.pid];
  for (const pid of [dead, running]) life.sandbox.write(`${scratch(pid)}/secret`, 'of a test');
  expect(await command('mint-join-token', '--pool', 'gpu', '--instance-ids', JOINING)).toMatchObject({ ok: true });
  expect(life.sandbox.has(scratch(dead))).toBe(false);
  expect(life.sandbox.has(scratch(running))).toBe(true);
});

test('drain-nodes names so many stuck pods as an answer has room for, and counts all', async () => {
  await node();
  const names = Array.from({ length: 30 }, (_, i) => `i-${String(i).padStart(17, '0')}`);
  life.sandbox.world('nodes.json', JSON.stringify({ items: names.map((name) => ({ metadata: { name } })) }));
  life.sandbox.world('drain-fails', 'error when evicting pods\n');
  const metadata = { namespace: 'n'.repeat(63), name: 'p'.repeat(253), finalizers: [`example.com/${'f'.repeat(200)}`] };
  const pods = Array.from({ length: 3 }, () => ({ metadata, status: { phase: 'Running' } }));
  life.sandbox.world('pods.json', JSON.stringify({ items: pods }));
  const result = await command('drain-nodes', '--per-node-seconds', '60');
  expect(result).toMatchObject({ ok: true, drained: [], stuckPods: 90 });
  expect(result.stuck).toHaveLength(40);
  // What Run Command keeps of an answer; beside them there may be the names of as many drained nodes as a cluster has.
  expect(JSON.stringify(result).length).toBeLessThan(20_000);
});

test.each([
  ['no option', []],
  ['an unknown option', ['--pool', 'gpu', '--force', 'yes']],
  ['a value that could be code', ['--pool', '$(id)', '--instance-ids', JOINING]],
  ['an instance that is a path', ['--pool', 'gpu', '--instance-ids', '../kubeconfig']],
  ['a list with an empty instance', ['--pool', 'gpu', '--instance-ids', `${JOINING},`]],
  ['an option without a value', ['--pool']],
])('%s is refused by name', async (_what, options) => {
  await node();
  expect(await command('mint-join-token', ...options)).toMatchObject({ ok: false, error: 'BadArguments' });
  expect(life.sandbox.calls).toEqual(['']);
});

test('a command on a seat without an API server says so, with its log in the bucket', async () => {
  await node();
  life.sandbox.removePath('test/world/api-up');
  expect(await command('mint-join-token', '--pool', 'gpu', '--instance-ids', JOINING)).toMatchObject({
    ok: false,
    error: 'ApiNotReady',
  });
  expect(Object.keys(life.state.objects)).toContain(`logs/${life.cloud.arn}/mint-join-token.log`);
});

test('drain-nodes empties pool nodes only', async () => {
  await node();
  life.sandbox.world(
    'nodes.json',
    JSON.stringify({ items: [{ metadata: { name: 'i-2' } }, { metadata: { name: 'i-1' } }] }),
  );
  expect(await command('drain-nodes', '--per-node-seconds', '60')).toEqual({
    ok: true,
    drained: ['i-1', 'i-2'],
    stuck: [],
    stuckPods: 0,
  });
  const calls = life.sandbox.calls;
  expect(calls.findIndex((call) => call.includes('cordon i-1 i-2'))).toBeLessThan(
    calls.findIndex((call) => call.includes('drain i-')),
  );
  expect(calls.find((call) => call.includes('get nodes'))).toContain(
    '--selector !node-role.kubernetes.io/control-plane',
  );
});

test('drain-nodes names the pods that do not leave, and why', async () => {
  await node();
  life.sandbox.world('nodes.json', JSON.stringify({ items: [{ metadata: { name: 'i-1' } }] }));
  life.sandbox.world(
    'drain-fails',
    'error when evicting pods/"web" -n "app": Cannot evict pod as it would violate the pod\'s disruption budget.\n',
  );
  const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  const pod = (name: string, more: object = {}, owner = 'ReplicaSet') => ({
    metadata: { namespace: 'app', name, ownerReferences: [{ kind: owner }], ...more },
    status: { phase: 'Running' },
  });
  life.sandbox.world(
    'pods.json',
    JSON.stringify({
      items: [
        pod('web'),
        pod('held', { finalizers: ['example.com/hold'] }),
        pod('slow', going),
        pod('agent', {}, 'DaemonSet'),
        { metadata: { namespace: 'app', name: 'done' }, status: { phase: 'Succeeded' } },
        {
          ...pod('held-too', { finalizers: ['example.com/hold', 'example.com/more'], ...going }),
          status: { phase: 'Failed' },
        },
        { ...pod('kept', { finalizers: ['example.com/hold'] }), status: { phase: 'Failed' } },
      ],
    }),
  );
  expect(await command('drain-nodes', '--per-node-seconds', '60')).toEqual({
    ok: true,
    drained: [],
    stuck: [
      { pod: 'app/web', node: 'i-1', reason: 'its disruption budget forbids it' },
      { pod: 'app/held', node: 'i-1', reason: 'waits for the finalizer example.com/hold' },
      { pod: 'app/slow', node: 'i-1', reason: 'still terminating' },
      { pod: 'app/held-too', node: 'i-1', reason: 'waits for the finalizer example.com/hold, example.com/more' },
    ],
    stuckPods: 4,
  });
});

test('a node that was not drained is told of, whether a pod is to blame or not', async () => {
  await node();
  life.sandbox.world('nodes.json', JSON.stringify({ items: [{ metadata: { name: 'i-1' } }] }));
  life.sandbox.world('drain-fails', 'There are pending nodes to be drained:\n i-1\nerror: the server was not found\n');
  expect(await command('drain-nodes', '--per-node-seconds', '60')).toMatchObject({
    drained: [],
    stuck: [{ pod: '', node: 'i-1', reason: 'error: the server was not found' }],
  });
});

test('whatever fails on a full etcd says so by name', async () => {
  await node();
  life.sandbox.world('nodes.json', JSON.stringify({ items: [{ metadata: { name: 'i-1' } }] }));
  life.sandbox.world('cordon-fails', 'error: unable to cordon node "i-1": etcdserver: mvcc: database space exceeded\n');
  expect(await command('drain-nodes', '--per-node-seconds', '60')).toMatchObject({ ok: false, error: 'EtcdNoSpace' });
});

test.each([
  ['a sleep', 'sleep', 1],
  ['a schedule', 'schedule', 0],
])('the snapshot of %s defragments etcd: %s, %i times', async (_what, reason, times) => {
  await node();
  life.sandbox.world('alarms', 'memberID:10276657743932975437 alarm:NOSPACE\n');
  expect(await command('snapshot-etcd', '--reason', reason)).toMatchObject({ ok: true });
  const calls = life.sandbox.calls.filter((call) => / (defrag|alarm disarm)/.test(call));
  expect(calls).toHaveLength(2 * times);
  expect(life.sandbox.has('test/world/alarms')).toBe(times === 0);
});

test('a full etcd that stays full is saved, and keeps a cluster awake, as nothing could wake on it', async () => {
  await node();
  life.sandbox.world('alarms', 'memberID:10276657743932975437 alarm:NOSPACE\n');
  life.sandbox.world('defrag-fails');
  expect(await command('snapshot-etcd', '--reason', 'sleep')).toMatchObject({ ok: false, error: 'EtcdNoSpace' });
  expect(Object.keys(life.state.objects).filter((key) => key.endsWith('/manifest.json'))).toHaveLength(1);
});

test('issue-kubeconfig stores credentials that hold for hours, and shows none of them', async () => {
  await node();
  expect(await command('issue-kubeconfig')).toEqual({ ok: true, parameter: '/drowse/drowse/kubeconfig', hours: 12 });
  expect(life.state.parameters['/drowse/drowse/kubeconfig']).toMatchObject({ type: 'SecureString' });
  expect(life.sandbox.read('test/calls')).toContain('--org kubeadm:cluster-admins --validity-period 12h');
});

describe('issue-certificate', () => {
  const PERSON = 'Developers/ann@example.com';
  const sign = (request: string, user = PERSON, groups = 'drowse:operators') =>
    command('issue-certificate', '--user', user, '--groups', groups, '--request', request);
  /** A request by OpenSSL, of a key that it makes: DER in base64. */
  const requestOf = (...words: string[]): string =>
    execFileSync('openssl', ['req', '-new', '-nodes', '-keyout', '/dev/null', '-outform', 'DER', ...words], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString('base64');
  const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

  test('signs what the command has made, for one person and hours, by the cluster’s authority', async () => {
    await node();
    const { key, request } = makeRequest();
    const result = await sign(request, PERSON, 'drowse:operators,team/a:b.c_d-e');
    const [certificate, ca] = [result.certificate, result.ca].map((pem) => new X509Certificate(String(pem)));
    expect(certificate?.subject).toBe(`CN=${PERSON}\nO=drowse:operators\nO=team/a:b.c_d-e`);
    expect(certificate?.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate?.verify(ca!.publicKey)).toBe(true);
    expect(String(result.ca)).toBe(life.sandbox.read('etc/kubernetes/pki/ca.crt').trimEnd());
    expect([certificate?.ca, certificate?.keyUsage]).toEqual([false, ['1.3.6.1.5.5.7.3.2']]);
    const { validFromDate, validToDate } = certificate!;
    expect(validToDate.toISOString()).toBe(String(result.expiresAt).replace('Z', '.000Z'));
    const hours = (validToDate.getTime() - Date.now()) / 3_600_000;
    expect([hours > 11.9, hours <= 12, validFromDate.getTime() < Date.now()]).toEqual([true, true, true]);
    expect(JSON.stringify(result)).not.toContain('PRIVATE KEY');
  });

  test('takes nothing of a request but its key: no subject, no other names, no rights', async () => {
    await node();
    const greedy = requestOf(
      ...P256,
      ...['-subj', '/O=system:masters/CN=kubernetes-admin', '-addext', 'subjectAltName=DNS:api.drowse.drowse.internal'],
      ...['-addext', 'basicConstraints=CA:TRUE', '-addext', 'extendedKeyUsage=serverAuth'],
    );
    const { certificate } = await sign(greedy);
    const { subject, subjectAltName, ca, keyUsage } = new X509Certificate(String(certificate));
    expect({ subject, subjectAltName, ca, keyUsage }).toEqual({
      subject: `CN=${PERSON}\nO=drowse:operators`,
      subjectAltName: undefined,
      ca: false,
      keyUsage: ['1.3.6.1.5.5.7.3.2'],
    });
  });

  test.each(['a/O=system:masters', 'a+O=system:masters', 'a,O=system:masters', '-subj', '@/_=+,.:'])(
    'a person called %s is called so, and is in no other group',
    async (user) => {
      await node();
      const { certificate } = await sign(makeRequest().request, user);
      const { O, CN } = new X509Certificate(String(certificate)).toLegacyObject().subject;
      expect([O, CN]).toEqual(['drowse:operators', user]);
    },
  );

  const tampered = (): string => {
    const request = Buffer.from(makeRequest().request, 'base64');
    request[request.length - 3]! ^= 1;
    return request.toString('base64');
  };
  test.each([
    ['an RSA key', () => requestOf('-newkey', 'rsa:2048', '-subj', '/')],
    ['another curve', () => requestOf('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp384r1', '-subj', '/')],
    ['Ed25519', () => requestOf('-newkey', 'ed25519', '-subj', '/')],
    ['a signature of another key', tampered],
    ['no request', () => Buffer.alloc(100, 'no request').toString('base64')],
  ])('refuses %s', async (_what, make) => {
    await node();
    expect(await sign(make())).toMatchObject({ ok: false, error: 'BadRequest' });
  });

  test.each([
    ['a name that a shell would read', [makeRequest().request, '$(id)']],
    ['a name that no certificate can carry', [makeRequest().request, 'a'.repeat(65)]],
    ['an empty group', [makeRequest().request, PERSON, 'drowse:operators,']],
    ['a request that is too long', ['A'.repeat(1004)]],
    ['a request in another alphabet', [`${'A'.repeat(120)}'; id; '`]],
  ] as [string, [string, string?, string?]][])('refuses %s before anything reads it', async (_what, words) => {
    await node();
    expect(await sign(...words)).toMatchObject({ ok: false, error: 'BadArguments' });
    expect(life.sandbox.calls).toEqual(['']);
  });

  test('a seat whose configuration names people stores no shared administrator', async () => {
    const data = seatData();
    life = new Life({ ...data, seat: { ...data.seat!, namedOperators: true } });
    bake(await life.replace(), 'seat');
    expect((await life.boot({ playCurl: true })).code).toBe(0);
    expect(Object.keys(life.state.parameters)).not.toContain('/drowse/drowse/kubeconfig');
    // The way in when nothing else leads in.
    expect(await command('issue-kubeconfig')).toMatchObject({ ok: true });
    expect(Object.keys(life.state.parameters)).toContain('/drowse/drowse/kubeconfig');
  });
});

test('delete-stale-nodes deletes what has no instance', async () => {
  await node();
  const { self } = life.cloud;
  const on = (nodeName: string, kind: string, name: string) => ({
    kind,
    metadata: { name, namespace: 'app' },
    spec: { nodeName, holderIdentity: `web-of-${nodeName}_1` },
  });
  const items = ['i-gone', self].flatMap((node) => [
    { kind: 'Node', metadata: { name: node } },
    on(node, 'VolumeAttachment', `csi-of-${node}`),
    on(node, 'Pod', `web-of-${node}`),
    on(node, 'Lease', `lease-of-${node}`),
  ]);
  life.sandbox.world('objects.json', JSON.stringify({ items }));
  expect(await command('delete-stale-nodes')).toEqual({ ok: true, nodes: ['i-gone'], volumeAttachments: 1 });
  const changes = life.sandbox.calls.filter((call) => / (delete|replace|patch) /.test(call));
  expect(changes.map((call) => call.replace(/.*--request-timeout 30s /, ''))).toEqual([
    expect.stringMatching(/^replace --filename \S+\/leases.json$/),
    'delete volumeattachment csi-of-i-gone --wait=false --ignore-not-found',
    'patch volumeattachment csi-of-i-gone --type merge --patch {"metadata":{"finalizers":null}}',
    expect.stringMatching(
      /^delete --filename \S+\/pods.json --force --grace-period 0 --wait=false --ignore-not-found$/,
    ),
    'delete node i-gone --ignore-not-found --wait=false',
  ]);
});

test('delete-stale-nodes deletes nothing when EC2 shows not even this instance', async () => {
  await node();
  life.cloud.instance.state = 'terminated';
  life.sandbox.world('objects.json', JSON.stringify({ items: [{ kind: 'Node', metadata: { name: 'i-gone' } }] }));
  expect(await command('delete-stale-nodes')).toMatchObject({ ok: false, error: 'StaleNotDeleted' });
  expect(life.sandbox.calls.filter((call) => call.includes('kubectl') && call.includes('delete'))).toEqual([]);
});

test('snapshot-etcd stores a whole set: data, sealed authorities, manifest last', async () => {
  await node();
  const result = await command('snapshot-etcd', '--reason', 'sleep');
  expect(result).toMatchObject({
    ok: true,
    bytes: 8,
    revision: 42,
    key: expect.stringMatching(/^snapshots\/.*-sleep\/etcd\.db$/) as string,
  });
  const prefix = String(result.key).replace('etcd.db', '');
  expect(life.sandbox.calls.filter((call) => call.startsWith('aws s3 PUT'))).toEqual(
    ['etcd.db', 'authorities.age', 'manifest.json'].map((name) => `aws s3 PUT ${prefix}${name}`),
  );
  expect(life.state.objects[`${prefix}authorities.age`]!.toString('latin1')).toMatch(/^age-encryption\.org/);
});

test('snapshot-etcd tells Prometheus, also after the next sleep', async () => {
  await node();
  const { at, bytes } = await command('snapshot-etcd', '--reason', 'sleep');
  const file = 'var/lib/drowse/metrics/snapshot-sleep.prom';
  const told = life.sandbox.read(file);
  expect(told.split('\n').filter((line) => !line.startsWith('#'))).toEqual([
    expect.stringMatching(/^drowse_etcd_snapshot_timestamp_seconds\{reason="sleep"\} \d+$/),
    `drowse_etcd_snapshot_bytes{reason="sleep"} ${String(bytes)}`,
    '',
  ]);
  const seconds = Number(/timestamp_seconds\{.*\} (\d+)/.exec(told)![1]);
  expect(Math.abs(Date.parse(String(at)) / 1000 - seconds)).toBeLessThanOrEqual(1);
  const second = await life.replace();
  expect(second.has(file)).toBe(false);
  bake(second, 'seat');
  expect((await life.boot()).code).toBe(0);
  expect(second.read(file)).toBe(told);
  // Node exporter is nobody: it passes through the first and reads the rest.
  const modes = ['var/lib/drowse', 'var/lib/drowse/metrics', file].map((path) => mode(join(second.root, path)));
  expect(modes).toEqual(['711', '755', '644']);
});

test('a snapshot counts, whether Prometheus can be told or not', async () => {
  await node();
  life.sandbox.removePath('var/lib/drowse/metrics');
  life.sandbox.write('var/lib/drowse/metrics', 'in the way');
  expect(await command('snapshot-etcd', '--reason', 'manual')).toMatchObject({ ok: true });
  expect(life.sandbox.read('run/drowse/snapshot-etcd.log')).toContain('metrics snapshot-manual cannot be written');
});

test('two snapshots at once are taken one after the other', async () => {
  await node();
  const both = await Promise.all([
    command('snapshot-etcd', '--reason', 'schedule'),
    command('snapshot-etcd', '--reason', 'sleep'),
  ]);
  for (const { ok, key, bytes } of both) {
    expect({ ok, stored: life.state.objects[String(key)]?.length }).toEqual({ ok: true, stored: bytes });
    expect(life.state.objects).toHaveProperty([String(key).replace('etcd.db', 'manifest.json')]);
  }
  const calls = life.sandbox.read('test/calls').matchAll(/ snapshot (save|status) /g);
  expect([...calls].map(([, what]) => what)).toEqual(['save', 'status', 'save', 'status']);
});

test('snapshot-etcd stores nothing that does not pass its own check', async () => {
  await node();
  life.sandbox.world('snapshot-broken');
  expect(await command('snapshot-etcd', '--reason', 'manual')).toMatchObject({ ok: false, error: 'SnapshotBroken' });
  expect(life.sandbox.has('var/lib/drowse/metrics/snapshot-manual.prom')).toBe(false);
  expect(Object.keys(life.state.objects).filter((key) => key.endsWith('etcd.db'))).toEqual([]);
});

test('restore-etcd refuses a snapshot of another cluster, one that was changed, and one that is not there', async () => {
  await node();
  const { key } = (await command('snapshot-etcd', '--reason', 'manual')) as { key: string };
  const restore = () => command('restore-etcd', '--key', key, '--dry-run', 'true');
  expect(await restore()).toMatchObject({ ok: true, dryRun: true });
  const manifest = key.replace('etcd.db', 'manifest.json');
  const original = life.state.objects[manifest]!;
  life.state.objects[manifest] = Buffer.from(original.toString().replace('"cluster":"drowse"', '"cluster":"other"'));
  expect(await restore()).toMatchObject({ ok: false, error: 'SnapshotForeign' });
  life.state.objects[manifest] = original;
  life.state.objects[key] = Buffer.from('changed!');
  expect(await restore()).toMatchObject({ ok: false, error: 'SnapshotBroken' });
  life.state.objects = {};
  expect(await restore()).toMatchObject({ ok: false, error: 'SnapshotMissing' });
});

describe('smoke-test', () => {
  const ready = [{ type: 'Ready', status: 'True' }];
  const gpuNode = {
    metadata: { name: 'i-1' },
    spec: {},
    status: { conditions: ready, allocatable: { 'nvidia.com/gpu': '1' } },
  };
  const podOf = (status: object) => ({
    metadata: { namespace: 'app', name: 'one' },
    spec: { nodeName: 'i-1' },
    status,
  });
  const dnsPod = (nodeName: string, conditions: object[]) => ({
    metadata: { name: 'coredns-1' },
    spec: { nodeName },
    status: { conditions },
  });
  const world = (name: string, items: object[]) => life.sandbox.world(name, JSON.stringify({ items }));
  const checks = (result: Record<string, unknown>) => {
    const list = result.checks as { name: string; ok: boolean; detail: string }[];
    return Object.fromEntries(list.map(({ name, ok, detail }) => [name, { ok, detail }]));
  };

  beforeEach(async () => {
    await node();
    world('nodes.json', [gpuNode]);
    world('dns-pods.json', [dnsPod(life.cloud.instance.id, ready)]);
    world('job-pods.json', [podOf({ phase: 'Succeeded', conditions: ready })]);
  });

  it('lists every check, and what nvidia-smi says', async () => {
    const result = await command('smoke-test', '--checks', 'all');
    expect(result).toMatchObject({ ok: true });
    expect(Object.keys(checks(result))).toEqual([
      'etcd-quorum',
      'nodes-ready',
      'dns-available',
      'gpus-allocatable',
      'pod-starts',
      'nvidia-smi',
    ]);
    expect(checks(result)['nvidia-smi']).toEqual({ ok: true, detail: 'Tesla T4, 580.95.05, 15360 MiB' });
  });

  it('runs nvidia-smi alone where nothing else is asked for, and shows all of it', async () => {
    expect(await command('smoke-test', '--checks', 'gpu')).toEqual({
      ok: true,
      checks: [{ name: 'nvidia-smi', ok: true, detail: 'Tesla T4, 580.95.05, 15360 MiB' }],
      nvidiaSmi: expect.stringContaining('| NVIDIA-SMI 580.95.05 |\n| "GPU"  Name |') as string,
    });
    expect(life.sandbox.calls.join('\n')).not.toMatch(/pod-starts|etcdctl/);
  });

  it.each([
    ['of an instance that is gone', false, ready, 'no pod is ready on an instance that runs: coredns-1 on i-gone'],
    ['that is not ready', true, [], /^no pod is ready on an instance that runs: coredns-1 on i-0/],
    ['of an instance that runs', true, ready, '1 of 1 pods are ready on instances that run'],
  ])('asks a DNS pod %s', async (_, runs, conditions, detail) => {
    world('dns-pods.json', [dnsPod(runs ? life.cloud.instance.id : 'i-gone', conditions)]);
    const found = checks(await command('smoke-test', '--checks', 'all'))['dns-available'];
    expect(found).toEqual({
      ok: runs && conditions === ready,
      detail: typeof detail === 'string' ? detail : (expect.stringMatching(detail) as string),
    });
  });

  it('can run again while its namespace goes, which somebody deleted', async () => {
    life.sandbox.world('namespace-goes', '');
    expect(await command('smoke-test', '--checks', 'all')).toMatchObject({ ok: true });
    expect(await command('smoke-test', '--checks', 'all')).toMatchObject({ ok: true });
  });

  it.each([
    ['no node offers a GPU', [{ ...gpuNode, status: { conditions: ready } }], []],
    [
      'all GPUs are in use, by app/one',
      [gpuNode],
      [{ ...podOf({}), spec: { nodeName: 'i-1', containers: [{ resources: { limits: { 'nvidia.com/gpu': '1' } } }] } }],
    ],
  ])('leaves nvidia-smi out where it would get no GPU: %s', async (why, nodes, pods) => {
    world('nodes.json', nodes);
    world('pods.json', pods);
    const [check] = ((await command('smoke-test', '--checks', 'all')).checks as { name: string }[]).filter(
      ({ name }) => name === 'nvidia-smi',
    );
    expect(check).toEqual({ name: 'nvidia-smi', ok: true, detail: `not run: ${why}` });
  });

  it('says of a GPU that does not work what the pod said', async () => {
    const terminated = { reason: 'Error', message: 'NVIDIA-SMI has failed' };
    world('job-pods.json', [
      podOf({ phase: 'Failed', conditions: ready, containerStatuses: [{ state: { terminated } }] }),
    ]);
    const result = await command('smoke-test', '--checks', 'all');
    expect(result).toMatchObject({ ok: false, error: 'SmokeTestFailed' });
    expect(checks(result)['nvidia-smi']).toEqual({ ok: false, detail: 'Failed on i-1; Error: NVIDIA-SMI has failed' });
    expect(checks(result)['pod-starts']?.ok).toBe(true);
  });

  it('names a node that is not ready, and never fails without a cause', async () => {
    world('nodes.json', [{ ...gpuNode, status: { conditions: [] } }]);
    const result = await command('smoke-test', '--checks', 'all');
    expect(result).toMatchObject({ ok: false, error: 'SmokeTestFailed' });
    expect(checks(result)['nodes-ready']).toEqual({ ok: false, detail: 'not ready: i-1' });
    const failed = Object.values(checks(result)).filter(({ ok }) => !ok);
    expect(failed.map(({ detail }) => detail)).not.toContain('');
  });
});

test.each([
  ['seat', undefined],
  ['pool node that never joined', poolData()],
])('collect-diagnostics works on a %s', async (_what, data) => {
  await node(data);
  const result = await command('collect-diagnostics');
  expect(result).toMatchObject({ ok: true });
  expect(life.state.objects[String(result.key)]!.length).toBe(result.bytes);
  const archive = life.state.objects[String(result.key)]!;
  const list = execFileSync('tar', ['--list', '--gzip'], { input: archive, encoding: 'utf8' });
  expect(list).toMatch(/connections\.txt[^]*iptables\.txt[^]*sockets\.txt/);
  // Each is there: what a node lacks is an error in the archive, and of no use to anybody.
  const shown = execFileSync('tar', ['--extract', '--gzip', '--to-stdout', './connections.txt'], {
    input: archive,
    encoding: 'utf8',
  });
  expect(shown).toBe('conntrack said\n');
});

describe('report-api', () => {
  const report = () => life.sandbox.run(['/opt/drowse/report-api.sh']);

  test('tells CloudWatch that the API of this seat answers', async () => {
    await node();
    expect(await report()).toMatchObject({ code: 0 });
    expect(life.state.metrics).toEqual(['drowse ApiReady Cluster=drowse Seat=0 1']);
    expect(life.problems).toEqual([]);
  });

  test('says nothing of an API that does not answer', async () => {
    await node();
    life.sandbox.removePath('test/world/api-up');
    const { code, stderr } = await report();
    expect([code, life.state.metrics]).toEqual([1, []]);
    expect(stderr).toContain('[api-not-ready]');
  });

  test('says why CloudWatch took nothing', async () => {
    await node();
    life.state.refuse.PutMetricData = 'AccessDenied';
    const { code, stderr } = await report();
    expect(code).toBe(1);
    expect(stderr).toContain('[metric-not-taken] CloudWatch takes no metric (AccessDenied)');
  });
});

describe('ship-logs of a seat', () => {
  const AUDIT = 'var/log/kubernetes/audit.log';
  const event = (uri: string) =>
    `${JSON.stringify({ verb: 'delete', requestURI: uri, requestReceivedTimestamp: '2026-11-20T08:00:00.123456Z' })}\n`;
  const ship = () => life.sandbox.run(['/opt/drowse/ship-logs.sh']);
  const shipped = () => life.state.logEvents.filter((line) => !line.startsWith('drowse-node: '));
  beforeEach(async () => {
    await node();
    // What the API server of the tests would have written.
    life.sandbox.removePath('var/log/kubernetes');
    life.state.logEvents = [];
  });

  test('sends its audit log and the pods of kube-system, each line once, in whole lines', async () => {
    const pod = 'var/log/pods/kube-system_etcd-i-1_0a1b/etcd/0.log';
    life.sandbox.write(AUDIT, `${event('/a')}${event('/b').slice(0, 20)}`);
    life.sandbox.write(pod, '2026-11-20T07:59:59.5Z stderr F slow disk\n');
    life.sandbox.write('var/log/pods/app_x_0a1b/x/0.log', '2026-11-20T07:59:59.5Z stdout F of an app\n');
    expect(await ship()).toMatchObject({ code: 0 });
    expect(shipped()).toEqual([
      `audit: ${event('/a').trimEnd()}`,
      'kube-system_etcd-i-1_0a1b: 2026-11-20T07:59:59.5Z stderr F slow disk',
    ]);
    life.sandbox.write(AUDIT, `${event('/a')}${event('/b')}`);
    await ship();
    await ship();
    expect(shipped().slice(2)).toEqual([`audit: ${event('/b').trimEnd()}`]);
  });

  test('reads a log that was turned over to its end, and the new one from its start', async () => {
    life.sandbox.write(AUDIT, event('/a'));
    await ship();
    const file = join(life.sandbox.root, AUDIT);
    appendFileSync(file, event('/b'));
    renameSync(file, file.replace('.log', '-2026-11-20T08-00-00.000.log'));
    life.sandbox.write(AUDIT, event('/c'));
    await ship();
    expect(shipped()).toEqual(['/a', '/b', '/c'].map((uri) => `audit: ${event(uri).trimEnd()}`));
  });

  test('sends again what CloudWatch has not taken', async () => {
    life.sandbox.write(AUDIT, event('/a'));
    life.state.refuse.PutLogEvents = 'ThrottlingException';
    expect(await ship()).toMatchObject({ code: 1 });
    delete life.state.refuse.PutLogEvents;
    await ship();
    expect(shipped()).toEqual([`audit: ${event('/a').trimEnd()}`]);
  });

  test('catches up with more than one call takes, in order', async () => {
    const events = Array.from({ length: 12_000 }, (_, index) => event(`/${String(index)}`));
    life.sandbox.write(AUDIT, events.join(''));
    expect(await ship()).toMatchObject({ code: 0 });
    expect(shipped()).toEqual(events.map((line) => `audit: ${line.trimEnd()}`));
  });
});

test('ship-logs sends the journal once and remembers how far it got', async () => {
  await node();
  const run = await life.sandbox.run(['/opt/drowse/ship-logs.sh']);
  expect(run).toMatchObject({ code: 0 });
  expect(life.state.logEvents).toEqual(['drowse-node: hello']);
  expect(life.sandbox.read('var/lib/drowse/log-cursor')).toBe('s=1\n');
});
