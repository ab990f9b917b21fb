import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const PROGRAM = join(__dirname, '../../userdata/lib/stale.jq');

/** What a boot of this instance knows beside the cluster's objects. */
interface Situation {
  readonly live?: readonly string[];
  readonly since?: string;
  readonly alone?: boolean;
}

/** What lib/stale.sh gets to hear: names, with a namespace where there is one. */
function stale(objects: readonly object[], { live = ['i-own', 'i-other'], since = '', alone = false }: Situation = {}) {
  const words = ['--self', 'i-own', '--host', 'ip-10-0-0-1', '--since', since, '--alone', String(alone)];
  const named = words.flatMap((word) => (word.startsWith('--') ? ['--arg', word.slice(2)] : [word]));
  const { stdout, stderr } = spawnSync('jq', [...named, '--from-file', PROGRAM, '--args', ...live], {
    input: JSON.stringify({ kind: 'List', items: objects }),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Record<'nodes' | 'attachments', string[]> &
    Record<'pods' | 'leases', { items: object[] }>;
}

const node = (name: string, address = '10.0.9.9') => ({
  kind: 'Node',
  metadata: { name },
  status: { addresses: [{ type: 'InternalIP', address }] },
});
const pod = (name: string, nodeName?: string) => ({
  kind: 'Pod',
  metadata: { name, namespace: 'app', uid: 'u' },
  spec: { nodeName },
});
const attachment = (name: string, nodeName: string) => ({
  kind: 'VolumeAttachment',
  metadata: { name },
  spec: { nodeName },
});
const lease = (holderIdentity: string | undefined, name = 'leader', namespace = 'kube-system') => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name, namespace, resourceVersion: '7' },
  spec: { holderIdentity, leaseDurationSeconds: 15, renewTime: '2026-11-29T08:00:00.123456Z' },
});
const AFTER = '2026-11-29T08:00:01Z';
const BEFORE = '2026-11-29T07:59:59Z';

test('of a cluster without objects nothing is stale', () => {
  const none = { apiVersion: 'v1', kind: 'List', items: [] };
  expect(stale([])).toEqual({ nodes: [], attachments: [], pods: none, leases: none });
});

test('Nodes, attachments and pods of instances that are gone, and no others', () => {
  const found = stale([
    ...[node('i-own'), node('i-other'), node('i-gone')],
    ...[attachment('one', 'i-own'), attachment('two', 'i-gone'), attachment('three', 'i-forgotten')],
    ...[pod('here', 'i-own'), pod('dead', 'i-gone'), pod('orphan', 'i-forgotten'), pod('pending')],
  ]);
  expect(found).toMatchObject({ nodes: ['i-gone'], attachments: ['two', 'three'] });
  const dead = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'app' } });
  expect(found.pods.items).toEqual([dead('dead'), dead('orphan')]);
});

const CLUSTER = [node('i-own', '10.0.0.1'), node('i-other', '10.0.0.2'), node('i-gone', '10.0.0.3')];
const PODS = [pod('here', 'i-own'), pod('there', 'i-other'), pod('dead', 'i-gone')];

type Row = [holder: string | undefined, what: string, situation: Situation, freed: boolean];
test.each<Row>([
  // The holder is on a gone node.
  ['ip-10-0-0-3_uuid', 'the host of a gone node', {}, true],
  ['i-gone_uuid', 'a gone node by its name', {}, true],
  ['dead_uuid', 'a pod on a gone node', {}, true],
  ['dead', 'a pod on a gone node, by its name alone', {}, true],
  ['dead-external-cert-manager-controller', "cert-manager's way to say so", {}, true],
  // Or it lives, or nobody knows.
  ['ip-10-0-0-2_uuid', 'the host of a living node', { since: AFTER }, false],
  ['there_uuid', 'a pod on a living node', { since: AFTER }, false],
  ['dead-2_uuid', 'a name that only begins like that of a dead pod', {}, false],
  ['elsewhere_uuid', 'somebody unknown', { since: AFTER }, false],
  [undefined, 'nobody', { since: AFTER, alone: true }, false],
  // On this very node: what counts is whether it was renewed since Kubernetes was stopped here.
  ['ip-10-0-0-1_uuid', 'this host, before', { since: AFTER }, true],
  ['here_uuid', 'a pod on this node, before', { since: AFTER }, true],
  ['ip-10-0-0-1_uuid', 'this host, since', { since: BEFORE }, false],
  ['ip-10-0-0-1_uuid', 'this host, and no boot asks', {}, false],
])('a leader lease of %s (%s; %j): freed %s', (holder, _what, situation, freed) => {
  const { leases } = stale([...CLUSTER, ...PODS, lease(holder)], situation);
  expect(leases.items).toHaveLength(freed ? 1 : 0);
});

test('an address that a new instance has taken over names nobody who is dead', () => {
  const taken = [node('i-gone', '10.0.0.1'), node('i-own', '10.0.0.1')];
  expect(stale([...taken, lease('ip-10-0-0-1_uuid')]).leases.items).toEqual([]);
  expect(stale([...taken, lease('ip-10-0-0-1_uuid')], { since: AFTER }).leases.items).toHaveLength(1);
});

test.each([
  ['kube-scheduler', AFTER, true, 1],
  ['kube-controller-manager', AFTER, true, 1],
  ['kube-scheduler', BEFORE, true, 0],
  ['kube-scheduler', AFTER, false, 0],
  ['something-else', AFTER, true, 0],
])('the lease %s of a host that left no trace, renewed before %s, the only seat: %s', (name, since, alone, count) => {
  expect(stale([lease('a-name-of-its-own_uuid', name)], { since, alone }).leases.items).toHaveLength(count);
});

test('a freed lease is what its holder would have left, and only of the version that was seen', () => {
  const [freed] = stale([...CLUSTER, lease('i-gone_uuid')]).leases.items;
  expect(freed).toEqual({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: 'leader', namespace: 'kube-system', resourceVersion: '7' },
    spec: { leaseDurationSeconds: 1, renewTime: '2026-11-29T08:00:00.123456Z' },
  });
});

test('heartbeats of nodes are no leader leases', () => {
  expect(stale([...CLUSTER, lease('i-gone', 'i-gone', 'kube-node-lease')]).leases.items).toEqual([]);
});
