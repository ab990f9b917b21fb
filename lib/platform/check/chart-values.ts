import type { ChartFacts } from '../charts';
import { at, nameOf, type Manifest } from '../manifest';
import { releasesOf } from './flux';

/** The leaves of nested values as dotted paths; a list is a leaf. */
export function leavesOf(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [prefix];
  const entries = Object.entries(value);
  if (entries.length === 0) return [prefix];
  return entries.flatMap(([key, child]) => leavesOf(child, prefix === '' ? key : `${prefix}.${key}`));
}

/** Values that a release sets and that its chart is not known to have; Helm would ignore them without a word. */
export function unknownValues(manifests: readonly Manifest[], facts: Readonly<Record<string, ChartFacts>>): string[] {
  return releasesOf(manifests).flatMap((release) => {
    const chart = String(at(release, 'spec', 'chartRef', 'name'));
    const known = facts[chart];
    if (!known) return [`${nameOf(release)}: lib/platform/chart-facts.yaml says nothing of ${chart}`];
    return leavesOf(at(release, 'spec', 'values') ?? {})
      .filter((leaf) => leaf !== '' && !known.keys.some((key) => leaf === key || leaf.startsWith(`${key}.`)))
      .map((leaf) => `${nameOf(release)}: ${chart} has no value ${leaf} (see lib/platform/chart-facts.yaml)`);
  });
}

/** Keys in the facts that no release sets any more. */
export function staleKeys(manifests: readonly Manifest[], facts: Readonly<Record<string, ChartFacts>>): string[] {
  const leaves = new Map<string, string[]>();
  for (const release of releasesOf(manifests)) {
    leaves.set(String(at(release, 'spec', 'chartRef', 'name')), leavesOf(at(release, 'spec', 'values') ?? {}));
  }
  return Object.entries(facts).flatMap(([chart, { keys }]) =>
    keys
      .filter((key) => !leaves.get(chart)?.some((leaf) => leaf === key || leaf.startsWith(`${key}.`)))
      .map((key) => `${chart}: ${key} is set by no release`),
  );
}
