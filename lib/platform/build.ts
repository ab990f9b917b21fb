import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { type Archive, filesBelow, packFolder } from '../archive';
import { signersSecret } from './cluster-manifest';
import { kustomizeBuild } from './kustomize';
import type { Manifest } from './manifest';
import { PLATFORM } from './paths';

/** Label by which the node scripts find the Job of the Flux version that they should wait for. */
const INSTALLER_LABEL = 'drowse.dev/installs';

/** Where the archive has what puts Flux into a new cluster, as one file. */
export const FLUX_FILE = 'platform/bootstrap/flux.yaml';
/** Where it has the images that the platform runs, one a line. */
export const IMAGES_FILE = 'platform/bootstrap/images.txt';

/**
 * Packs the platform's tree into one archive below `outDir`: everything of it below `platform/`, {@link FLUX_FILE} and
 * {@link IMAGES_FILE}. Same sources, same bytes. `signingKeys`: public keys of those whose commits Flux applies; `images`: those of `platformImages`. What only AWS knows of a cluster is not in it: see {@link clusterManifest}.
 */
export function buildPlatform(
  outDir: string,
  signingKeys: readonly string[] = [],
  images: readonly string[] = [],
): Archive {
  const stage = mkdtempSync(path.join(tmpdir(), 'drowse-platform-'));
  try {
    cpSync(PLATFORM, path.join(stage, 'platform'), { recursive: true });
    mkdirSync(path.join(stage, path.dirname(FLUX_FILE)));
    writeFileSync(path.join(stage, FLUX_FILE), fluxYaml(signingKeys));
    writeFileSync(path.join(stage, IMAGES_FILE), images.map((image) => `${image}\n`).join(''));
    for (const file of filesBelow(stage)) chmodSync(path.join(stage, file), 0o644);
    return packFolder(stage, outDir, 'platform');
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** What installs Flux as one YAML file, with the public keys of those whose commits it applies; the Job's name changes with anything in it, since a Job itself cannot change. */
export function fluxYaml(signingKeys: readonly string[] = []): string {
  const manifests = kustomizeBuild(path.join(PLATFORM, 'flux'));
  const digest = createHash('sha256').update(JSON.stringify(manifests)).digest('hex').slice(0, 8);
  const signers = signingKeys.length > 0 ? [signersSecret(signingKeys)] : [];
  return [...manifests.map((manifest) => named(manifest, digest)), ...signers]
    .map((manifest) => stringify(manifest, { lineWidth: 0 }))
    .join('---\n');
}

function named(manifest: Manifest, digest: string): Manifest {
  if (manifest.kind !== 'Job') return manifest;
  const { name, labels } = manifest.metadata;
  if (labels?.[INSTALLER_LABEL] === undefined) throw new Error(`Job ${name} lacks the label ${INSTALLER_LABEL}`);
  return { ...manifest, metadata: { ...manifest.metadata, name: `${name}-${digest}` } };
}
