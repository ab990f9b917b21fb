import { checkPlatform } from '../../lib/platform/check';
import { circleAmong } from '../../lib/platform/check/flux';
import { promqlProblem } from '../../lib/platform/check/promql';
import type { Schemas } from '../../lib/platform/check/schemas';
import { imageProblems } from '../../lib/platform/check/workloads';
import { KUBERNETES_MINORS } from '../../core/config/schema';
import { at, type Manifest } from '../../lib/platform/manifest';
import { exampleNames, overlays, readTree, type Tree } from '../../lib/platform/tree';
import { configOf, find, loadSchemas } from './support';

let schemas: Schemas;
beforeAll(async () => {
  schemas = await loadSchemas();
});

describe('the tree as it is', () => {
  it('has no problem with every example turned on', () => {
    const config = configOf(`
pools:
  - { name: web, instanceTypes: [m5.xlarge], ingress: true, labels: { workload-type: executor } }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, min: 0, desired: 0 }
platform: { examples: [${exampleNames().join(', ')}] }`);
    expect(checkPlatform(config, schemas).problems).toEqual([]);
  });

  it.each(overlays())('has no problem with overlay %s', (overlay) => {
    const report = checkPlatform(configOf(`platform: { overlay: ${overlay} }`), schemas);
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ invalid: 0, unresolved: 0 });
    expect(report.documents).toBe(Object.values(report.kinds).reduce((a, b) => a + b, 0));
    expect(report.documents).toBeGreaterThan(100);
  });

  it.each(KUBERNETES_MINORS)('pins every image for Kubernetes %s', (minor) => {
    const { images } = checkPlatform(configOf(`kubernetes: { version: ${minor}.0 }`), schemas);
    expect(images.length).toBeGreaterThan(20);
    expect(images.filter((image) => /:latest|{/.test(image))).toEqual([]);
  });

  it('takes the user’s repository and shared GPUs', () => {
    const git = 'platform: { source: git, git: { url: "https://git.example.org/me/x" } }\ngpu: { slices: 4 }';
    expect(checkPlatform(configOf(git), schemas).problems).toEqual([]);
  });
});

const shipped = readTree();

/** The problems after a change to a fresh copy of the tree. */
function problemsAfter(change: (tree: Tree) => void): string {
  const tree = structuredClone(shipped);
  change(tree);
  return checkPlatform(configOf(), schemas, tree).problems.join('\n');
}

const layer = (tree: Tree, name: string) => tree.layers.find((each) => each.name === name)!;
const set = (manifest: Manifest, path: (string | number)[], value: unknown) => {
  const parent = at(manifest, ...path.slice(0, -1)) as Record<string | number, unknown>;
  if (value === undefined) Reflect.deleteProperty(parent, path.at(-1)!);
  else parent[path.at(-1)!] = value;
};
const pod = ['spec', 'template', 'spec'];

