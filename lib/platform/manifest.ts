import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';

/** A Kubernetes object as it stands in a file. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  [field: string]: unknown;
}

/** A file of the platform tree cannot be read as what it should be. */
export class InvalidManifest extends Error {
  override readonly name = 'InvalidManifest';
}

/** The documents of a YAML file; empty ones are left out. */
export function readYaml(file: string): unknown[] {
  return parseYaml(readFileSync(file, 'utf8'), file);
}

/** The documents of a YAML text; `file` only names it in errors. */
export function parseYaml(text: string, file: string): unknown[] {
  const documents = parseAllDocuments(text, { merge: true });
  if ('empty' in documents) return [];
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error) throw new InvalidManifest(`${file}: ${error.message}`);
    const value: unknown = document.toJS();
    return value === null || value === undefined ? [] : [value];
  });
}

/** Checks that a document is a Kubernetes object. */
export function toManifest(value: unknown, file: string): Manifest {
  const manifest = value as Partial<Manifest> | null;
  if (typeof manifest?.apiVersion !== 'string' || typeof manifest.kind !== 'string') {
    throw new InvalidManifest(`${file}: a document without apiVersion or kind`);
  }
  if (typeof manifest.metadata?.name !== 'string') {
    throw new InvalidManifest(`${file}: ${manifest.kind} without metadata.name`);
  }
  return manifest as Manifest;
}

/** `Kind namespace/name`, for messages. */
export function nameOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
}

/** The part of `apiVersion` before the slash; empty for the core group. */
export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** The value at a path of plain objects and arrays; undefined where it ends early. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
  return path.reduce<unknown>(
    (current, key) =>
      typeof current === 'object' && current !== null ? (current as Record<string | number, unknown>)[key] : undefined,
    value,
  );
}

/** The value if it is an array, else none. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
