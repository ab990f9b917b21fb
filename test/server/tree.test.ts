import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig, parseConfig } from '../../lib/config/load';
import type { ClusterConfig } from '../../core/config/schema';
import { clusterManifest } from '../../lib/platform/cluster-manifest';
import { readYaml, toManifest, type Manifest } from '../../lib/platform/manifest';
import { exampleNames, readTree } from '../../lib/platform/tree';
import { clusterObjects, DEPLOYED } from '../platform/support';
import { apply, get, kinds, kubectl, must, type Kind, type Verdict } from './kubectl';
import { podsMissing } from './pods';
import { renderRelease } from './releases';
import { kubernetesVersion, readServer } from './server';

const server = readServer();
const EXAMPLES = path.join(__dirname, '..', '..', 'examples');
const EVERY_EXAMPLE = `
pools:
  - { name: web, instanceTypes: [m5.large], ingress: true, labels: { workload-type: executor } }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, min: 0, desired: 0 }
platform: { examples: [${exampleNames().join(', ')}] }`;
const CONFIGS: readonly (readonly [string, ClusterConfig])[] = [
  ['the minimal overlay', parseConfig('platform: { overlay: minimal }\n')],
  ...readdirSync(EXAMPLES).map((file) => [`examples/${file}`, loadConfig(path.join(EXAMPLES, file))] as const),
  ['every example turned on', parseConfig(EVERY_EXAMPLE)],
  ['the default', parseConfig('')],
];

const isDefinition = ({ kind }: Manifest) => kind === 'CustomResourceDefinition';
const isRelease = ({ kind }: Manifest) => kind === 'HelmRelease';

/** Everything that the tree itself has for a configuration; what Flux is told comes first. */
function objectsOf(config: ClusterConfig): Manifest[] {
  const cluster = clusterManifest(config, DEPLOYED).items as unknown as Manifest[];
  return [...clusterObjects(config), ...cluster];
}

/** The objects of all YAML files below a folder, as Flux reads one without a kustomization.yaml. */
function objectsIn(folder: string): Manifest[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
  return files.flatMap((file) => readYaml(path.join(folder, file)).map((document) => toManifest(document, file)));
}

/** Namespaces and classes before what is in or of them. */
function inOrder(objects: readonly Manifest[]): Manifest[][] {
  const first = new Set(['Namespace', 'PriorityClass', 'RuntimeClass', 'StorageClass']);
  return [objects.filter(({ kind }) => first.has(kind)), objects.filter(({ kind }) => !first.has(kind))];
}

/** Runs kubectl until it says something: a policy is in force some seconds after it was made. */
async function said(args: readonly string[], words: string): Promise<void> {
  const until = Date.now() + 300_000;
  while (!kubectl(args).stderr.includes(words)) {
    if (Date.now() > until) throw new Error(`kubectl ${args.join(' ')} never said: ${words}`);
    await sleep(1000);
  }
}

/** Kinds as Helm's `--api-versions` wants them. */
function apiVersions(known: readonly Kind[]): string[] {
  return [...new Set(known.flatMap(({ version, kind }) => [version, `${version}/${kind}`]))].sort();
}

/** An object of a release that names no namespace is in its release's. */
function inNamespace(manifest: Manifest, namespace: string, known: readonly Kind[]): Manifest {
  const found = known.find(({ version, kind }) => version === manifest.apiVersion && kind === manifest.kind);
  if (manifest.metadata.namespace !== undefined || found?.namespaced !== true) return manifest;
  return { ...manifest, metadata: { ...manifest.metadata, namespace } };
}

beforeAll(() => {
  const flux = server.definitions.flatMap(objectsIn);
  const archives = readTree().layers.flatMap(({ chart, path: folder }) =>
    // An archive has all below a folder of the chart's name.
    chart === undefined
      ? []
      : objectsIn(path.join(server.charts[chart]!, path.relative(folder.split('/')[0]!, folder))),
  );
  const charts = clusterObjects()
    .filter(isRelease)
    .flatMap((release) => renderRelease(release, []));
  const definitions = [...flux, ...archives, ...charts].filter(isDefinition);
  // Warnings of definitions are their projects' own.
  expect(apply(definitions).refused).toEqual([]);
  must(['wait', '--for=condition=Established', '--timeout=300s', 'customresourcedefinitions', '--all']);

  // What kubeadm makes of a cluster, as far as the tree changes it.
  const version = `--kubernetes-version=${kubernetesVersion()}`;
  const kubeadm = ['init', 'phase', 'addon', 'coredns', `--kubeconfig=${server.kubeconfig}`, version];
  execFileSync(server.programs.kubeadm, kubeadm, { stdio: 'pipe' });

  // DaemonSets make pods for nodes only.
  const nodes = {
    seat: { 'node-role.kubernetes.io/control-plane': '' },
    web: { 'drowse.dev/ingress': 'true' },
    gpu: { 'nvidia.com/gpu.present': 'true', 'nvidia.com/mps.capable': 'true' },
  };
  const common = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
  const objects = Object.entries(nodes).map(([name, labels]) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { ...common, ...labels } },
  }));
  expect(apply(objects).refused).toEqual([]);
  must(['taint', 'nodes', '--all', 'node.kubernetes.io/not-ready:NoSchedule-']);
});

