import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { kustomizeBuild } from '../../lib/platform/kustomize';
import { at, nameOf, parseYaml, toManifest, type Manifest } from '../../lib/platform/manifest';
import { PLATFORM } from '../../lib/platform/paths';
import { exampleComponent, exampleNames, overlays, readTree } from '../../lib/platform/tree';
import { kubectlFile } from '../support/kubectl';

// The real kustomize (the one in kubectl) beside ours, on everything that Flux builds.

const scratch = mkdtempSync(path.join(tmpdir(), 'drowse-kustomize-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function realBuild(folder: string): Manifest[] {
  const text = execFileSync(kubectlFile(), ['kustomize', folder], { encoding: 'utf8', stdio: 'pipe' });
  return parseYaml(text, folder).map((document) => toManifest(document, folder));
}

const keyOf = (manifest: Manifest) => `${manifest.apiVersion} ${nameOf(manifest)}`;

/**
 * Objects by their names. Kustomize cuts the last line's end off a patch's text, and puts Namespaces first: neither matters to
 * the API server.
 */
function byName(manifests: readonly Manifest[]): Record<string, unknown> {
  const trimmed = JSON.stringify(manifests, (_, value: unknown) =>
    typeof value === 'string' ? value.trimEnd() : value,
  );
  return Object.fromEntries((JSON.parse(trimmed) as Manifest[]).map((manifest) => [keyOf(manifest), manifest]));
}

/** A copy of the tree in which a folder has what Flux adds to its kustomization.yaml for a Kustomization. */
function asFluxDoes(name: string, folder: string, added: Record<string, unknown>): string {
  const copy = path.join(scratch, name);
  cpSync(PLATFORM, copy, { recursive: true });
  const file = path.join(copy, folder, 'kustomization.yaml');
  const text = readFileSync(file, 'utf8');
  for (const key of Object.keys(added)) {
    if (new RegExp(`^${key}:`, 'm').test(text)) throw new Error(`${folder} has ${key} of its own: merge them here`);
  }
  appendFileSync(file, stringify(added));
  return path.join(copy, folder);
}

/** Built within the Job that installs Flux, from what its command line prints there. */
const FLUX_PATCHES = path.join('flux', 'patches');

/** The folders that build by themselves: components only change what others have. */
const FOLDERS = readdirSync(PLATFORM, { recursive: true, encoding: 'utf8' })
  .filter((file) => path.basename(file) === 'kustomization.yaml')
  .filter((file) => !/^kind: Component$/m.test(readFileSync(path.join(PLATFORM, file), 'utf8')))
  .map((file) => path.dirname(file))
  .filter((folder) => folder !== FLUX_PATCHES)
  .sort();

it.each(FOLDERS)('%s builds to what the real kustomize makes of it', (folder) => {
  const ours = kustomizeBuild(path.join(PLATFORM, folder));
  expect(byName(ours)).toEqual(byName(realBuild(path.join(PLATFORM, folder))));
  expect(ours.length).toBeGreaterThan(0);
});

describe.each(overlays())('overlay %s', (overlay) => {
  it('has the layers that Flux makes of it and of examples', () => {
    const examples = exampleNames();
    const folder = asFluxDoes(`root-${overlay}`, path.join('clusters', overlay), {
      components: examples.map(exampleComponent),
    });
    expect(byName(readTree({ overlay, examples }).kustomizations)).toEqual(byName(realBuild(folder)));
  });

  it('has what Flux makes of each layer’s own patches', () => {
    const { layers, kustomizations } = readTree({ overlay, examples: [] });
    for (const { name, path: folder, chart, manifests } of layers) {
      const kustomization = kustomizations.find(({ metadata }) => metadata.name === name);
      const patches = at(kustomization, 'spec', 'patches');
      if (chart !== undefined || patches === undefined) continue;
      const real = asFluxDoes(`${overlay}-${name}`, folder.slice('platform/'.length), { patches });
      expect(byName(manifests)).toEqual(byName(realBuild(real)));
    }
  });
});
