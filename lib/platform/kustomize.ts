import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { InvalidManifest, parseYaml, readYaml, toManifest, type Manifest } from './manifest';
import { applyPatch, patchSchema, type Patch } from './patch';

/**
 * The part of kustomize that the platform tree uses: resources, components, namespace, patches and generated ConfigMaps.
 * Any other field is an error, so that nothing is read here otherwise than Flux will read it. Flux runs the real one:
 * `test/platform/real-kustomize.test.ts` compares the two on the whole tree.
 */

const configMapGenerator = z.strictObject({
  name: z.string(),
  namespace: z.string().optional(),
  files: z.array(z.string()),
  options: z.strictObject({
    // Always: a name with a digest would need references rewritten.
    disableNameSuffixHash: z.literal(true),
    labels: z.record(z.string(), z.string()).optional(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});

const kustomizationSchema = z.strictObject({
  apiVersion: z.enum(['kustomize.config.k8s.io/v1beta1', 'kustomize.config.k8s.io/v1alpha1']),
  kind: z.enum(['Kustomization', 'Component']),
  namespace: z.string().optional(),
  resources: z.array(z.string()).default([]),
  components: z.array(z.string()).default([]),
  configMapGenerator: z.array(configMapGenerator).default([]),
  patches: z.array(patchSchema).default([]),
});

/** Kinds without a namespace, among those that the tree uses: `namespace:` leaves them alone. */
const CLUSTER_WIDE = new Set([
  'Namespace',
  'ClusterRole',
  'ClusterRoleBinding',
  'PriorityClass',
  'RuntimeClass',
  'StorageClass',
  'ClusterIssuer',
  'Installation',
  'CustomResourceDefinition',
]);

/**
 * Builds a folder with a `kustomization.yaml`, as `kustomize build` does.
 * @param further components that come after the folder's own, relative to it, as in `spec.components` of Flux
 * @throws InvalidManifest naming the file and what is wrong with it
 */
export function kustomizeBuild(folder: string, further: readonly string[] = []): Manifest[] {
  return build(folder, [], [], further);
}

function build(
  folder: string,
  accumulated: Manifest[],
  ancestors: readonly string[],
  further: readonly string[] = [],
): Manifest[] {
  const file = path.join(folder, 'kustomization.yaml');
  if (ancestors.includes(folder)) throw new InvalidManifest(`${file}: includes itself`);
  const parsed = kustomizationSchema.safeParse(readKustomization(file));
  if (!parsed.success) throw new InvalidManifest(`${file}: ${z.prettifyError(parsed.error)}`);
  const { resources, components, namespace, patches, ...kustomization } = parsed.data;

  const inside = [...ancestors, folder];
  let manifests = [
    ...accumulated,
    ...resources.flatMap((resource) => readResource(path.join(folder, resource), inside)),
    ...kustomization.configMapGenerator.map((generator) => generateConfigMap(folder, generator)),
  ];
  for (const component of [...components, ...further])
    manifests = build(path.join(folder, component), manifests, inside);
  manifests = patches.reduce((current, patch) => patchAll(current, patch, file), manifests);
  return namespace === undefined ? manifests : manifests.map((manifest) => inNamespace(manifest, namespace));
}

function readKustomization(file: string): unknown {
  try {
    return readYaml(file)[0];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new InvalidManifest(`${file}: no such file`);
  }
}

function readResource(resource: string, ancestors: readonly string[]): Manifest[] {
  const stat = statSync(resource, { throwIfNoEntry: false });
  if (!stat) throw new InvalidManifest(`${resource}: listed as a resource, but not there`);
  if (stat.isDirectory()) return build(resource, [], ancestors);
  return readYaml(resource).map((document) => toManifest(document, resource));
}

function generateConfigMap(folder: string, generator: z.infer<typeof configMapGenerator>): Manifest {
  const { name, namespace, files, options } = generator;
  const data = files.map((entry) => {
    const [key, file] = entry.includes('=') ? entry.split('=', 2) : [path.basename(entry), entry];
    return [key, readFileSync(path.join(folder, file ?? ''), 'utf8')];
  });
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(options.labels && { labels: options.labels }),
      ...(options.annotations && { annotations: options.annotations }),
    },
    data: Object.fromEntries(data) as Record<string, string>,
  };
}

/** Applies one entry of `patches`; `file` only names it in errors. */
export function patchAll(manifests: Manifest[], patch: Patch, file: string): Manifest[] {
  const [document] = parseYaml(patch.patch, file);
  let hits = 0;
  const patched = manifests.flatMap((manifest) => {
    if (!isTarget(manifest, patch.target)) return [manifest];
    hits += 1;
    const result = applyPatch(manifest, document, file);
    return result === undefined ? [] : [result];
  });
  if (hits === 0) throw new InvalidManifest(`${file}: a patch for ${JSON.stringify(patch.target)} matches nothing`);
  return patched;
}

/** Names are regular expressions that must match as a whole, as in kustomize. */
function isTarget({ apiVersion, kind, metadata }: Manifest, target: Patch['target']): boolean {
  const [, label, not, value] = /^([^!=]+)(!?)=(.+)$/.exec(target.labelSelector ?? '') ?? [];
  return (
    (target.kind === undefined || new RegExp(`^(${target.kind})$`).test(kind)) &&
    (target.name === undefined || new RegExp(`^(${target.name})$`).test(metadata.name)) &&
    (target.group === undefined || apiVersion.startsWith(`${target.group}/`)) &&
    (label === undefined || (metadata.labels?.[label] === value) !== (not === '!'))
  );
}

function inNamespace(manifest: Manifest, namespace: string): Manifest {
  if (manifest.kind === 'Namespace') return { ...manifest, metadata: { ...manifest.metadata, name: namespace } };
  if (CLUSTER_WIDE.has(manifest.kind)) return manifest;
  return { ...manifest, metadata: { ...manifest.metadata, namespace } };
}
