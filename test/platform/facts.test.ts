import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { factProblems, staleFacts, systemProblems } from '../../lib/platform/check/chart-facts';
import { hostPortsOf, keyOf } from '../../lib/platform/check/scheduler';
import { factsOf, workloadOf } from '../../lib/platform/facts/extract';
import { digestOf, Helm, releaseBytes } from '../../lib/platform/facts/helm';
import { inputsOf, leavesOf } from '../../lib/platform/facts/inputs';
import { calicoWorkloads, prometheusWorkloads } from '../../lib/platform/facts/operators';
import { without } from '../../lib/platform/facts/render';
import { isBeside, parseFacts, readFacts, readSystem, type ReleaseFacts } from '../../lib/platform/facts/schema';
import { Source } from '../../lib/platform/facts/sources';
import { differences, removeOthers, writeFacts } from '../../lib/platform/facts/write';
import { at, type Manifest } from '../../lib/platform/manifest';
import { allManifests, readTree } from '../../lib/platform/tree';
import { changed, find } from './support';

const manifests = allManifests(readTree());
const facts = readFacts();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'drowse-facts-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('leavesOf and without', () => {
  const values = {
    a: { 'b.c': { d: 1, e: [1, 2] } },
    f: {},
    resources: { requests: { cpu: '1' }, limits: {} },
    g: null,
  };

  it('name each value that can be left out, requests and limits as one', () => {
    expect(leavesOf(values)).toEqual(['a.b.c.d', 'a.b.c.e', 'f', 'resources', 'g']);
  });

  it.each([
    ['a.b.c.d', { ...values, a: { 'b.c': { e: [1, 2] } } }],
    ['f', { a: values.a, resources: values.resources, g: null }],
    ['resources', { a: values.a, f: {}, g: null }],
  ])('leave out %s', (leaf, expected) => {
    expect(without(values, leaf)).toEqual(expected);
  });

  it('refuse what is not there', () => {
    expect(() => without(values, 'a.x')).toThrow(/no value x/);
  });
});

describe('a release that no longer fits its facts', () => {
  const release = find(manifests, 'HelmRelease', 'aws-node-termination-handler');
  const known = facts['aws-node-termination-handler']!;
  const problems = (one: Manifest, its: Partial<ReleaseFacts> = {}) =>
    factProblems([one], { [one.metadata.name]: { ...known, ...its } }).join('\n');

  it('is none as it stands', () => {
    expect(problems(release)).toBe('');
  });

  it.each<[string, Manifest, Partial<ReleaseFacts>, RegExp]>([
    [
      'a value that changed',
      changed(release, (copy) => Object.assign(at(copy, 'spec', 'values')!, { taintNode: false })),
      {},
      /its values, .* changed since it was rendered; run make platform-render/,
    ],
    [
      'a post-renderer that changed',
      changed(release, (copy) => Object.assign(at(copy, 'spec')!, { postRenderers: [] })),
      {},
      /changed since it was rendered/,
    ],
    [
      'another pin',
      release,
      { chart: { ...known.chart, pinned: '0.27.5' } },
      /is pinned to 0\.27\.6, and was rendered when it was 0\.27\.5; run make platform-render/,
    ],
    [
      'the value that kept port 8080 open, as its chart ignored it',
      release,
      { idle: ['probesServerPort'] },
      /probesServerPort changes nothing: aws-node-termination-handler does not know it, or has it by default/,
    ],
    ['a release that Helm can hardly keep', release, { releaseBytes: 1_000_000 }, /1000000 bytes .* of 1048576/],
  ])('is found: %s', (_what, one, its, expected) => {
    expect(problems(one, its)).toMatch(expected);
  });

  it('is found: one that nobody rendered, and facts of nobody', () => {
    expect(factProblems([release], {})[0]).toMatch(/it is not known what its chart makes of it/);
    expect(staleFacts([], { gone: known })).toEqual([expect.stringMatching(/gone\.yaml: no release has this name/)]);
    expect(systemProblems({ ...readSystem(), inputs: 'other' })).toEqual([
      expect.stringMatching(/platform\/flux\/patches changed/),
    ]);
  });

  it('is the same whatever the cluster: values are looked at before they are put in', () => {
    expect(inputsOf(release, [])).toBe(known.inputs);
    expect(JSON.stringify(at(release, 'spec', 'values'))).toContain('${region}');
  });
});

