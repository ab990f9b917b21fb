import {
  hostPortsOf,
  requestsOf,
  schedule,
  stuckUpdates,
  whyNever,
  type SchedulerNode,
} from '../../lib/platform/check/scheduler';
import { portCollisions } from '../../lib/platform/check/ports';
import { parseWorkload, type WorkloadInput } from '../../lib/platform/facts/schema';

const SEAT: SchedulerNode = {
  name: 'seat 0',
  labels: { 'node-role.kubernetes.io/control-plane': '', size: '2' },
  taints: [{ key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }],
  allocatable: { cpu: 1000, memory: 1000 },
  gpus: 0,
  ports: [{ port: 10250, by: 'the kubelet' }],
};
const WORKER: SchedulerNode = {
  name: 'gpu 0',
  labels: { pool: 'gpu' },
  taints: [],
  allocatable: { cpu: 4000, memory: 8000 },
  gpus: 1,
  ports: [],
};
const ALL = [{ operator: 'Exists' as const }];
const ON_SEATS = { 'node-role.kubernetes.io/control-plane': '' };

function pod(
  name: string,
  rest: Partial<WorkloadInput> & { requests?: Record<string, string>; ports?: number[] } = {},
) {
  const { requests = {}, ports = [], ...fields } = rest;
  return parseWorkload({
    kind: 'Deployment',
    namespace: 'x',
    name,
    containers: [{ name: 'c', image: 'i', requests, ports: ports.map((port) => ({ port })) }],
    ...fields,
  });
}

describe('whyNever', () => {
  it.each<[string, SchedulerNode, Partial<WorkloadInput>, RegExp | undefined]>([
    ['a taint that is not tolerated', SEAT, {}, /has the taint node-role.kubernetes.io\/control-plane=:NoSchedule/],
    ['everything tolerated', SEAT, { tolerations: ALL }, undefined],
    [
      'the key tolerated',
      SEAT,
      { tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }] },
      undefined,
    ],
    [
      'the key tolerated, for another effect',
      SEAT,
      { tolerations: [{ operator: 'Exists', effect: 'NoExecute' }] },
      /taint/,
    ],
    [
      'an equal value, which is the default operator',
      SEAT,
      { tolerations: [{ key: 'node-role.kubernetes.io/control-plane' }] },
      undefined,
    ],
    ['another value', SEAT, { tolerations: [{ key: 'node-role.kubernetes.io/control-plane', value: 'x' }] }, /taint/],
    ['no key and no operator', SEAT, { tolerations: [{ value: 'x' }] }, /taint/],
    ['a label that is missing', WORKER, { nodeSelector: { pool: 'cpu' } }, /has no label pool=cpu/],
    ['a label that is there', WORKER, { nodeSelector: { pool: 'gpu' } }, undefined],
    ['In', WORKER, { nodeAffinity: [[{ key: 'pool', operator: 'In', values: ['gpu'] }]] }, undefined],
    ['NotIn', WORKER, { nodeAffinity: [[{ key: 'pool', operator: 'NotIn', values: ['gpu'] }]] }, /node affinity/],
    [
      'NotIn without the label',
      WORKER,
      { nodeAffinity: [[{ key: 'zone', operator: 'NotIn', values: ['a'] }]] },
      undefined,
    ],
    ['Exists', WORKER, { nodeAffinity: [[{ key: 'zone', operator: 'Exists' }]] }, /node affinity/],
    ['DoesNotExist', WORKER, { nodeAffinity: [[{ key: 'zone', operator: 'DoesNotExist' }]] }, undefined],
    ['Gt', SEAT, { tolerations: ALL, nodeAffinity: [[{ key: 'size', operator: 'Gt', values: ['1'] }]] }, undefined],
    [
      'Lt',
      SEAT,
      { tolerations: ALL, nodeAffinity: [[{ key: 'size', operator: 'Lt', values: ['1'] }]] },
      /node affinity/,
    ],
    [
      'one of two alternatives',
      WORKER,
      { nodeAffinity: [[{ key: 'zone', operator: 'Exists' }], [{ key: 'pool', operator: 'Exists' }]] },
      undefined,
    ],
  ])('%s', (_what, node, fields, expected) => {
    const reason = whyNever(node, pod('a', fields));
    if (expected === undefined) expect(reason).toBeUndefined();
    else expect(reason).toMatch(expected);
  });

  it('is not put off by a taint that is only preferred', () => {
    const node = { ...WORKER, taints: [{ key: 'a', effect: 'PreferNoSchedule' }] };
    expect(whyNever(node, pod('a'))).toBeUndefined();
  });
});

