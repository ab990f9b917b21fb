import { createHash } from 'node:crypto';
import { at, list, type Manifest } from '../manifest';

/** A Helm release of the tree, as its objects say it, with the values of one cluster. */
export interface Release {
  name: string;
  namespace: string;
  values: Record<string, unknown>;
  /** Flux's post-renderers, in order. */
  patches: readonly unknown[];
  /** Flux takes the values without asking the chart's schema. */
  skipSchema: boolean;
}

/** What a HelmRelease asks Helm for. */
export function toRelease(release: Manifest): Release {
  return {
    name: nameAt(release, 'releaseName') ?? release.metadata.name,
    namespace: nameAt(release, 'targetNamespace') ?? release.metadata.namespace ?? '',
    values: (at(release, 'spec', 'values') ?? {}) as Record<string, unknown>,
    patches: list(at(release, 'spec', 'postRenderers')).flatMap((each) => list(at(each, 'kustomize', 'patches'))),
    skipSchema: at(release, 'spec', 'install', 'disableSchemaValidation') === true,
  };
}

function nameAt(release: Manifest, field: string): string | undefined {
  const name = at(release, 'spec', field);
  return typeof name === 'string' ? name : undefined;
}

/**
 * What of the tree decides what a release renders, as a digest: its values and post-renderers before substitution, so that
 * it is the same for every cluster, and the objects of which its operator makes workloads.
 */
export function inputsOf(release: Manifest, resources: readonly Manifest[]): string {
  return createHash('sha256')
    .update(sorted({ ...toRelease(release), resources }))
    .digest('hex');
}

/** Objects of the tree of which the operator of a chart makes workloads. */
export function resourcesFor(chart: string, tree: readonly Manifest[]): Manifest[] {
  return chart === 'tigera-operator' ? tree.filter(({ kind }) => kind === 'Installation') : [];
}

/** JSON with keys in order. */
export function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/**
 * The leaves of nested values as dotted paths. A list is a leaf, and so are requests and limits as a whole: half of them would
 * say less than all, even where the chart's own are the same.
 */
export function leavesOf(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [prefix];
  const entries = Object.entries(value);
  if (entries.every(([key]) => key === 'requests' || key === 'limits')) return [prefix];
  return entries.flatMap(([key, child]) => leavesOf(child, prefix === '' ? key : `${prefix}.${key}`));
}
