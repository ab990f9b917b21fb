import { readFileSync, rmSync, writeFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { readYaml } from '../manifest';
import { sorted } from './inputs';

const HEADER = '# Written by make platform-render; see docs/platform.md. Not to be edited.\n';

/**
 * Writes a file of facts, unless it says the same already but for the day.
 * @returns what changed, as lines; none if nothing did
 */
export function writeFacts(file: string, facts: Record<string, unknown>): string[] {
  const after = compact(facts) as Record<string, unknown>;
  const before = readOr(file);
  const changes = before === undefined ? ['was not known before'] : differences(timeless(before), timeless(after));
  if (changes.length === 0) return [];
  writeFileSync(file, HEADER + stringify(after, { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false }));
  return changes;
}

/** Removes the files of releases that the tree no longer has. @returns their names */
export function removeOthers(folder: string, releases: readonly string[]): string[] {
  const others = readdirSync(folder).filter((file) => !releases.includes(path.basename(file, '.yaml')));
  for (const file of others) rmSync(path.join(folder, file));
  return others;
}

/** What differs between two documents, each as `path: before → after`; elements of lists go by their name where they have one. */
export function differences(before: unknown, after: unknown, where = ''): string[] {
  if (sorted(before ?? null) === sorted(after ?? null)) return [];
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  if (old === undefined || now === undefined) {
    if (before === undefined || before === null) return [`${where}: new: ${short(after)}`];
    if (after === undefined || after === null) return [`${where}: gone: ${short(before)}`];
    return [`${where}: ${short(before)} → ${short(after)}`];
  }
  const keys = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  return keys.flatMap((key) => differences(old[key], now[key], where === '' ? key : `${where} ${key}`));
}

/** A map's fields, or a list's elements by what tells them apart. */
function fieldsOf(value: unknown): Record<string, unknown> | undefined {
  if (Array.isArray(value)) return Object.fromEntries(value.map((each) => [labelOf(each), each]));
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

function labelOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { kind, namespace, name, webhook } = value as Record<string, unknown>;
  const parts = [kind, namespace, name, webhook].filter((part): part is string => typeof part === 'string');
  return parts.length > 0 ? parts.join(' ') : sorted(value);
}

function short(value: unknown): string {
  const text = typeof value === 'string' ? value : sorted(value);
  return text.length > 200 ? `${text.slice(0, 197)}…` : text;
}

/** Without fields that say nothing: defaults of the schema. */
function compact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(compact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, each]) => !isDefault(key, each))
      .map(([key, each]) => [key, key === 'nodeSelector' ? each : compact(each)]),
  );
}

function isDefault(key: string, value: unknown): boolean {
  if (value === undefined || value === false) return true;
  if (key === 'values') return false;
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return (
    (key === 'protocol' && value === 'TCP') ||
    (key === 'serviceAccount' && value === 'default') ||
    (key === 'replicas' && value === 1)
  );
}

function timeless(facts: unknown): unknown {
  return { ...(facts as Record<string, unknown>), renderedOn: undefined };
}

function readOr(file: string): unknown {
  try {
    readFileSync(file);
  } catch {
    return undefined;
  }
  return readYaml(file)[0];
}
