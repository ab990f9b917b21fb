import type { NodeData } from '../../lib/node';
import { bake } from './support/case';
import { Life, startingFrom } from './support/life';
import { seatData } from './support/nodes';

/**
 * Every field of a seat's node data, changed in cluster.yaml (or by what follows from it) after a first boot: either the cluster
 * follows at the next boot, or the boot is refused by name, or it is a matter of this node alone.
 */
const CHANGES: Record<string, { to: unknown; then: 'follows' | 'own' | `failed:${string}` }> = {
  schema: { to: 2, then: 'failed:bad-document' },
  cluster: { to: 'other', then: 'failed:volume-missing' },
  region: { to: 'us-east-1', then: 'own' },
  domain: { to: 'amazonaws.eu', then: 'own' },
  bucket: { to: 'drowse-drowse-123456789012-us-east-1', then: 'own' },
  logGroup: { to: '/drowse/drowse/other', then: 'own' },
  role: { to: 'seat', then: 'own' },
  'seat.index': { to: 1, then: 'failed:volume-missing' },
  'seat.fixedIp': { to: '10.0.0.10', then: 'own' },
  'seat.ingress': { to: true, then: 'own' },
  'kubernetes.version': { to: '1.37.0', then: 'follows' },
  'kubernetes.podCidr': { to: '10.128.0.0/16', then: 'failed:networks-changed' },
  'kubernetes.serviceCidr': { to: '10.112.0.0/12', then: 'failed:networks-changed' },
  'kubernetes.proxyMode': { to: 'nftables', then: 'follows' },
  'endpoint.name': { to: 'api.other.internal', then: 'follows' },
  'endpoint.port': { to: 6444, then: 'follows' },
  'endpoint.seats': { to: ['10.0.0.10', '10.0.1.10', '10.0.2.10'], then: 'follows' },
};

let life: Life;
const lives: Life[] = [];
afterEach(async () => {
  for (const one of lives.splice(0)) await one.end();
});

const booted = startingFrom(async () => {
  const seat = new Life(seatData());
  bake(await seat.replace(), 'seat');
  expect((await seat.boot({ playCurl: true })).code).toBe(0);
  return seat;
});

async function firstBoot(): Promise<Life> {
  const one = await booted();
  lives.push(one);
  return one;
}

/** The next instance of the seat boots with this value in place of the field's. */
async function changed(
  ...changes: readonly [field: string, value: unknown][]
): Promise<{ phase: string; calls: string[] }> {
  await life.replace();
  bake(life.sandbox, 'seat');
  const data = JSON.parse(JSON.stringify(life.data)) as Record<string, Record<string, unknown>>;
  for (const [field, value] of changes) {
    // AWS is to be found under that domain, and no other.
    if (field === 'domain') life.state.domain = String(value);
    const [top = '', below] = field.split('.');
    if (below === undefined) Object.assign(data, { [top]: value });
    else data[top]![below] = value;
  }
  life.sandbox.write('etc/drowse/node.json', JSON.stringify(data));
  life.sandbox.write('test/calls', '');
  const { stderr } = await life.boot({ playCurl: true });
  // Before a node knows who it is, only its log says why.
  const phase = life.state.phases.at(-1) ?? `failed:${/fatal \[(\S+)\]/.exec(stderr)![1]!}`;
  return { phase, calls: life.sandbox.calls };
}

/** The phases of kubeadm that write what all nodes share. */
const FOLLOWS = ['init phase upload-config all', 'init phase addon all'].map(
  (phase) => `kubeadm ${phase} --config /etc/drowse/kubeadm-shared.yaml`,
);
const followed = (calls: readonly string[]): string[] => calls.filter((call) => FOLLOWS.includes(call));

function leaves(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? leaves(item, `${prefix}${key}.`)
      : [`${prefix}${key}`],
  );
}

test('the table has every field of a seat', () => {
  const data: NodeData = seatData();
  expect(Object.keys(CHANGES).sort()).toEqual(leaves(data).sort());
});

test.each(Object.entries(CHANGES))('%s after a first boot: $then', async (field, { to, then }) => {
  life = await firstBoot();
  const { phase, calls } = await changed([field, to]);
  expect(phase).toBe(then.startsWith('failed:') ? then : 'ready');
  expect(followed(calls)).toEqual(then === 'follows' ? FOLLOWS : []);
  // Refused is refused before anything starts.
  if (then.startsWith('failed:')) expect(calls.filter((call) => call.startsWith('kubeadm init '))).toEqual([]);
});

test('the first boot writes it once, the next one finds it there, and who deploys can read what runs', async () => {
  life = await firstBoot();
  expect(JSON.parse(life.state.parameters['/drowse/drowse/running']!.value)).toEqual({
    kubernetes: '1.36.3',
    podCidr: '10.244.0.0/16',
    serviceCidr: '10.96.0.0/12',
    seats: 1,
  });
  expect(followed((await changed()).calls)).toEqual([]);
});

test('two minors at once are refused with the way', async () => {
  life = await firstBoot();
  const { phase } = await changed(['kubernetes', { ...life.data.kubernetes, version: '1.38.0' }]);
  expect(phase).toBe('failed:kubernetes-skips-minor');
});

test('three seats that become one are refused', async () => {
  life = await firstBoot();
  await changed(['endpoint', { ...life.data.endpoint, seats: ['10.0.0.10', '10.0.1.10', '10.0.2.10'] }]);
  expect((await changed()).phase).toBe('failed:seats-removed');
});

test('a seat that is yet of an older version takes nothing back', async () => {
  life = await firstBoot();
  life.sandbox.write('test/volume/etcd/applied', `1.36.10 ${'0'.repeat(64)}`);
  expect(followed((await changed()).calls)).toEqual([]);
  life.sandbox.write('test/volume/etcd/applied', `1.36.2 ${'0'.repeat(64)}`);
  expect(followed((await changed()).calls)).toEqual(FOLLOWS);
});

test('what the cluster did not take is tried again by the next boot, and keeps no seat from its work', async () => {
  life = await firstBoot();
  await life.replace();
  bake(life.sandbox, 'seat');
  life.sandbox.removePath('test/volume/etcd/applied');
  life.sandbox.world('addon-refused');
  const run = await life.boot({ playCurl: true });
  expect(life.state.phases.at(-1)).toBe('ready');
  expect(run.stderr).toContain('does not follow the configuration yet');
  expect(followed((await changed()).calls)).toEqual(FOLLOWS);
});