describe('generated facts', () => {
  it('are of the release that they are named after, and complete', () => {
    expect(Object.keys(facts).length).toBeGreaterThan(14);
    for (const [name, one] of Object.entries(facts)) {
      expect(one.release).toBe(name);
      expect(one.chart.digest).toMatch(/^[0-9a-f]{64}$/);
      expect(one.chart.source).not.toMatch(/does not say/);
      expect(one.idle).toEqual([]);
      expect(one.workloads.length).toBeGreaterThan(0);
    }
  });

  it('are of the very version that is pinned', () => {
    const beside = Object.values(readFacts()).filter(isBeside);
    expect(beside.map(({ release, chart }) => `${release}: rendered ${chart.version}, pinned ${chart.pinned}`)).toEqual(
      [],
    );
  });

  it('know what operators make: the reloader’s port beside Alertmanager', () => {
    const made = facts['kube-prometheus-stack']!.workloads.filter(({ madeBy }) => madeBy === 'prometheus-operator');
    expect(made.map(keyOf)).toEqual([
      'StatefulSet monitoring/alertmanager-monitoring-alertmanager',
      'StatefulSet monitoring/prometheus-monitoring-prometheus',
    ]);
    const [alertmanager] = made;
    const ports = alertmanager!.containers.flatMap((each) => [...each.ports.map(({ port }) => port), ...each.listens]);
    expect(ports).toEqual(expect.arrayContaining([8080, 9093, 9094]));
  });

  it('know the termination handler’s ports as it really has them', () => {
    const [handler] = facts['aws-node-termination-handler']!.workloads;
    expect(hostPortsOf(handler!)).toEqual([{ port: 9095, protocol: 'TCP' }]);
  });

  it('are refused with the way out if they were edited', () => {
    expect(() => parseFacts({ release: 'x' }, 'x.yaml')).toThrow(/x\.yaml: .*run make platform-render/s);
  });
});

describe('workloadOf', () => {
  const deployment = (spec: Record<string, unknown>, rest: Record<string, unknown> = {}): Manifest => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a' },
    spec: { ...rest, template: { spec } },
  });
  const listens = (container: Record<string, unknown>) =>
    workloadOf(deployment({ containers: [{ name: 'c', image: 'i', ...container }] }), 'x')!.containers[0]!.listens;

  it.each<[Record<string, unknown>, number[]]>([
    [{ args: ['--metrics-addr=127.0.0.1:9281', '--health-addr=:9291'] }, [9281, 9291]],
    [{ args: ['--http-endpoint=0.0.0.0:3301', '--port=80'] }, [80, 3301]],
    [{ args: ['--csi-address=/csi/csi.sock', '--prometheus-url=http://x:9090', '--v=10', '--metrics-port=0'] }, []],
    [
      {
        env: [
          { name: 'PROBES_SERVER_PORT', value: '8080' },
          { name: 'SUPPORT', value: '8081' },
        ],
      },
      [8080],
    ],
    [{ livenessProbe: { httpGet: { port: 9808 } }, readinessProbe: { tcpSocket: { port: 'named' } } }, [9808]],
    [{ args: ['--port=80'], ports: [{ containerPort: 80 }] }, []],
  ])('hears in %j ports %j', (container, expected) => {
    expect(listens(container)).toEqual(expected);
  });

  it('tells sidecars from containers that end', () => {
    const spec = {
      initContainers: [
        { name: 'ends', image: 'i' },
        { name: 'stays', image: 'i', restartPolicy: 'Always' },
      ],
      containers: [{ name: 'c', image: 'i' }],
    };
    expect(workloadOf(deployment(spec), 'x')!.containers.map(({ name, init }) => [name, init])).toEqual([
      ['ends', true],
      ['stays', false],
      ['c', false],
    ]);
  });

  it('leaves out what runs only when the release goes, and takes webhooks as strict unless they say otherwise', () => {
    const job = (hook: string): Manifest => ({
      ...deployment({ containers: [] }),
      kind: 'Job',
      metadata: { name: hook, annotations: { 'helm.sh/hook': hook } },
    });
    const webhook: Manifest = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'w' },
      webhooks: [{ name: 'a' }, { name: 'b', failurePolicy: 'Ignore' }],
    };
    const found = factsOf([job('pre-delete'), job('pre-install,pre-upgrade'), webhook], 'x');
    expect(found.workloads.map(({ name }) => name)).toEqual(['pre-install,pre-upgrade']);
    expect(found.webhooks!.map(({ failurePolicy }) => failurePolicy)).toEqual(['Fail', 'Ignore']);
  });
});