describe.each(CONFIGS)('the tree of %s', (_, config) => {
  const objects = objectsOf(config);
  let own: Verdict[];
  let releases: Manifest[];
  let charts: Verdict[];

  beforeAll(() => {
    own = inOrder(objects).map((some) => apply(some));
    const known = kinds();
    releases = objects.filter(isRelease).flatMap((release) => {
      const { namespace = '' } = release.metadata;
      return renderRelease(release, apiVersions(known)).map((manifest) => inNamespace(manifest, namespace, known));
    });
    charts = inOrder(releases).map((some) => apply(some));
  });

  it('is accepted, object by object, with every field known and none deprecated', () => {
    const said = own.flatMap(({ refused, warnings }) => [...refused, ...warnings]);
    // The API server's own configuration exempts the operator's namespace (userdata/files/etc/drowse/kubernetes/admission.yaml), and says so of each label there.
    expect(said.filter((line) => !line.includes('namespace "tigera-operator" is exempt from Pod Security'))).toEqual(
      [],
    );
  });

  it('has releases whose charts’ objects are accepted', () => {
    expect(charts.flatMap(({ refused }) => refused)).toEqual([]);
    expect(releases.length).toBeGreaterThan(100);
  });

  it('gets a pod of each workload past admission: Pod Security, quotas, limits', async () => {
    expect(await podsMissing()).toEqual([]);
  });
});

describe('what people start by hand', () => {
  const MANIFESTS = path.join(__dirname, '..', '..', 'userdata', 'manifests', 'smoke-test');

  beforeAll(() => {
    expect(inOrder(clusterObjects()).flatMap((some) => apply(some).refused)).toEqual([]);
  });

  it('gets past the admission of its own namespace: the demo app, once it has an image', async () => {
    must(['--namespace', 'ghibli', 'scale', 'deployment', 'ghibli', '--replicas=1']);
    expect(await podsMissing()).toEqual([]);
  });

  it('gets past the admission of its own namespace: the load of the CPU example', async () => {
    must(['--namespace', 'example-hpa', 'create', 'job', 'load', '--from', 'cronjob/load']);
    expect(await podsMissing()).toEqual([]);
    // Beside the pod of the example itself: the quota has room for both.
    const pods = get('pods').filter(({ metadata }) => metadata.namespace === 'example-hpa');
    expect(pods.length).toBeGreaterThan(1);
  });

  it('gets past the admission of its own namespace: each Job of the smoke test', async () => {
    must(['apply', '--server-side', '--validate=strict', '--filename', path.join(MANIFESTS, 'namespace.yaml')]);
    for (const name of ['pod-starts', 'nvidia-smi']) {
      must(['create', '--validate=strict', '--filename', path.join(MANIFESTS, `${name}.yaml`)]);
    }
    expect(await podsMissing()).toEqual([]);
  });

  it('is answered where a policy has something to say of it', async () => {
    const balancer = ['create', 'service', 'loadbalancer', 'mine', '--tcp=80', '--dry-run=server'];
    await said(balancer, 'no controller of this cluster may make load balancers');
    const rule = ['create', 'ingress', 'mine', '--rule=example.org/*=mine:80', '--dry-run=server'];
    const annotation = '--annotation=nginx.ingress.kubernetes.io/proxy-body-size=1g';
    await said([...rule, annotation], 'proxy-body-size, use nginx.org/client-max-body-size');
  });

  it('is refused where it is what Pod Security forbids', () => {
    const run = ['--namespace', 'example-hpa', 'run', 'careless', '--image', 'registry.k8s.io/pause:3.10.2'];
    expect(kubectl(run).stderr).toContain('violates PodSecurity "restricted:latest"');
  });
});
