import { readFileSync } from 'node:fs';
import type { ClusterConfig } from '../../../core/config/schema';
import { imageTagFor, readCharts, type Chart } from '../charts';
import { at, InvalidManifest, type Manifest } from '../manifest';
import { releasesOf } from '../check/flux';
import { substitute } from '../substitute';
import { substitutions, type Deployed } from '../substitutions';
import { readTree } from '../tree';
import { factsOf, imagesOfWorkloads } from './extract';
import { chartField, digestOf, releaseBytes, type Helm } from './helm';
import { inputsOf, resourcesFor, sorted, toRelease } from './inputs';
import { calicoWorkloads, prometheusWorkloads } from './operators';
import { changingValues, render } from './render';
import { parseFacts, type ReleaseFacts, type SystemFacts, type WorkloadFacts } from './schema';
import type { ProjectName, Source } from './sources';
import { FLUX_PATCHES, SYSTEM_PROJECTS, systemFacts, systemInputs, type SystemProject } from './system';

/** Where charts and sources come from. */
export interface Supply {
  /** A chart's folder or archive, and where it is from. */
  chart(chart: Chart): Promise<{ path: string; source: string }>;
  /** A project's sources at a version. */
  project(name: ProjectName, version: string): Promise<Source>;
}

/** Stands in for what only a deployed cluster has. */
const SAMPLE: Deployed = { account: '123456789012', elasticIp: '203.0.113.7' };

/** A configuration's tree: every release, as it stands there and with its values put in. */
interface Rendering {
  config: ClusterConfig;
  objects: Manifest[];
  release: Manifest;
  substituted: Manifest;
}

/** What operators make of a release's objects, by chart; and the project whose source says so. */
const OPERATORS: Readonly<
  Record<
    string,
    {
      project: ProjectName;
      version(chart: string, objects: readonly Manifest[]): string;
      make(objects: readonly Manifest[], tree: readonly Manifest[], source: Source): WorkloadFacts[];
    }
  >
> = {
  'kube-prometheus-stack': {
    project: 'prometheus-operator',
    version: (chart) => chartField(chart, 'appVersion'),
    make: (objects, _tree, source) => prometheusWorkloads(objects, source),
  },
  'tigera-operator': {
    project: 'tigera-operator',
    version: (_chart, objects) => {
      const [image] = imagesOfWorkloads(factsOf(objects, '').workloads);
      return image?.split(':').at(-1) ?? '';
    },
    make: (_objects, tree, source) =>
      tree.filter(({ kind }) => kind === 'Installation').flatMap((each) => calicoWorkloads(each, source)),
  },
};

/** The facts of every release that any of these configurations has; `only` limits them to some. */
export async function* generateFacts(
  helm: Helm,
  supply: Supply,
  configs: Readonly<Record<string, ClusterConfig>>,
  only: readonly string[] = [],
): AsyncGenerator<ReleaseFacts> {
  const charts = readCharts();
  const renderedWith = `Helm ${await helm.version()}`;
  for (const [name, renderings] of releasesAmong(configs)) {
    if (only.length > 0 && !only.includes(name)) continue;
    const chartName = String(at(renderings[0]?.release, 'spec', 'chartRef', 'name'));
    const chart = charts[chartName];
    if (chart === undefined)
      throw new InvalidManifest(`HelmRelease ${name}: platform/base/charts.yaml has no ${chartName}`);
    const { path: from, source } = await supply.chart(chart);
    const unpacked = await helm.unpack(from);
    yield await releaseFacts(helm, supply, { name, chart, unpacked, source, renderedWith, renderings });
  }
}

