import { stringify, parse } from 'yaml';
import type { Manifest } from './manifest';

/** Flux's annotation that keeps an object's own `${…}` as it is. */
const ANNOTATION = 'kustomize.toolkit.fluxcd.io/substitute';
const VARIABLE = /\$\{([a-z][a-z0-9_]*)\}/g;
/** Anything that Flux's substitution would read: also defaults and shell-like operators, which we do without. */
const ANY_VARIABLE = /\$\{[^}]*\}/g;

/** The names of all `${variables}` of an object that Flux substitutes. */
export function variablesOf(manifest: Manifest): string[] {
  if (isExempt(manifest)) return [];
  return [...new Set(JSON.stringify(manifest).match(ANY_VARIABLE) ?? [])].map((text) => text.slice(2, -1));
}

/**
 * The object as it reaches the cluster. As in Flux, values are put into the YAML text, so that `"${count}"` stays a string
 * and `${count}` becomes a number.
 */
export function substitute(manifest: Manifest, values: Readonly<Record<string, string>>): Manifest {
  if (variablesOf(manifest).length === 0) return manifest;
  const text = stringify(manifest, { lineWidth: 0 });
  return parse(text.replace(VARIABLE, (whole, name: string) => values[name] ?? whole)) as Manifest;
}

function isExempt({ metadata }: Manifest): boolean {
  return metadata.annotations?.[ANNOTATION] === 'disabled' || metadata.labels?.[ANNOTATION] === 'disabled';
}
