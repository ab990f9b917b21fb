import * as z from 'zod';
import { InvalidManifest, type Manifest } from './manifest';

/** One entry of `patches` in a kustomization.yaml; the text is a strategic merge or a list of JSON 6902 operations. */
export const patchSchema = z.strictObject({
  target: z.strictObject({
    group: z.string().optional(),
    kind: z.string().optional(),
    name: z.string().optional(),
    labelSelector: z
      .string()
      .regex(/^[^=,!]+!?=[^=,]+$/, 'one label=value or label!=value')
      .optional(),
  }),
  patch: z.string(),
});
/** A parsed entry of `patches`. */
export type Patch = z.infer<typeof patchSchema>;

const operations = z.array(
  z.strictObject({
    op: z.enum(['add', 'replace', 'remove']),
    path: z.string().startsWith('/'),
    value: z.unknown().optional(),
  }),
);

/** The object with the patch applied; undefined if the patch deletes it. */
export function applyPatch(manifest: Manifest, patch: unknown, file: string): Manifest | undefined {
  if (Array.isArray(patch)) return applyOperations(manifest, operations.parse(patch), file);
  const { $patch: directive, ...rest } = patch as Record<string, unknown>;
  if (directive === 'delete') return undefined;
  // Names in a patch with a target only make it a valid document.
  const { apiVersion, kind, metadata } = manifest;
  const { name } = metadata;
  const merged = merge(manifest, rest, BUILT_IN.has(kind)) as Manifest;
  const { namespace } = metadata;
  return {
    ...merged,
    apiVersion,
    kind,
    metadata: { ...merged.metadata, name, ...(namespace !== undefined && { namespace }) },
  };
}

/**
 * Lists of Kubernetes' own kinds that are merged element by element, by the field that tells elements apart; kustomize has it
 * from the API's schema. All other lists are replaced, and so are all lists of kinds that it has no schema of.
 */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  containers: 'name',
  initContainers: 'name',
  volumes: 'name',
  env: 'name',
  imagePullSecrets: 'name',
  volumeMounts: 'mountPath',
};
const BUILT_IN = new Set(['Pod', 'Deployment', 'DaemonSet', 'StatefulSet', 'Job', 'CronJob']);

/** A strategic merge: maps and some lists are merged, other lists are replaced, and null removes. */
function merge(base: unknown, patch: unknown, mergesLists: boolean, field = ''): unknown {
  if (isMap(base) && isMap(patch)) {
    const result: Record<string, unknown> = { ...base };
    for (const [key, value] of Object.entries(patch)) {
      if (value === null) {
        // oxlint-disable-next-line typescript/no-dynamic-delete -- the object is our own copy
        delete result[key];
      } else {
        result[key] = merge(result[key], value, mergesLists, key);
      }
    }
    return result;
  }
  const mergeKey = mergesLists ? MERGE_KEYS[field] : undefined;
  if (mergeKey !== undefined && Array.isArray(base) && Array.isArray(patch)) return mergeList(base, patch, mergeKey);
  return patch;
}

/** Known elements are merged in their place; new ones go to the front, as kustomize puts them. */
function mergeList(base: readonly unknown[], patch: readonly unknown[], mergeKey: string): unknown[] {
  const isSame = (a: unknown, b: unknown) => isMap(a) && isMap(b) && a[mergeKey] === b[mergeKey];
  return [
    ...patch.filter((element) => !base.some((known) => isSame(known, element))),
    ...base.map((known) => {
      const change = patch.find((element) => isSame(known, element));
      return change === undefined ? known : merge(known, change, true);
    }),
  ];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function applyOperations(manifest: Manifest, patch: z.infer<typeof operations>, file: string): Manifest {
  const result = structuredClone(manifest);
  for (const { op, path, value } of patch) {
    const keys = path
      .slice(1)
      .split('/')
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    const parent = keys.reduce<unknown>(
      (current, key) => (current as Record<string, unknown> | undefined)?.[key],
      result,
    );
    if (typeof parent !== 'object' || parent === null) {
      throw new InvalidManifest(`${file}: ${op} ${path}: ${manifest.kind} ${manifest.metadata.name} has no such place`);
    }
    change(parent as Record<string, unknown> | unknown[], op, last, value);
  }
  return result;
}

function change(parent: Record<string, unknown> | unknown[], op: string, key: string, value: unknown): void {
  if (Array.isArray(parent)) {
    const index = key === '-' ? parent.length : Number(key);
    if (op === 'add') parent.splice(index, 0, value);
    else if (op === 'remove') parent.splice(index, 1);
    else parent[index] = value;
  } else if (op === 'remove') {
    // oxlint-disable-next-line typescript/no-dynamic-delete -- the object is our own copy
    delete parent[key];
  } else {
    parent[key] = value;
  }
}
