import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { kustomizeBuild } from '../lib/platform/kustomize';
import { nameOf, parseYaml, toManifest, type Manifest } from '../lib/platform/manifest';
import { PLATFORM } from '../lib/platform/paths';

// A second opinion: builds each folder of the tree with the real kustomize as well, and names each object that comes out
// otherwise.
//
//   npx tsx scripts/compare-kustomize.ts <path of a kustomize binary>

const keyOf = (manifest: Manifest) => `${manifest.apiVersion} ${nameOf(manifest)}`;

/** Built within the Job that installs Flux, from what its command line prints there. */
const FLUX_PATCHES = path.join('flux', 'patches');

/** The folders that build by themselves: components only change what others have. */
function folders(): string[] {
  return readdirSync(PLATFORM, { recursive: true, encoding: 'utf8' })
    .filter((file) => path.basename(file) === 'kustomization.yaml')
    .filter((file) => !/^kind: Component$/m.test(readFileSync(path.join(PLATFORM, file), 'utf8')))
    .map((file) => path.dirname(file))
    .filter((folder) => folder !== FLUX_PATCHES)
    .sort();
}

function differences(folder: string, ours: readonly Manifest[], theirs: readonly Manifest[]): string[] {
  const left = new Map(theirs.map((manifest) => [keyOf(manifest), manifest]));
  const different = ours.flatMap((manifest) => {
    const other = left.get(keyOf(manifest));
    left.delete(keyOf(manifest));
    const same = other !== undefined && isDeepStrictEqual(asJson(manifest), asJson(other));
    return same ? [] : [`${folder}: ${keyOf(manifest)}`];
  });
  return [...different, ...[...left.keys()].map((key) => `${folder}: ${key} is missing here`)];
}

/** Anchors and absent fields are no difference, nor is the last line's end of a text, which kustomize cuts off patches. */
function asJson(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, field: unknown) => (typeof field === 'string' ? field.trimEnd() : field)),
  );
}

function main([binary]: readonly string[]): void {
  if (binary === undefined) throw new Error('usage: compare-kustomize.ts KUSTOMIZE');
  let objects = 0;
  const different = folders().flatMap((folder) => {
    const location = path.join(PLATFORM, folder);
    const theirs = parseYaml(execFileSync(binary, ['build', location], { encoding: 'utf8' }), folder);
    const ours = kustomizeBuild(location);
    objects += ours.length;
    return differences(
      folder,
      ours,
      theirs.map((document) => toManifest(document, folder)),
    );
  });
  process.stdout.write(`${JSON.stringify({ folders: folders().length, objects, different })}\n`);
  process.exitCode = different.length === 0 ? 0 : 1;
}

main(process.argv.slice(2));
