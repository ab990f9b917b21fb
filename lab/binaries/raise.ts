import path from 'node:path';
import { CommandFailed } from '../../cli/terminal/errors';
import { get, Refused } from './http';
import type { Lock, LockedFile } from './lock';
import { ARCHITECTURES, RECIPES, type Recipe, UPGRADED_FROM } from './recipes';
import { type Wanted, wantedOf } from './wanted';

/** A published file, before its digest is known. */
type File = Pick<LockedFile, 'programs' | 'version' | 'architecture' | 'url'> & { digests: string };

/** What became of the lock. */
export interface Raised {
  lock: Lock;
  /** Files that are not published, or not named by their makers' list. */
  missing: string[];
}

/** All that belongs into the lock: every recipe's version, and those of Kubernetes that upgrades begin with. */
export function lockable(): Wanted[] {
  const recipes: [string, Recipe][] = Object.entries(RECIPES);
  return recipes.flatMap(([name, { module }]) => [
    wantedOf(name),
    ...(module === RECIPES.kubelet.module ? UPGRADED_FROM.map((version) => wantedOf(`${name}@${version}`)) : []),
  ]);
}

/** The files that have the programs, one for each architecture; an archive has several. */
export function publishedFiles(programs: readonly Wanted[]): File[] {
  const files = new Map<string, File>();
  for (const { name, recipe, version } of programs) {
    for (const architecture of ARCHITECTURES) {
      const published = recipe.published?.(version, architecture);
      if (!published) continue;
      const { url, digests, member = null } = published;
      const file = files.get(url) ?? { programs: {}, version, architecture, url, digests };
      files.set(url, { ...file, programs: { ...file.programs, [name]: member } });
    }
  }
  return [...files.values()];
}

/**
 * Reads the digest of each file from its makers' own list. A digest that is in the lock already stays, if the list has none; what
 * is not asked for any more goes.
 * @param today YYYY-MM-DD
 * @throws CommandFailed a list has another digest than the lock (published files do not change), or can't be reached
 */
export async function raiseLock(
  lock: Lock,
  programs: readonly Wanted[],
  { signal, today }: { signal: AbortSignal; today: string },
): Promise<Raised> {
  const lists = new Map<string, string | undefined>();
  const missing: string[] = [];
  const files: LockedFile[] = [];
  for (const { digests: source, ...file } of publishedFiles(programs)) {
    if (!lists.has(source)) lists.set(source, await listOf(source, signal));
    const sha256 = digestIn(lists.get(source) ?? '', path.posix.basename(file.url));
    const known = lock.files.find(({ url }) => url === file.url);
    if (sha256 === undefined) missing.push(file.url);
    else if (known && known.sha256 !== sha256) throw changed(known, sha256, source);
    if (sha256 !== undefined && known?.source !== source) files.push({ ...file, sha256, source, date: today });
    else if (known) files.push({ ...known, ...file });
  }
  return { lock: { ...lock, files }, missing };
}

/** A list of digests; undefined if there is none. */
async function listOf(url: string, signal: AbortSignal): Promise<string | undefined> {
  const remedy = 'Check the network, then run the command again. The lock was left as it was.';
  try {
    return await get(url, (response) => response.text(), { signal, remedy });
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return undefined;
    throw error;
  }
}

/** The digest of a file in a list of `sha256sum`, or the list's only word. */
export function digestIn(list: string, file: string): string | undefined {
  for (const line of list.split('\n')) {
    const [digest = '', name = file] = line.trim().split(/\s+\*?/);
    if (/^[0-9a-f]{64}$/i.test(digest) && path.posix.basename(name) === file) return digest.toLowerCase();
  }
  return undefined;
}

function changed({ url, sha256, source }: LockedFile, found: string, list: string): CommandFailed {
  return new CommandFailed(
    `The digest of ${url} has changed`,
    'Published files do not change: find out which is right. If it is the new one, take the entry out of lab/binaries/released.json, then run the command again.',
    `now:         ${found}, in ${list}\nin the lock: ${sha256}, from ${source}`,
  );
}
