import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { type Document, isMap, isSeq, parseDocument, stringify } from 'yaml';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { type Entries, kubeconfigOf } from './kubeconfig';

/**
 * The file that kubectl would write: of `KUBECONFIG` the first that is there, or else the last; `~/.kube/config` without it.
 */
export function kubeconfigFile(env: NodeJS.ProcessEnv = process.env): string {
  const files = (env.KUBECONFIG ?? '').split(path.delimiter).filter((file) => file !== '');
  return files.find((file) => existsSync(file)) ?? files.at(-1) ?? path.join(homedir(), '.kube', 'config');
}

export interface Merge {
  entries: Entries;
  /** Make its context the current one. */
  use: boolean;
}

/**
 * Puts a cluster's entries into a kubeconfig, and leaves all else in it as it is, comments too. The file is replaced as a whole, under
 * kubectl's own lock: whoever reads it meanwhile finds the old or the new one.
 * @throws CommandFailed if the file cannot be read as what it is, is being written, or has another context of that name
 */
export function mergeInto(file: string, merge: Merge): void {
  const real = existsSync(file) ? realpathSync(file) : file;
  mkdirSync(path.dirname(real), { recursive: true, mode: 0o700 });
  const lock = `${real}.lock`;
  try {
    closeSync(openSync(lock, 'wx', 0o600));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code === 'EEXIST'
      ? new CommandFailed(
          `${real} is being written by somebody else`,
          `If nobody does, delete ${lock}. Then run the command again.`,
        )
      : new CommandFailed(
          `${real} cannot be written: ${message}`,
          'Choose another file: --stdout > FILE, or KUBECONFIG=FILE.',
        );
  }
  try {
    const text = existsSync(real) ? readFileSync(real, 'utf8') : '';
    replace(real, mergeText(text, merge, real));
  } finally {
    rmSync(lock, { force: true });
  }
}

/** The text of a kubeconfig with a cluster's entries in it. @throws CommandFailed as {@link mergeInto} does */
export function mergeText(text: string, { entries, use }: Merge, file: string): string {
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem) throw unreadable(file, problem.message);
  if (document.contents === null) return stringify(kubeconfigOf(entries), { lineWidth: 0 });
  if (!isMap(document.contents)) throw unreadable(file, 'it is no map of fields');
  const own = entries.clusters.name;
  const { name: context } = entries.contexts;
  const clusterOf = entryIn(document, 'contexts', context, file)?.getIn(['context', 'cluster']);
  if (clusterOf !== undefined && clusterOf !== own) {
    throw new CommandFailed(
      `${file} has a context ${context} that leads elsewhere`,
      'Name this one otherwise: --context NAME.',
      '',
      EXIT.wrongUse,
    );
  }
  for (const [list, entry] of Object.entries(entries) as [keyof Entries, { name: string }][]) {
    const there = entryIn(document, list, entry.name, file);
    if (there) for (const [key, value] of Object.entries(entry)) there.set(key, document.createNode(value));
    else if (isSeq(document.get(list))) document.addIn([list], document.createNode(entry));
    else document.set(list, document.createNode([entry]));
  }
  const current = document.get('current-context');
  if (use || typeof current !== 'string' || current === '') document.set('current-context', context);
  return document.toString({ lineWidth: 0 });
}

/** The entry of that name in a list. */
function entryIn(document: Document, list: string, name: string, file: string) {
  const items = document.get(list);
  if (items === undefined || items === null) return undefined;
  if (!isSeq(items)) throw unreadable(file, `${list} is no list`);
  return items.items.filter(isMap).find((item) => item.get('name') === name);
}

function unreadable(file: string, why: string): CommandFailed {
  return new CommandFailed(
    `${file} cannot be read as a kubeconfig: ${why}`,
    'It was left as it is. Correct it, or choose another: KUBECONFIG=FILE, or --stdout > FILE.',
  );
}

/** It holds a key from now on: nobody else may read it. */
function replace(file: string, text: string): void {
  const fresh = `${file}.${String(process.pid)}`;
  try {
    const handle = openSync(fresh, 'wx', 0o600);
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(fresh, file);
  } finally {
    rmSync(fresh, { force: true });
  }
}
