import { statSync } from 'node:fs';
import { join } from 'node:path';
import { bake } from './support/case';
import { Life, startingFrom } from './support/life';
import { poolData, seatData } from './support/nodes';
import type { NodeData } from '../../lib/node';

jest.setTimeout(60_000);

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

test('mint-join-token writes what a pool node needs, and shows none of it', async () => {
  await node();
  const result = await command('mint-join-token', '--pool', 'gpu');
  expect(result).toEqual({
    ok: true,
    parameter: '/drowse/drowse/join/gpu',
    expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
  });
  const parameter = life.state.parameters['/drowse/drowse/join/gpu']!;
  expect(parameter.type).toBe('SecureString');
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
      const { value } = life.state.parameters[`/drowse/drowse/join/${pool}`] ?? { value: '{}' };
      return (JSON.parse(value) as { token?: string }).token;
    });
  const others: unknown[] = [];
  const run = await life.sandbox.run(['/opt/drowse/commands/mint-join-token.sh', '--pool', 'gpu'], {
    async onCommand() {
      others.push(await command('mint-join-token', '--pool', 'general'));
    },
  });
  expect(JSON.parse(run.stdout)).toMatchObject({ ok: true, parameter: '/drowse/drowse/join/gpu' });
  expect(others.length).toBeGreaterThan(8);
  for (const other of others) expect(other).toMatchObject({ ok: true, parameter: '/drowse/drowse/join/general' });
  expect(tokens()).toEqual(['abcdef.0123456789abcdef', 'fedcba.fedcba9876543210']);
});

test('what a killed run left in memory goes with the next one; what one that runs works on stays', async () => {
  await node();
  const scratch = (pid: number): string => `run/drowse/scratch/${String(pid)}`;
  // No process has this number.
  const [dead, running] = [2 ** 22 + 1, process.pid];
  for (const pid of [dead, running]) life.sandbox.write(`${scratch(pid)}/secret`, 'of a test');
  expect(await command('mint-join-token', '--pool', 'gpu')).toMatchObject({ ok: true });
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
  ['a value that could be code', ['--pool', '$(id)']],
  ['an option without a value', ['--pool']],
])('%s is refused by name', async (_what, options) => {
  await node();
  expect(await command('mint-join-token', ...options)).toMatchObject({ ok: false, error: 'BadArguments' });
  expect(life.sandbox.calls).toEqual(['']);
});

test('a command on a seat without an API server says so, with its log in the bucket', async () => {
  await node();
  life.sandbox.removePath('test/world/api-up');
  expect(await command('mint-join-token', '--pool', 'gpu')).toMatchObject({ ok: false, error: 'ApiNotReady' });
  expect(Object.keys(life.state.objects)).toContain(`logs/${life.cloud.self}/mint-join-token.log`);
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
        pod('slow', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
        pod('agent', {}, 'DaemonSet'),
        { metadata: { namespace: 'app', name: 'done' }, status: { phase: 'Succeeded' } },
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
    ],
    stuckPods: 3,
  });
});

test('delete-stale-nodes deletes what has no instance', async () => {
  await node();
  const { self } = life.cloud;
  life.sandbox.world(
    'objects',
    `Node i-gone \nNode ${self} \nVolumeAttachment csi-1 i-gone\nVolumeAttachment csi-2 ${self}\n`,
  );
  expect(await command('delete-stale-nodes')).toEqual({ ok: true, nodes: ['i-gone'], volumeAttachments: 1 });
});

test('delete-stale-nodes deletes nothing when EC2 shows not even this instance', async () => {
  await node();
  life.cloud.instance.state = 'terminated';
  life.sandbox.world('objects', 'Node i-gone \n');
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

test('smoke-test lists every check', async () => {
  await node();
  const ready = {
    metadata: { name: 'i-1' },
    status: { conditions: [{ type: 'Ready', status: 'True' }], allocatable: { 'nvidia.com/gpu': '1' } },
  };
  life.sandbox.world('nodes.json', JSON.stringify({ items: [ready] }));
  const result = await command('smoke-test');
  expect(result).toMatchObject({ ok: true });
  expect((result.checks as { name: string }[]).map(({ name }) => name)).toEqual([
    'etcd-quorum',
    'nodes-ready',
    'dns-available',
    'gpus-allocatable',
    'pod-starts',
  ]);
  life.sandbox.world('nodes.json', JSON.stringify({ items: [{ ...ready, status: { conditions: [] } }] }));
  expect(await command('smoke-test')).toMatchObject({ ok: false, error: 'SmokeTestFailed' });
});

test.each([
  ['seat', undefined],
  ['pool node that never joined', poolData()],
])('collect-diagnostics works on a %s', async (_what, data) => {
  await node(data);
  const result = await command('collect-diagnostics');
  expect(result).toMatchObject({ ok: true });
  expect(life.state.objects[String(result.key)]!.length).toBe(result.bytes);
});

test('ship-logs sends the journal once and remembers how far it got', async () => {
  await node();
  const run = await life.sandbox.run(['/opt/drowse/ship-logs.sh']);
  expect(run).toMatchObject({ code: 0 });
  expect(life.state.logEvents).toEqual(['drowse-node: hello']);
  expect(life.sandbox.read('var/lib/drowse/log-cursor')).toBe('s=1\n');
});
