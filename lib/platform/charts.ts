import path from 'node:path';
import * as z from 'zod';
import { at, readYaml, toManifest } from './manifest';
import { CHART_FACTS, PLATFORM } from './paths';

/** Where a workload of a chart runs; `either` counts on the seat and on the worker, since it may land on both. */
export const PLACES = ['control-plane', 'worker', 'every', 'either', 'gpu'] as const;

const workload = z.strictObject({
  kind: z.enum(['Deployment', 'DaemonSet', 'StatefulSet']),
  namespace: z.string(),
  name: z.string(),
  on: z.enum(PLACES),
  /** Pods of it on one node, at most; DaemonSets have one. */
  pods: z.int().min(1).default(1),
  /** Containers: paths into the release's values where their resources stand, or the resources themselves. */
  containers: z.array(
    z.union([
      z.string(),
      z.strictObject({ requests: z.strictObject({ cpu: z.string(), memory: z.string() }), why: z.string() }),
    ]),
  ),
  /** Ports that it takes on its host. */
  hostPorts: z.array(z.int()).default([]),
  /** Why its pods may do what Pod Security's `baseline` forbids; absent if they stay within it. */
  privileged: z.string().optional(),
});

const chartFacts = z.strictObject({
  /** Where the value keys were looked up, and which version that was. */
  source: z.string(),
  /** Value keys that we set and that the chart has; `a.b` allows everything below it. */
  keys: z.array(z.string()),
  /** Images of the chart at this version; `{tag}` stands for one that follows the Kubernetes minor. */
  images: z.array(z.string()),
  /** Images that the chart pins and that could not be read there. */
  otherImages: z.string().optional(),
  workloads: z.array(workload),
});

/** What lib/platform/chart-facts.yaml says of a chart. */
export type ChartFacts = z.infer<typeof chartFacts>;
/** A Deployment, DaemonSet or StatefulSet that a chart makes. */
export type Workload = z.infer<typeof workload>;

/** A chart as platform/base/charts.yaml pins it. */
export interface Chart {
  name: string;
  version: string;
  /** OCI address, or index repository and chart name. */
  origin: string;
  /** Kubernetes minors that its project tests this version on, as far as it says so. */
  testedOn: string[];
  /** Where it says so, or that nothing was found. */
  testedSource: string;
  /** Image tags by Kubernetes minor, of components that follow Kubernetes' version. */
  tags: Record<string, string>;
}

const TAG_ANNOTATION = 'drowse.dev/tag-';

/** Every pinned chart, by name. */
export function readCharts(): Record<string, Chart> {
  const repositories = Object.fromEntries(
    objectsOf('chart-repositories.yaml').map((repository) => [repository.metadata.name, at(repository, 'spec', 'url')]),
  );
  return Object.fromEntries(
    objectsOf('charts.yaml').map((chart) => {
      const annotations = chart.metadata.annotations ?? {};
      const version = chart.kind === 'HelmChart' ? at(chart, 'spec', 'version') : at(chart, 'spec', 'ref', 'tag');
      const origin =
        chart.kind === 'HelmChart'
          ? `${String(repositories[String(at(chart, 'spec', 'sourceRef', 'name'))])} ${String(at(chart, 'spec', 'chart'))}`
          : String(at(chart, 'spec', 'url'));
      const tags = Object.entries(annotations)
        .filter(([key]) => key.startsWith(TAG_ANNOTATION))
        .map(([key, tag]) => [key.slice(TAG_ANNOTATION.length), tag]);
      return [
        chart.metadata.name,
        {
          name: chart.metadata.name,
          version: String(version),
          origin,
          testedOn: (annotations['drowse.dev/tested-on'] ?? '').split(' ').filter(Boolean),
          testedSource: annotations['drowse.dev/tested-source'] ?? '',
          tags: Object.fromEntries(tags) as Record<string, string>,
        },
      ];
    }),
  );
}

/** What we know of each chart, by name. */
export function readChartFacts(): Record<string, ChartFacts> {
  return z.record(z.string(), chartFacts).parse(readYaml(CHART_FACTS)[0]);
}

/** The image tag of a component that follows Kubernetes' version, for a minor such as `1.36`. */
export function imageTagFor(chart: string, minor: string): string {
  const tag = readCharts()[chart]?.tags[minor];
  if (tag === undefined) throw new Error(`platform/base/charts.yaml has no tag of ${chart} for Kubernetes ${minor}`);
  return tag;
}

function objectsOf(file: string) {
  const location = path.join(PLATFORM, 'base', file);
  return readYaml(location).map((document) => toManifest(document, location));
}