describe('a mistake in the tree is found', () => {
  it.each<[string, (tree: Tree) => void, RegExp]>([
    [
      'a circle of dependencies',
      (tree) => layer(tree, 'network').dependsOn.push('ingress'),
      /wait for each other: .*network.*→/,
    ],
    [
      'a dependency that is not there',
      (tree) => layer(tree, 'ui').dependsOn.push('gone'),
      /ui: dependsOn gone is not there/,
    ],
    [
      'a chart that is not pinned',
      (tree) => set(find(layer(tree, 'ui').manifests, 'HelmRelease', 'headlamp'), ['spec', 'chartRef', 'name'], 'lamp'),
      /no HelmChart lamp/,
    ],
    [
      'a chart without repository',
      (tree) => set(find(layer(tree, 'base').manifests, 'HelmChart', 'keda'), ['spec', 'sourceRef', 'name'], 'gone'),
      /no HelmRepository gone/,
    ],
    [
      'a layer from an archive that is not unpacked',
      (tree) =>
        set(
          find(layer(tree, 'base').manifests, 'OCIRepository', 'calico-crds'),
          ['spec', 'layerSelector', 'operation'],
          'copy',
        ),
      /calico-crds: no OCIRepository calico-crds that is extracted/,
    ],
    [
      'a release that needs none',
      (tree) =>
        set(
          find(layer(tree, 'network').manifests, 'HelmRelease', 'tigera-operator'),
          ['spec', 'dependsOn'],
          [{ name: 'gone' }],
        ),
      /dependsOn gone is not there/,
    ],
    [
      'a variable that nobody defines',
      (tree) =>
        set(
          find(layer(tree, 'network-config').manifests, 'Installation', 'default'),
          ['spec', 'variant'],
          '${flavour}',
        ),
      /\$\{flavour\} is not defined/,
    ],
    [
      'a variable that nobody uses',
      (tree) =>
        set(
          find(layer(tree, 'scaling').manifests, 'HelmRelease', 'aws-node-termination-handler'),
          ['spec', 'values', 'queueURL'],
          'x',
        ),
      /\$\{interruption_queue_url\} is defined .* used nowhere/,
    ],
    [
      'a value that changed after it was rendered',
      (tree) => set(find(layer(tree, 'ui').manifests, 'HelmRelease', 'headlamp'), ['spec', 'values', 'replicas'], 2),
      /headlamp\/headlamp: its values, .* changed since it was rendered; run make platform-render/,
    ],
    [
      'a release that was never rendered',
      (tree) => set(find(layer(tree, 'ui').manifests, 'HelmRelease', 'headlamp'), ['metadata', 'name'], 'lamp'),
      /lamp: it is not known what its chart makes of it; run make platform-render[^]*headlamp.yaml: no release has this name/,
    ],
    [
      'an operator’s object that changed',
      (tree) =>
        set(
          find(layer(tree, 'network-config').manifests, 'Installation', 'default'),
          ['spec', 'controlPlaneReplicas'],
          2,
        ),
      /tigera-operator: its values, post-renderers or what its operator reads changed/,
    ],
    [
      'an image that moves',
      (tree) =>
        set(
          find(tree.examples['hpa-cpu']!, 'Deployment', 'consumer'),
          [...pod, 'containers', 0, 'image'],
          'docker.io/library/x:latest',
        ),
      /the tag latest moves/,
    ],
    [
      'a container without requests',
      (tree) =>
        set(find(tree.examples['hpa-cpu']!, 'Deployment', 'consumer'), [...pod, 'containers', 0, 'resources'], {}),
      /container consumer: no requests\.cpu/,
    ],
    [
      'a pod on the host’s network',
      (tree) => set(find(tree.examples['hpa-cpu']!, 'Deployment', 'consumer'), [...pod, 'hostNetwork'], true),
      /hostNetwork without a reason/,
    ],
    [
      'a privileged container',
      (tree) =>
        set(find(tree.examples['hpa-cpu']!, 'Deployment', 'consumer'), [...pod, 'containers', 0, 'securityContext'], {
          privileged: true,
        }),
      /privileged without a reason/,
    ],
    [
      'a rule that is no PromQL',
      (tree) =>
        set(
          find(layer(tree, 'observability').manifests, 'PrometheusRule', 'nodes'),
          ['spec', 'groups', 0, 'rules', 0, 'expr'],
          'sum(up',
        ),
      /nodes: cannot be parsed/,
    ],
    [
      'an object in two layers',
      (tree) => layer(tree, 'ui').manifests.push(find(layer(tree, 'storage').manifests, 'StorageClass', 'gp3')),
      /StorageClass gp3 is in .* and in/,
    ],
  ])('%s', (_, change, message) => {
    expect(problemsAfter(change)).toMatch(message);
  });
});

describe('imageProblems', () => {
  it.each([
    'registry.k8s.io/pause:3.10.2',
    'localhost.local:5000/x/y:1',
    'ghcr.io/a/b@sha256:abc',
    'ghcr.io/a/b:v1@sha256:abc',
  ])('accepts %s', (image) => {
    expect(imageProblems(image)).toEqual([]);
  });
  it.each(['nginx', 'docker.io/nginx', 'docker.io/nginx:main', 'nginx:1.2', 'registry.k8s.io:443/x'])(
    'refuses %s',
    (image) => {
      expect(imageProblems(image)).not.toEqual([]);
    },
  );
});

describe('circleAmong', () => {
  it('names the circle, or nothing', () => {
    expect(
      circleAmong(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['b']],
        ]),
      ),
    ).toEqual(['b', 'c', 'b']);
    expect(
      circleAmong(
        new Map([
          ['a', ['b', 'c']],
          ['b', ['c']],
          ['c', []],
        ]),
      ),
    ).toBeUndefined();
  });
});

describe('promqlProblem', () => {
  it('shows the place', () => {
    expect(promqlProblem('sum by (x) (rate(up[5m]))')).toBeUndefined();
    expect(promqlProblem('rate(up[5m)')).toMatch(/cannot be parsed at/);
  });
});