describe('schedule', () => {
  it.each<[string, ReturnType<typeof pod>[], RegExp | undefined]>([
    ['what fits', [pod('a', { requests: { cpu: '4', memory: '100Mi' } })], undefined],
    ['too much CPU', [pod('a', { requests: { cpu: '4100m' } })], /gpu 0: 4000m of CPU are left, of 4100m/],
    ['too much memory', [pod('a', { requests: { memory: '9Gi' } })], /gpu 0: 8000 MiB are left, of 9216 MiB/],
    ['a GPU too many', [pod('a', { requests: { 'nvidia.com/gpu': '1' }, replicas: 2 })], /gpu 0: 0 GPUs are left/],
    [
      'two with one port of the host',
      ['a', 'b'].map((name) => pod(name, { hostNetwork: true, ports: [80] })),
      /port 80 is Deployment x\/a's/,
    ],
    ['two with one port of their own network', ['a', 'b'].map((name) => pod(name, { ports: [80] })), undefined],
    [
      'two replicas that must not share a node',
      [pod('a', { replicas: 2, apart: true })],
      /has one of its pods already/,
    ],
    [
      'a DaemonSet where nobody has its label',
      [pod('a', { kind: 'DaemonSet', nodeSelector: { os: 'windows' } })],
      undefined,
    ],
    [
      'a DaemonSet too large for a node that must have it',
      [pod('a', { kind: 'DaemonSet', tolerations: ALL, requests: { cpu: '2' } })],
      /seat 0: 1000m of CPU are left/,
    ],
    // Without the order by choices the first would take the worker's room.
    [
      'one with a choice and one without',
      [pod('either', { tolerations: ALL, requests: { cpu: '900m' } }), pod('worker', { requests: { cpu: '3900m' } })],
      undefined,
    ],
  ])('%s', (_what, pods, expected) => {
    const { unplaced } = schedule([SEAT, WORKER], pods);
    if (expected === undefined) expect(unplaced).toEqual([]);
    else expect(unplaced.flatMap(({ reasons }) => reasons).join('\n')).toMatch(expected);
  });

  it('makes as many pods as a workload wants for so many nodes', () => {
    const typha = pod('typha', {
      tolerations: ALL,
      replicasByNodes: { 1: 1, 2: 2, 200: 3 },
      hostNetwork: true,
      ports: [5473],
    });
    const on = (nodes: SchedulerNode[]) =>
      schedule(nodes, [typha]).placed.reduce((sum, { pods }) => sum + pods.length, 0);
    expect([on([SEAT]), on([SEAT, WORKER]), on([SEAT, WORKER, { ...WORKER, name: 'gpu 1' }])]).toEqual([1, 2, 3]);
  });

  it('counts the largest of the containers that run first, and no port of theirs', () => {
    const both = pod('a', {
      hostNetwork: true,
      containers: [
        { name: 'first', image: 'i', init: true, requests: { cpu: '500m' }, ports: [{ port: 8081 }] },
        { name: 'one', image: 'i', requests: { cpu: '100m', memory: '10Mi' }, ports: [{ port: 1 }] },
        { name: 'two', image: 'i', requests: { cpu: '100m', memory: '10Mi' } },
      ],
    });
    expect(requestsOf(both)).toEqual({ cpu: 500, memory: 20 });
    expect(hostPortsOf(both)).toEqual([{ port: 1, protocol: 'TCP' }]);
  });
});

