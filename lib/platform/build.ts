import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { kustomizeBuild } from './kustomize';
import type { Manifest } from './manifest';
import { PLATFORM } from './paths';

/** Label by which the node scripts find the Job of the Flux version that they should wait for. */
const INSTALLER_LABEL = 'drowse.dev/installs';

/**
 * Lays the platform tree out as it goes into the bucket below `platform/`: the tree itself, and `bootstrap/flux.yaml`, the one
 * file that puts Flux into a new cluster. Same sources, same bytes. `bootstrap/cluster.json` is added at deployment, since
 * it holds what only AWS knows (see {@link clusterManifest}).
 * @returns the folder, to be synced with the prefix `platform/`
 */
export function buildPlatform(outDir: string): string {
  const folder = path.join(outDir, 'platform');
  rmSync(folder, { recursive: true, force: true });
  cpSync(PLATFORM, folder, { recursive: true });
  mkdirSync(path.join(folder, 'bootstrap'), { recursive: true });
  writeFileSync(path.join(folder, 'bootstrap', 'flux.yaml'), fluxYaml());
  return folder;
}

/** What installs Flux as one YAML file; the Job's name changes with anything in it, since a Job itself cannot change. */
export function fluxYaml(): string {
  const manifests = kustomizeBuild(path.join(PLATFORM, 'flux'));
  const digest = createHash('sha256').update(JSON.stringify(manifests)).digest('hex').slice(0, 8);
  return manifests.map((manifest) => stringify(named(manifest, digest), { lineWidth: 0 })).join('---\n');
}

function named(manifest: Manifest, digest: string): Manifest {
  if (manifest.kind !== 'Job') return manifest;
  const { name, labels } = manifest.metadata;
  if (labels?.[INSTALLER_LABEL] === undefined) throw new Error(`Job ${name} lacks the label ${INSTALLER_LABEL}`);
  return { ...manifest, metadata: { ...manifest.metadata, name: `${name}-${digest}` } };
}
