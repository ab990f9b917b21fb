import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { at, list, parseYaml, toManifest, type Manifest } from '../../lib/platform/manifest';
import { kubernetesVersion, readServer } from './server';

const { programs, charts, folder } = readServer();
const rendered = new Map<string, Manifest[]>();

/**
 * What Flux installs for a HelmRelease: its chart rendered with its values, and changed by its post-renderers. Hooks are left
 * out: they are Jobs that come and go around an installation.
 * @param apiVersions what the cluster knows, as `group/version` and `group/version/Kind`
 */
export function renderRelease(release: Manifest, apiVersions: readonly string[]): Manifest[] {
  const key = createHash('sha256')
    .update(JSON.stringify([release, apiVersions]))
    .digest('hex')
    .slice(0, 16);
  const known = rendered.get(key);
  if (known) return known;
  const chart = charts[String(at(release, 'spec', 'chartRef', 'name'))];
  if (chart === undefined) throw new Error(`${release.metadata.name}: its chart is not in platform/base/charts.yaml`);
  // Several files of tests render the same release.
  const work = mkdtempSync(path.join(folder, `${key}-`));
  writeFileSync(path.join(work, 'values.yaml'), stringify(at(release, 'spec', 'values') ?? {}));
  const releaseName = at(release, 'spec', 'releaseName');
  const template = execFileSync(
    programs.helm,
    [
      'template',
      typeof releaseName === 'string' ? releaseName : release.metadata.name,
      chart,
      `--namespace=${release.metadata.namespace ?? ''}`,
      `--values=${path.join(work, 'values.yaml')}`,
      `--kube-version=${kubernetesVersion()}`,
      '--include-crds',
      '--no-hooks',
      ...(at(release, 'spec', 'install', 'disableSchemaValidation') === true ? ['--skip-schema-validation'] : []),
      ...apiVersions.map((version) => `--api-versions=${version}`),
    ],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  );
  writeFileSync(path.join(work, 'rendered.yaml'), template);
  const patches = list(at(release, 'spec', 'postRenderers')).flatMap((one) => list(at(one, 'kustomize', 'patches')));
  writeFileSync(path.join(work, 'kustomization.yaml'), stringify({ resources: ['rendered.yaml'], patches }));
  const text = execFileSync(programs.kustomize, ['build', work], { encoding: 'utf8', maxBuffer: 2 ** 28 });
  const manifests = parseYaml(text, release.metadata.name).map((document) =>
    toManifest(document, release.metadata.name),
  );
  rendered.set(key, manifests);
  return manifests;
}
