import { readdirSync } from 'node:fs';
import path from 'node:path';
import type { ClusterConfig } from '../../core/config/schema';
import { at, InvalidManifest, list, type Manifest } from './manifest';
import { kustomizeBuild, patchAll } from './kustomize';
import { patchSchema } from './patch';
import { PLATFORM } from './paths';

/** Label of layers that are applied from a chart's archive; its value names the chart's source. */
export const FROM_CHART = 'drowse.dev/from-chart';

/** A Flux Kustomization of the tree, and what its path builds to. */
export interface Layer {
  name: string;
  /** Folder within its source, as Flux reads it: `platform/…` of the tree, any other of a chart's archive. */
  path: string;
  /** The chart whose archive it is applied from; undefined if it is part of this tree. */
  chart?: string;
  dependsOn: string[];
  /** `Kind namespace/name` of each workload that it waits for. */
  healthChecks: string[];
  manifests: Manifest[];
}

/** Everything that a cluster with a given overlay gets. */
export interface Tree {
  /** The Flux Kustomizations themselves. */
  layers: Layer[];
  /** The Kustomization objects of the overlay, as the root applies them. */
  kustomizations: Manifest[];
  /** What installs Flux. */
  bootstrap: Manifest[];
  /** Objects of each example that is not turned on, by its folder's name; the others are layers. */
  examples: Record<string, Manifest[]>;
}

/** What a cluster gets that asks for nothing else. */
const DEFAULT = { overlay: 'default', examples: [] };

/** The overlay of the lab (docs/lab.md): only what runs without registries, and so not what examples wait for. */
export const LAB_OVERLAY = 'lab';

/** The overlays for clusters on AWS that ship: the folders below platform/clusters, but for the base and the lab's. */
export function overlays(): string[] {
  return foldersIn('clusters').filter((name) => name !== 'base' && name !== LAB_OVERLAY);
}

/** Names of the examples that ship: the folders below platform/examples. */
export function exampleNames(): string[] {
  return foldersIn('examples');
}

/** What turns an example on: a component of the overlay, relative to the overlay's folder. */
export function exampleComponent(name: string): string {
  return `../../examples/${name}/layer`;
}

/** Builds the tree as the root Kustomization of a cluster with this overlay and these examples would. */
export function readTree({
  overlay,
  examples,
}: Pick<ClusterConfig['platform'], 'overlay' | 'examples'> = DEFAULT): Tree {
  const kustomizations = kustomizeBuild(path.join(PLATFORM, 'clusters', overlay), examples.map(exampleComponent));
  return {
    kustomizations,
    layers: kustomizations.map(toLayer),
    bootstrap: kustomizeBuild(path.join(PLATFORM, 'flux')),
    examples: Object.fromEntries(
      exampleNames()
        .filter((name) => !examples.includes(name))
        .map((name) => [name, kustomizeBuild(path.join(PLATFORM, 'examples', name))]),
    ),
  };
}

/** Every object of a tree, wherever it stands. */
export function allManifests({ layers, kustomizations, bootstrap, examples }: Tree): Manifest[] {
  return [
    ...bootstrap,
    ...kustomizations,
    ...layers.flatMap(({ manifests }) => manifests),
    ...Object.values(examples).flat(),
  ];
}

function toLayer(kustomization: Manifest): Layer {
  const folder = String(at(kustomization, 'spec', 'path')).replace(/^\.\//, '');
  const chart = kustomization.metadata.labels?.[FROM_CHART];
  if (chart === undefined && !folder.startsWith('platform/')) {
    throw new InvalidManifest(`Kustomization ${kustomization.metadata.name}: path ${folder} is not below platform/`);
  }
  return {
    name: kustomization.metadata.name,
    path: folder,
    ...(chart !== undefined && { chart }),
    dependsOn: list(at(kustomization, 'spec', 'dependsOn')).map((entry) => String(at(entry, 'name'))),
    healthChecks: list(at(kustomization, 'spec', 'healthChecks')).map((check) => {
      const { kind, namespace, name } = check as Record<string, string>;
      return `${String(kind)} ${namespace === undefined ? '' : `${namespace}/`}${String(name)}`;
    }),
    // What an archive holds is known only where it can be fetched.
    manifests:
      chart !== undefined
        ? []
        : list(at(kustomization, 'spec', 'patches')).reduce<Manifest[]>(
            (manifests, patch) => patchAll(manifests, patchSchema.parse(patch), folder),
            kustomizeBuild(path.join(PLATFORM, folder.slice('platform/'.length))),
          ),
  };
}

function foldersIn(folder: string): string[] {
  return readdirSync(path.join(PLATFORM, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}