describe('the collision that kept a cluster from getting ready', () => {
  // The termination handler ignored `probesServerPort: 9095` and kept 8080, which the reloader beside Alertmanager has.
  const handler = (port: number) =>
    pod('aws-node-termination-handler', { hostNetwork: true, nodeSelector: ON_SEATS, tolerations: ALL, ports: [port] });
  const alertmanager = pod('alertmanager', {
    kind: 'StatefulSet',
    hostNetwork: true,
    nodeSelector: ON_SEATS,
    tolerations: ALL,
    containers: [
      { name: 'alertmanager', image: 'i', ports: [{ port: 9093 }] },
      { name: 'config-reloader', image: 'i', ports: [{ port: 8080 }] },
    ],
  });

  it('is found by the ports and by the scheduler', () => {
    expect(portCollisions([SEAT, WORKER], [handler(8080), alertmanager])).toEqual([
      "port 8080/TCP of a host is Deployment x/aws-node-termination-handler's and StatefulSet x/alertmanager's",
    ]);
    expect(schedule([SEAT, WORKER], [handler(8080), alertmanager]).unplaced).toEqual([
      {
        pod: 'StatefulSet x/alertmanager',
        reasons: [
          "seat 0: port 8080 is Deployment x/aws-node-termination-handler's",
          'gpu 0: has no label node-role.kubernetes.io/control-plane=',
        ],
      },
    ]);
  });

  it('is gone with a port of its own', () => {
    expect(portCollisions([SEAT, WORKER], [handler(9095), alertmanager])).toEqual([]);
    expect(schedule([SEAT, WORKER], [handler(9095), alertmanager]).unplaced).toEqual([]);
  });
});

describe('portCollisions', () => {
  const onHost = (name: string, ports: number[], listens: number[] = []) =>
    pod(name, {
      hostNetwork: true,
      containers: [{ name: 'c', image: 'i', ports: ports.map((port) => ({ port })), listens }],
    });

  it.each<[string, ReturnType<typeof pod>[], Record<string, number[]>, number]>([
    ['different ports', [onHost('a', [1]), onHost('b', [2])], {}, 0],
    ['one only says it in its arguments', [onHost('a', [1]), onHost('b', [], [1])], {}, 1],
    ['one has it by default', [onHost('a', [1]), onHost('b', [])], { b: [1] }, 1],
    ['the same workload twice', [onHost('a', [1], [1])], {}, 0],
    ['on other nodes', [onHost('a', [1]), { ...onHost('b', [1]), tolerations: ALL, nodeSelector: ON_SEATS }], {}, 0],
    [
      'TCP and UDP',
      [
        onHost('a', [1]),
        pod('b', { hostNetwork: true, containers: [{ name: 'c', image: 'i', ports: [{ port: 1, protocol: 'UDP' }] }] }),
      ],
      {},
      0,
    ],
    [
      'a port of the host asked for',
      [onHost('a', [80]), pod('b', { containers: [{ name: 'c', image: 'i', ports: [{ port: 8080, hostPort: 80 }] }] })],
      {},
      1,
    ],
  ])('%s', (_what, pods, defaults, expected) => {
    expect(portCollisions([SEAT, WORKER], pods, defaults)).toHaveLength(expected);
  });

  it('finds what takes the kubelet’s', () => {
    expect(portCollisions([SEAT], [pod('a', { hostNetwork: true, tolerations: ALL, ports: [10250] })])).toEqual([
      "port 10250/TCP of a host is the kubelet's and Deployment x/a's",
    ]);
  });
});

describe('stuckUpdates', () => {
  const rolling = (strategy: string | undefined, rest: Partial<WorkloadInput> = {}) =>
    pod('a', { hostNetwork: true, ports: [80], ...(strategy !== undefined && { strategy }), ...rest });

  it.each<[string, ReturnType<typeof pod>, SchedulerNode[], boolean]>([
    ['the default: a quarter of one pod is none', rolling('RollingUpdate'), [WORKER], true],
    ['a node more', rolling('RollingUpdate'), [WORKER, { ...WORKER, name: 'gpu 1' }], false],
    ['one that may be missing', rolling('RollingUpdate, maxSurge 100%, maxUnavailable 1'), [WORKER], false],
    ['a quarter of four', rolling('RollingUpdate, maxUnavailable 25%', { replicas: 4 }), [WORKER], false],
    ['the old one first', rolling('Recreate'), [WORKER], false],
    ['no port of the host', pod('a', { ports: [80], strategy: 'RollingUpdate' }), [WORKER], false],
    [
      'a DaemonSet that may miss none',
      rolling('RollingUpdate, maxUnavailable 0, maxSurge 1', { kind: 'DaemonSet' }),
      [WORKER],
      true,
    ],
    ['a DaemonSet', rolling('RollingUpdate, maxUnavailable 1', { kind: 'DaemonSet' }), [WORKER], false],
    ['on no node at all', rolling('RollingUpdate', { nodeSelector: { os: 'windows' } }), [WORKER], false],
  ])('%s', (_what, workload, nodes, isStuck) => {
    const { placed } = schedule(nodes, [workload]);
    expect(stuckUpdates(placed, [workload])).toHaveLength(isStuck ? 1 : 0);
  });
});
