import { at, list, nameOf, type Manifest } from '../manifest';
import { variablesOf } from '../substitute';
import { allManifests, FROM_CHART, type Tree } from '../tree';

/**
 * References between Flux's objects that lead nowhere, and circles among dependencies. Each of them would show only on a
 * cluster, minutes into a bootstrap, as a Kustomization that never gets ready.
 */
export function unresolvedReferences(tree: Tree): string[] {
  return [...unresolvedCharts(tree), ...unresolvedDependencies(tree)];
}

function unresolvedCharts(tree: Tree): string[] {
  const manifests = allManifests(tree);
  const exists = (kind: unknown, namespace: unknown, name: unknown) =>
    manifests.some(({ kind: k, metadata }) => k === kind && metadata.name === name && metadata.namespace === namespace);
  const charts = manifests.filter(({ kind }) => kind === 'HelmChart');
  return [
    ...releasesOf(manifests).flatMap((release) => {
      const reference = at(release, 'spec', 'chartRef') as Record<string, string> | undefined;
      if (exists(reference?.kind, reference?.namespace, reference?.name)) return [];
      return [`${nameOf(release)}: no ${String(reference?.kind)} ${String(reference?.name)}`];
    }),
    ...releasesOf(manifests).flatMap((release) =>
      list(at(release, 'spec', 'dependsOn')).flatMap((entry) => {
        const name = at(entry, 'name');
        const namespace = at(entry, 'namespace') ?? release.metadata.namespace;
        return exists('HelmRelease', namespace, name)
          ? []
          : [`${nameOf(release)}: dependsOn ${String(name)} is not there`];
      }),
    ),
    ...charts.flatMap((chart) => {
      const name = at(chart, 'spec', 'sourceRef', 'name');
      const found = exists('HelmRepository', chart.metadata.namespace, name);
      return found ? [] : [`${nameOf(chart)}: no HelmRepository ${String(name)}`];
    }),
    ...tree.kustomizations.flatMap((kustomization) => {
      const chart = kustomization.metadata.labels?.[FROM_CHART];
      if (chart === undefined) return [];
      const source = manifests.find(({ kind, metadata }) => kind === 'OCIRepository' && metadata.name === chart);
      // Only an unpacked archive has folders.
      return at(source, 'spec', 'layerSelector', 'operation') === 'extract'
        ? []
        : [`${nameOf(kustomization)}: no OCIRepository ${chart} that is extracted`];
    }),
  ];
}

function unresolvedDependencies({ layers }: Tree): string[] {
  const names = new Set(layers.map(({ name }) => name));
  const missing = layers.flatMap(({ name, dependsOn }) =>
    dependsOn
      .filter((other) => !names.has(other))
      .map((other) => `Kustomization ${name}: dependsOn ${other} is not there`),
  );
  const circle = circleAmong(new Map(layers.map(({ name, dependsOn }) => [name, dependsOn])));
  return circle ? [...missing, `Kustomizations wait for each other: ${circle.join(' → ')}`] : missing;
}

/** A circle in a graph of dependencies, with its first member repeated at the end; undefined if there is none. */
export function circleAmong(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const walk = (name: string, trail: string[]): string[] | undefined => {
    if (trail.includes(name)) return [...trail.slice(trail.indexOf(name)), name];
    if (done.has(name)) return undefined;
    for (const other of graph.get(name) ?? []) {
      const circle = walk(other, [...trail, name]);
      if (circle) return circle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of graph.keys()) {
    const circle = walk(name, []);
    if (circle) return circle;
  }
  return undefined;
}

/** Variables of the tree that nobody defines. */
export function undefinedVariables(tree: Tree, defined: readonly string[]): string[] {
  return usedVariables(tree)
    .filter(({ name }) => !defined.includes(name))
    .map(({ name, where }) => `${where}: \${${name}} is not defined in lib/platform/substitutions.ts`);
}

/** Defined variables that nothing in the tree uses. */
export function unusedVariables(tree: Tree, defined: readonly string[]): string[] {
  const used = new Set(usedVariables(tree).map(({ name }) => name));
  return defined
    .filter((name) => !used.has(name))
    .map((name) => `\${${name}} is defined in lib/platform/substitutions.ts and used nowhere`);
}

function usedVariables({ kustomizations, layers, examples }: Tree): { name: string; where: string }[] {
  const applied = [
    ...kustomizations,
    ...layers.flatMap(({ manifests }) => manifests),
    ...Object.values(examples).flat(),
  ];
  return applied.flatMap((manifest) => variablesOf(manifest).map((name) => ({ name, where: nameOf(manifest) })));
}

/** The Helm releases among some objects. */
export function releasesOf(manifests: readonly Manifest[]): Manifest[] {
  return manifests.filter(({ kind }) => kind === 'HelmRelease');
}
