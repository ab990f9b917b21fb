import { workloadsOf } from '../../lib/platform/check/placement';
import { imageProblems, pullProblems } from '../../lib/platform/check/workloads';
import { workloadOf } from '../../lib/platform/facts/extract';
import { readFacts, readSystem } from '../../lib/platform/facts/schema';
import { platformImages } from '../../lib/platform/images';
import { parseConfig } from '../../lib/config/load';
import { at, nameOf } from '../../lib/platform/manifest';
import { allManifests, readTree } from '../../lib/platform/tree';

const deployment = (imagePullPolicy?: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: { template: { spec: { containers: [{ name: 'page', image: 'ghcr.io/a/b:1', imagePullPolicy }] } } },
});

test.each([
  [undefined, []],
  ['IfNotPresent', []],
  ['Never', []],
  ['Always', ['Deployment default/web, container page: imagePullPolicy is Always']],
])('a container with imagePullPolicy %s: whether a start of it depends on the registry', (policy, problems) => {
  expect(pullProblems([workloadOf(deployment(policy), 'default')!])).toEqual(problems);
});

test('no workload of the tree, of its charts or of Flux asks a registry for an image that its node has', () => {
  const workloads = workloadsOf(allManifests(readTree()), readFacts(), readSystem());
  expect(workloads.length).toBeGreaterThan(30);
  expect(pullProblems(workloads)).toEqual([]);
});

test('whatever the layers run is kept for the next wake: no pod of theirs needs a registry then', () => {
  const kept = platformImages(parseConfig('kubernetes: { version: 1.36.3 }'));
  const { layers, bootstrap } = readTree();
  const manifests = [...bootstrap, ...layers.flatMap((layer) => layer.manifests)];
  const workloads = workloadsOf(manifests, readFacts(), readSystem());
  // Kubernetes' own and Flux' controllers, whose images a seat asks kubeadm and the cluster for, stand there without a registry.
  const images = workloads.flatMap(({ containers }) => containers.map(({ image }) => image));
  const foreign = [...new Set(images)].filter((image) => image.includes('.'));
  const missing = foreign.filter(
    (image) =>
      !kept.includes(image) && !kept.some((one) => image.endsWith(':{tag}') && one.startsWith(image.slice(0, -5))),
  );
  // The demo app has no image until app.image names one.
  expect(missing.filter((image) => !image.startsWith('registry.invalid/'))).toEqual([]);
  expect(kept.length).toBeGreaterThan(30);
  expect(kept.flatMap(imageProblems)).toEqual([]);
});

test('an example that is turned on is kept, too; a selection keeps no more than it runs', () => {
  const example = platformImages(parseConfig('platform: { examples: [hpa-cpu] }')).filter((image) =>
    image.includes('resource-consumer'),
  );
  expect(example).toHaveLength(1);
  expect(platformImages(parseConfig('platform: { overlay: minimal }')).length).toBeLessThan(
    platformImages(parseConfig('')).length,
  );
});

test('every chart source of the tree is pinned to one version, and marked as such', () => {
  const sources = allManifests(readTree()).filter(({ apiVersion }) =>
    apiVersion.startsWith('source.toolkit.fluxcd.io/'),
  );
  expect(sources.length).toBeGreaterThan(20);
  const loose = sources.filter((source) => {
    const version =
      at(source, 'spec', 'version') ?? at(source, 'spec', 'ref', 'tag') ?? at(source, 'spec', 'ref', 'digest');
    const exact = source.kind === 'HelmRepository' || /^(v?\d+\.\d+\.\d+|sha256:[0-9a-f]{64})$/.test(String(version));
    return !exact || source.metadata.labels?.['drowse.dev/pinned'] !== 'true';
  });
  expect(loose.map(nameOf)).toEqual([]);
});
