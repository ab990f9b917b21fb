import { patchAll } from '../kustomize';
import { InvalidManifest, parseYaml, toManifest, type Manifest } from '../manifest';
import { patchSchema } from '../patch';
import type { Helm } from './helm';
import { leavesOf, sorted, type Release } from './inputs';

/**
 * Everything that Flux would apply of a release: rendered by Helm, then by its post-renderers; and Helm's text.
 * @throws HelmFailed as Helm says it
 * @throws InvalidManifest for a post-renderer that changes nothing
 */
export async function render(
  helm: Helm,
  chart: string,
  release: Release,
  kubernetes: string,
): Promise<{ objects: Manifest[]; text: string }> {
  const text = await helm.template(chart, release.values, {
    release: release.name,
    namespace: release.namespace,
    kubernetes,
    definitions: true,
    skipSchema: release.skipSchema,
  });
  const where = `HelmRelease ${release.namespace}/${release.name}`;
  const objects = parseYaml(text, where).map((document) => toManifest(document, where));
  const patched = release.patches.reduce<Manifest[]>((current, each) => {
    const patch = patchSchema.parse(each);
    const after = patchAll(current, patch, where);
    if (sorted(after) === sorted(current)) {
      throw new InvalidManifest(`${where}: a post-renderer for ${JSON.stringify(patch.target)} changes nothing`);
    }
    return after;
  }, objects);
  return { objects: patched, text };
}

/**
 * Which of the values that a release sets change what is rendered: each is left out in turn. A value that changes nothing is
 * one that the chart does not know, or its default.
 */
export async function changingValues(
  helm: Helm,
  chart: string,
  release: Release,
  kubernetes: string,
): Promise<{ values: string[]; idle: string[] }> {
  const bare = async (values: unknown) => {
    try {
      return withoutComments(
        await helm.template(chart, values, {
          release: release.name,
          namespace: release.namespace,
          kubernetes,
          definitions: false,
          skipSchema: true,
        }),
      );
    } catch (error) {
      // A chart that cannot do without a value knows it.
      return error instanceof Error ? error.message : String(error);
    }
  };
  const whole = await bare(release.values);
  if ((await bare(release.values)) !== whole) {
    throw new InvalidManifest(`${release.name}: two renderings differ, so Flux would upgrade it for ever`);
  }
  const result: { values: string[]; idle: string[] } = { values: [], idle: [] };
  for (const leaf of leavesOf(release.values).filter(Boolean)) {
    const changes = (await bare(without(release.values, leaf))) !== whole;
    result[changes ? 'values' : 'idle'].push(leaf);
  }
  return result;
}

/** Nested values without one leaf. @throws InvalidManifest if it is not there */
export function without(values: Record<string, unknown>, leaf: string): Record<string, unknown> {
  const keys = Object.keys(values).filter((key) => leaf === key || leaf.startsWith(`${key}.`));
  const key = keys.sort((a, b) => b.length - a.length)[0];
  if (key === undefined) throw new InvalidManifest(`there is no value ${leaf}`);
  const { [key]: value, ...rest } = values;
  if (leaf === key) return rest;
  return { ...rest, [key]: without(value as Record<string, unknown>, leaf.slice(key.length + 1)) };
}

function withoutComments(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/^\s*(#|$)/.test(line))
    .join('\n');
}
