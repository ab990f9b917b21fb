import { add, mebibytes, milliCpu, type Resources } from '../../lib/platform/check/capacity';
import { nodesOf, reservedOf, sizeOf } from '../../lib/platform/check/nodes';
import { placementProblems, workloadsOf } from '../../lib/platform/check/placement';
import { requestsOf, schedule } from '../../lib/platform/check/scheduler';
import { readFacts, readSystem } from '../../lib/platform/facts/schema';
import type { ClusterConfig } from '../../core/config/schema';
import { substitute } from '../../lib/platform/substitute';
import { substitutions } from '../../lib/platform/substitutions';
import { readTree } from '../../lib/platform/tree';
import { configOf, DEPLOYED, example } from './support';

/**
 * What kubeadm's static pods and Kubernetes' own use of memory and do not request: a small cluster's working sets (API server
 * 450 MiB, controller manager 90, scheduler 50, etcd 150 of which 100 are requested; kube-proxy 40).
 */
const UNREQUESTED: Resources = { cpu: 0, memory: 450 + 90 + 50 + 50 + 40 };

const facts = readFacts();
const system = readSystem();

function workloads(config: ClusterConfig) {
  const values = substitutions(config, DEPLOYED);
  const tree = readTree(config.platform);
  const manifests = tree.layers.flatMap((layer) => layer.manifests).map((manifest) => substitute(manifest, values));
  return { tree, workloads: workloadsOf(manifests, facts, system) };
}

describe.each([
  ['default', ''],
  ['minimal', 'platform: { overlay: minimal }'],
  ['infra-app-gpu', example('infra-app-gpu')],
  ['high-availability', example('high-availability')],
])('the configuration %s', (_name, text) => {
  const config = configOf(text);

  it('has a node for every pod, and no port of a host twice', () => {
    const { tree, workloads: all } = workloads(config);
    expect(all.length).toBeGreaterThan(25);
    expect(placementProblems(config, tree, all, system, sizeOf)).toEqual([]);
  });

  it('names instance types whose size is known', () => {
    const types = [...config.controlPlane.instanceTypes, ...config.pools.flatMap(({ instanceTypes }) => instanceTypes)];
    expect(types.filter((type) => sizeOf(type, config) === undefined)).toEqual([]);
  });
});

describe('a cluster that is too small', () => {
  it('is found: a seat without room for what runs on seats', () => {
    const config = configOf('controlPlane: { instanceTypes: [t3.small] }');
    const { tree, workloads: all } = workloads(config);
    const tiny = (type: string) => (type === 't3.small' ? { cpus: 2, memoryMiB: 1024 } : sizeOf(type, config));
    const problems = placementProblems(config, tree, all, system, tiny);
    expect(problems.join('\n')).toMatch(
      /cluster-autoscaler finds no node, and layer scaling waits for it: seat 0: .* MiB/,
    );
  });
});

describe('the default cluster', () => {
  const config = configOf();
  const { placed, unplaced } = schedule(nodesOf(config, sizeOf, system.kubelet), workloads(config).workloads);
  const takenOn = (name: string) =>
    add(
      ...placed
        .find(({ node }) => node.name === name)!
        .pods.filter(({ namespace }) => namespace !== 'ghibli')
        .map(requestsOf),
    );

  it('places everything', () => {
    expect(unplaced).toEqual([]);
  });

  it('takes less than 70 % of its control plane, reservations included', () => {
    const size = sizeOf('t3.medium', config)!;
    const taken = add(reservedOf(size), takenOn('seat 0'), UNREQUESTED);
    expect(taken.cpu / (size.cpus * 1000)).toBeLessThan(0.7);
    expect(taken.memory / size.memoryMiB).toBeLessThan(0.7);
    // A sum that lost its parts would pass as well.
    expect(taken.cpu).toBeGreaterThan(900);
    expect(taken.memory).toBeGreaterThan(1900);
  });

  it('leaves at least 40 % of its one worker to the app, with everything else on it', () => {
    const size = sizeOf('g4dn.xlarge', config)!;
    const taken = add(reservedOf(size), takenOn('gpu 0'), { cpu: 0, memory: 40 });
    expect(1 - taken.cpu / (size.cpus * 1000)).toBeGreaterThanOrEqual(0.4);
    expect(1 - taken.memory / size.memoryMiB).toBeGreaterThanOrEqual(0.4);
    expect(taken.cpu).toBeGreaterThan(500);
    expect(taken.memory).toBeGreaterThan(2000);
  });
});

describe('quantities', () => {
  it.each([
    ['100m', 100],
    ['1', 1000],
    ['0.5', 500],
  ])('%s of CPU is %d thousandths', (quantity, expected) => {
    expect(milliCpu(quantity)).toBe(expected);
  });

  it.each([
    ['512Mi', 512],
    ['1Gi', 1024],
    ['1024Ki', 1],
    ['1048576', 1],
    ['0', 0],
  ])('%s of memory is %d MiB', (quantity, expected) => {
    expect(mebibytes(quantity)).toBe(expected);
  });

  it('refuse what is none', () => {
    expect(() => mebibytes('10Quux')).toThrow(/no quantity/);
    expect(() => milliCpu('much')).toThrow(/no quantity/);
  });
});
