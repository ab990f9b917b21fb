import { spawnSync } from 'node:child_process';
import type { Manifest } from '../../lib/platform/manifest';
import { readServer } from './server';

const { kubeconfig, programs } = readServer();

/** What a command said. */
export interface Said {
  ok: boolean;
  stdout: string;
  stderr: string;
}

/** Runs kubectl as an administrator. */
export function kubectl(args: readonly string[], input = ''): Said {
  const { status, stdout, stderr } = spawnSync(programs.kubectl, ['--kubeconfig', kubeconfig, ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  return { ok: status === 0, stdout, stderr };
}

/** Like {@link kubectl}, for what must work; returns its output. */
export function must(args: readonly string[], input = ''): string {
  const { ok, stdout, stderr } = kubectl(args, input);
  if (!ok) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Objects of a kind, in all namespaces. */
export function get(kind: string): Manifest[] {
  return (JSON.parse(must(['get', kind, '--all-namespaces', '--output', 'json'])) as { items: Manifest[] }).items;
}

/** What the API server said of objects that were applied, a line each. */
export interface Verdict {
  refused: string[];
  warnings: string[];
}

/** Applies objects on the server's side, as Flux does, with a strict look at their fields. */
export function apply(objects: readonly Manifest[]): Verdict {
  if (objects.length === 0) return { refused: [], warnings: [] };
  // No List: its objects would only be looked at by kubectl itself, and by older rules.
  const documents = objects.map((manifest) => JSON.stringify(manifest)).join('\n---\n');
  const flags = ['--server-side', '--force-conflicts', '--validate=strict', '--field-manager=kustomize-controller'];
  const { ok, stderr } = kubectl(['apply', ...flags, '--filename', '-'], documents);
  const lines = stderr.split('\n').filter((line) => line !== '');
  const warnings = lines.filter((line) => line.startsWith('Warning: '));
  const refused = lines.filter((line) => !warnings.includes(line));
  return { refused: ok || refused.length > 0 ? refused : ['kubectl apply failed without a word'], warnings };
}

/** A kind that the server knows. */
export interface Kind {
  version: string;
  kind: string;
  namespaced: boolean;
}

/** Every kind that the server knows. */
export function kinds(): Kind[] {
  return must(['api-resources', '--no-headers'])
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [version = '', namespaced, kind = ''] = line.trim().split(/\s+/).slice(-3);
      return { version, kind, namespaced: namespaced === 'true' };
    });
}