async function releaseFacts(
  helm: Helm,
  supply: Supply,
  given: {
    name: string;
    chart: Chart;
    unpacked: string;
    source: string;
    renderedWith: string;
    renderings: Rendering[];
  },
): Promise<ReleaseFacts> {
  const { name, chart, unpacked, renderings } = given;
  const operator = OPERATORS[chart.name];
  const operators: Record<string, string> = {};
  const seen = new Map<string, Awaited<ReturnType<typeof one>>>();
  const one = async ({ config, substituted, objects: tree }: Rendering) => {
    const release = toRelease(substituted);
    const { objects, text } = await render(helm, unpacked, release, config.kubernetes.version);
    const facts = factsOf(objects, release.namespace);
    let { workloads } = facts;
    if (operator !== undefined) {
      const source = await supply.project(operator.project, operator.version(unpacked, objects));
      operators[operator.project] = source.origin;
      workloads = [...workloads, ...operator.make(objects, tree, source)];
    }
    const bytes = releaseBytes(unpacked, { ...release, manifest: text });
    // Images that follow the Kubernetes minor are the same but for their tag.
    const minor = config.kubernetes.version.split('.').slice(0, 2).join('.');
    const tag = Object.keys(chart.tags).length > 0 ? imageTagFor(chart.name, minor) : undefined;
    const untagged = (image: string) =>
      tag !== undefined && image.endsWith(`:${tag}`) ? `${image.slice(0, -tag.length)}{tag}` : image;
    const same = workloads.map((workload) => ({
      ...workload,
      containers: workload.containers.map((each) => ({ ...each, image: untagged(each.image) })),
    }));
    return { ...facts, workloads: same, images: imagesOfWorkloads(same), bytes };
  };
  for (const [index, rendering] of renderings.entries()) {
    const key = sorted(toRelease(rendering.substituted));
    if (seen.has(key)) continue;
    const facts = await one(rendering);
    const first = [...seen.values()][0];
    if (first !== undefined && sorted({ ...facts, bytes: 0 }) !== sorted({ ...first, bytes: 0 })) {
      throw new InvalidManifest(
        `${name}: configuration ${String(index)} makes other workloads than the first: facts cannot say that yet`,
      );
    }
    seen.set(key, facts);
  }
  const [first] = renderings;
  const [facts] = [...seen.values()];
  if (first === undefined || facts === undefined) throw new InvalidManifest(`${name}: no configuration has it`);
  const { bytes: _bytes, ...rest } = facts;
  return parseFacts(
    {
      release: name,
      chart: {
        name: chart.name,
        version: chartField(unpacked, 'version'),
        pinned: chart.version,
        source: given.source,
        digest: digestOf(unpacked),
      },
      operators,
      renderedWith: `${given.renderedWith}, Kubernetes ${first.config.kubernetes.version}`,
      renderedOn: new Date().toISOString().slice(0, 10),
      inputs: inputsOf(first.release, resourcesFor(chart.name, first.objects)),
      ...(await changingValues(helm, unpacked, toRelease(first.substituted), first.config.kubernetes.version)),
      ...rest,
      releaseBytes: Math.max(...[...seen.values()].map(({ bytes }) => bytes)),
    },
    name,
  );
}

function releasesAmong(configs: Readonly<Record<string, ClusterConfig>>): Map<string, Rendering[]> {
  const found = new Map<string, Rendering[]>();
  for (const config of Object.values(configs)) {
    const tree = readTree(config.platform);
    const objects = [...tree.layers.flatMap(({ manifests }) => manifests), ...Object.values(tree.examples).flat()];
    const values = substitutions(config, SAMPLE);
    for (const release of releasesOf(objects)) {
      const { name } = release.metadata;
      const rendering = { config, objects, release, substituted: substitute(release, values) };
      found.set(name, [...(found.get(name) ?? []), rendering]);
    }
  }
  return found;
}

/** What runs on nodes without any chart: Kubernetes' own, and Flux. */
export async function generateSystem(
  supply: Supply,
  versions: Readonly<Record<SystemProject, string>>,
): Promise<SystemFacts> {
  const read = async (name: SystemProject) => [name, await supply.project(name, versions[name])] as const;
  const sources = Object.fromEntries(await Promise.all(SYSTEM_PROJECTS.map(read))) as Record<SystemProject, Source>;
  return {
    sources: Object.fromEntries(SYSTEM_PROJECTS.map((name) => [name, sources[name].origin])),
    inputs: systemInputs(),
    ...systemFacts(sources, readFileSync(FLUX_PATCHES, 'utf8')),
  };
}
