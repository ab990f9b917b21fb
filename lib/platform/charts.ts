import path from 'node:path';
import { at, readYaml, toManifest } from './manifest';
import { PLATFORM } from './paths';

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
