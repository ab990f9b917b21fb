import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { PlatformFolders } from '../../core/config/problem';
import { exampleNames } from '../platform/tree';

const CLUSTERS = join(__dirname, '..', '..', 'platform', 'clusters');
/** What the overlays build upon; no cluster applies it by itself. */
const BASE = 'base';

interface Kustomization {
  resources?: string[];
  patches?: { target?: { name?: string }; patch?: string }[];
}

/** What can be chosen below `platform/`. */
export function platformFolders(): PlatformFolders {
  const overlays = readdirSync(CLUSTERS)
    .filter((name) => name !== BASE && existsSync(fileOf(name)))
    .sort();
  return { overlays, withoutMonitoring: overlays.filter((name) => !hasMonitoring(name)), examples: exampleNames() };
}

/** Whether an overlay has monitoring: it builds on the base, and does not delete that layer. */
function hasMonitoring(overlay: string): boolean {
  const { patches = [] } = parse(readFileSync(fileOf(overlay), 'utf8')) as Kustomization;
  return !patches.some(({ target, patch = '' }) => target?.name === 'monitoring' && /^\$patch: delete$/m.test(patch));
}

function fileOf(overlay: string): string {
  return join(CLUSTERS, overlay, 'kustomization.yaml');
}
