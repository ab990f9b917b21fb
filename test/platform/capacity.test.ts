import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PLACES, readChartFacts, type Workload } from '../../lib/platform/charts';
import {
  add,
  mebibytes,
  milliCpu,
  platformRequests,
  requestsOf,
  type Resources,
} from '../../lib/platform/check/capacity';
import { at } from '../../lib/platform/manifest';
import { parseYaml } from '../../lib/platform/manifest';
import { allManifests, readTree } from '../../lib/platform/tree';

const USERDATA = path.join(__dirname, '..', '..', 'userdata');

/** Sizes as EC2 sells them; what the kernel keeps of the memory is in `usable`, as measured on Nitro instances. */
const T3_MEDIUM = { cpus: 2, memoryMiB: 4096 };
const G4DN_XLARGE = { cpus: 4, memoryMiB: 16_384 };

/**
 * What kubeadm's static pods request, and what they use of memory, of which they request nothing: a small cluster's working
 * sets (API server 450 MiB, controller manager 90, scheduler 50, etcd 150). Source of the requests: kubeadm's
 * app/phases/controlplane/manifests.go and app/phases/etcd/local.go.
 */
const STATIC_PODS: Resources = { cpu: 250 + 200 + 100 + 100, memory: 450 + 90 + 50 + 150 };
/** Flux's three controllers and kube-proxy. */
const FLUX: Resources = { cpu: 75, memory: 224 };
const KUBE_PROXY: Resources = { cpu: 0, memory: 40 };

const tree = readTree();
const manifests = allManifests({ ...tree, examples: {} });
const facts = readChartFacts();

/** CoreDNS has two pods, and both may be on one node. */
function coreDns(): Resources {
  const deployment = manifests.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'coredns');
  const requests = at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'resources', 'requests');
  const one = { cpu: milliCpu(at(requests, 'cpu')), memory: mebibytes(at(requests, 'memory')) };
  return add(one, one);
}

/** What the kubelet keeps back on a node of this size: the node scripts' own reservations and its eviction threshold. */
function reserved({ cpus, memoryMiB }: typeof T3_MEDIUM): Resources {
  const script = `
import json
source = open(${JSON.stringify(path.join(USERDATA, 'lib', 'render.py'))}, encoding='utf-8').read()
exec(source[:source.rindex('main(')])
print(json.dumps(reserved(${String(cpus)}, ${String(memoryMiB)})))`;
  const kube: unknown = JSON.parse(execFileSync('python3', ['-c', script], { encoding: 'utf8' }));
  const template = readFileSync(path.join(USERDATA, 'templates', 'seat', 'kubeadm-init.yaml'), 'utf8');
  // The template's placeholders are not YAML: they are of no interest here.
  const kubelet = parseYaml(template.replaceAll(/\{\{ [^}]+ \}\}/g, 'x'), 'kubeadm-init.yaml').find(
    (document) => at(document, 'kind') === 'KubeletConfiguration',
  );
  return add(
    { cpu: milliCpu(at(kube, 'cpu')), memory: mebibytes(at(kube, 'memory')) },
    { cpu: milliCpu(at(kubelet, 'systemReserved', 'cpu')), memory: mebibytes(at(kubelet, 'systemReserved', 'memory')) },
    { cpu: 0, memory: mebibytes(at(kubelet, 'evictionHard', 'memory.available')) },
  );
}

describe('the default cluster', () => {
  it('takes less than 70 % of its control plane, reservations included', () => {
    const taken = add(
      reserved(T3_MEDIUM),
      STATIC_PODS,
      FLUX,
      KUBE_PROXY,
      coreDns(),
      platformRequests(manifests, facts, ['control-plane', 'every', 'either']),
    );
    expect(taken.cpu / (T3_MEDIUM.cpus * 1000)).toBeLessThan(0.7);
    expect(taken.memory / T3_MEDIUM.memoryMiB).toBeLessThan(0.7);
    // A sum that lost its parts would pass as well.
    expect(taken.cpu).toBeGreaterThan(900);
    expect(taken.memory).toBeGreaterThan(2000);
  });

  it('leaves at least 40 % of its one worker to the app, with everything else on it', () => {
    const taken = add(
      reserved(G4DN_XLARGE),
      KUBE_PROXY,
      coreDns(),
      platformRequests(manifests, facts, ['worker', 'every', 'either', 'gpu']),
    );
    expect(1 - taken.cpu / (G4DN_XLARGE.cpus * 1000)).toBeGreaterThanOrEqual(0.4);
    expect(1 - taken.memory / G4DN_XLARGE.memoryMiB).toBeGreaterThanOrEqual(0.4);
    expect(taken.cpu).toBeGreaterThan(500);
    expect(taken.memory).toBeGreaterThan(2000);
  });
});

describe('requestsOf', () => {
  const workload: Workload = {
    kind: 'Deployment',
    namespace: 'x',
    name: 'x',
    on: PLACES[0],
    pods: 1,
    containers: ['a.b', { requests: { cpu: '5m', memory: '1Gi' }, why: 'x' }],
    hostPorts: [],
  };

  it('adds up what values and facts say, also below a key with a dot', () => {
    expect(requestsOf(workload, { a: { b: { requests: { cpu: '1', memory: '512Mi' } } } })).toEqual({
      cpu: 1005,
      memory: 1536,
    });
    expect(
      requestsOf(
        { ...workload, containers: ['g.ini.b'] },
        { 'g.ini': { b: { requests: { cpu: '0.5', memory: '1024Ki' } } } },
      ),
    ).toEqual({ cpu: 500, memory: 1 });
  });

  it('refuses a container without requests, and a unit that it does not know', () => {
    expect(() => requestsOf(workload, { a: { b: {} } })).toThrow(/no requests for CPU and memory/);
    expect(() => mebibytes('10M')).toThrow(/no quantity/);
  });
});