describe('an operator’s source that reads otherwise', () => {
  it('is an error that says where, and not an old answer', () => {
    const source = new Source('prometheus-operator', 'v9', {
      'pkg/operator/config_reloader.go': 'configReloaderPort = flag()',
    });
    expect(() => prometheusWorkloads([], source)).toThrow(
      /prometheus-operator v9: pkg\/operator\/config_reloader\.go no longer reads/,
    );
    const calico = new Source('tigera-operator', 'v9', { 'pkg/controller/installation/core_controller.go': '' });
    const installation = find(manifests, 'Installation', 'default');
    expect(() => calicoWorkloads(installation, calico)).toThrow(/core_controller\.go no longer reads/);
    expect(() => source.text('gone.go')).toThrow(/gone\.go was not read/);
  });
});

describe('what changed', () => {
  const before = {
    images: ['a:1', 'b:1'],
    workloads: [{ kind: 'Deployment', namespace: 'x', name: 'a', replicas: 1 }],
  };

  it('is said in a line each, elements of lists by their names', () => {
    const after = {
      images: ['a:2', 'b:1'],
      workloads: [{ kind: 'Deployment', namespace: 'x', name: 'a', replicas: 2 }],
      releaseBytes: 5,
    };
    expect(differences(before, after)).toEqual([
      'images a:1: gone: a:1',
      'images a:2: new: a:2',
      'workloads Deployment x a replicas: 1 → 2',
      'releaseBytes: new: 5',
    ]);
    expect(differences(before, structuredClone(before))).toEqual([]);
  });

  it('is written once: the same facts on another day are no change', () => {
    const file = path.join(folder, 'x.yaml');
    expect(writeFacts(file, { ...before, renderedOn: '2026-01-01' })).not.toEqual([]);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^# Written by make platform-render/);
    expect(writeFacts(file, { ...before, renderedOn: '2026-02-02' })).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('takes away files of releases that are gone', () => {
    for (const name of ['a', 'b']) writeFileSync(path.join(folder, `${name}.yaml`), '');
    expect(removeOthers(folder, ['a'])).toEqual(['b.yaml']);
  });
});

describe('Helm', () => {
  it('that is not there is asked for by name', async () => {
    const helm = new Helm(path.join(folder, 'helm'));
    await expect(helm.version()).rejects.toThrow(
      /helm is not there: install Helm 3 \(helm\.sh\), or name it by --helm/,
    );
    helm.close();
  });
});

describe('a chart’s folder', () => {
  beforeEach(() => {
    mkdirSync(path.join(folder, 'templates'));
    writeFileSync(path.join(folder, 'Chart.yaml'), 'name: x\nversion: 1.0.0\n');
    writeFileSync(path.join(folder, 'values.yaml'), 'a: 1\n');
    writeFileSync(path.join(folder, 'templates', 'a.yaml'), 'kind: ConfigMap\n');
  });

  it('has the digest of what it holds, however its Chart.yaml is laid out', () => {
    const digest = digestOf(folder);
    writeFileSync(path.join(folder, 'Chart.yaml'), 'version: "1.0.0"\nname: "x"\n');
    expect(digestOf(folder)).toBe(digest);
    writeFileSync(path.join(folder, 'values.yaml'), 'a: 2\n');
    expect(digestOf(folder)).not.toBe(digest);
  });

  it('weighs what Helm keeps of it: files, values and what was rendered, and no charts within', () => {
    const weigh = (manifest = 'x') => releaseBytes(folder, { name: 'r', namespace: 'n', values: {}, manifest });
    const light = weigh();
    expect(light).toBeGreaterThan(300);
    expect(light % 4).toBe(0);
    const random = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7919) % 251)).toString('hex');
    expect(weigh(random)).toBeGreaterThan(light);
    mkdirSync(path.join(folder, 'charts', 'within'), { recursive: true });
    writeFileSync(path.join(folder, 'charts', 'within', 'a'), random);
    expect(weigh()).toBe(light);
    writeFileSync(path.join(folder, 'extra.txt'), random);
    expect(weigh()).toBeGreaterThan(light);
  });
});
