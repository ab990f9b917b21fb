import { readdirSync } from 'node:fs';
import path from 'node:path';
import { at, InvalidManifest, list, type Manifest } from './manifest';
import { kustomizeBuild, patchAll } from './kustomize';
import { patchSchema } from './patch';
import { PLATFORM } from './paths';

/** A Flux Kustomization of the tree, and what its path builds to. */
export interface Layer {
  name: string;
  /** Folder within the repository, as Flux reads it: `platform/…`. */
  path: string;
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
  /** Each example's objects, by its folder's name. */
  examples: Record<string, Manifest[]>;
}

/** The overlays that ship: the folders below platform/clusters, but for the base. */
export function overlays(): string[] {
  return foldersIn('clusters').filter((name) => name !== 'base');
}

/** Builds the tree as the root Kustomization of a cluster with this overlay would. */
export function readTree(overlay = 'default'): Tree {
  const kustomizations = kustomizeBuild(path.join(PLATFORM, 'clusters', overlay));
  return {
    kustomizations,
    layers: kustomizations.map(toLayer),
    bootstrap: kustomizeBuild(path.join(PLATFORM, 'flux')),
    examples: Object.fromEntries(
      foldersIn('examples').map((name) => [name, kustomizeBuild(path.join(PLATFORM, 'examples', name))]),
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
  if (!folder.startsWith('platform/')) {
    throw new InvalidManifest(`Kustomization ${kustomization.metadata.name}: path ${folder} is not below platform/`);
  }
  return {
    name: kustomization.metadata.name,
    path: folder,
    dependsOn: list(at(kustomization, 'spec', 'dependsOn')).map((entry) => String(at(entry, 'name'))),
    healthChecks: list(at(kustomization, 'spec', 'healthChecks')).map((check) => {
      const { kind, namespace, name } = check as Record<string, string>;
      return `${String(kind)} ${namespace === undefined ? '' : `${namespace}/`}${String(name)}`;
    }),
    manifests: list(at(kustomization, 'spec', 'patches')).reduce<Manifest[]>(
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
