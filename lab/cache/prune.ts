import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { LAB_CACHE } from './paths';

/** How many versions of each part are kept: this one, and the one before it to go back to. */
const KEPT = 2;
/** What was used within this time may be in use by another lab. */
const IN_USE_MS = 6 * 3_600_000;

/**
 * Removes parts of the cache that were not used for long: of each kind, all but the newest two.
 * @returns what was removed
 */
export function pruneCache(cache: string = LAB_CACHE, now: number = Date.now()): string[] {
  const kinds = new Map<string, { name: string; usedAt: number }[]>();
  for (const name of readdirSync(cache)) {
    const kind = /^(.+)-[0-9a-f]{12}$/.exec(name)?.[1];
    if (kind === undefined) continue;
    const usedAt = statSync(path.join(cache, name)).mtimeMs;
    kinds.set(kind, [...(kinds.get(kind) ?? []), { name, usedAt }]);
  }
  const old = [...kinds.values()].flatMap((parts) =>
    parts
      .sort((a, b) => b.usedAt - a.usedAt)
      .slice(KEPT)
      .filter(({ usedAt }) => now - usedAt > IN_USE_MS)
      .map(({ name }) => name),
  );
  for (const name of old) rmSync(path.join(cache, name), { recursive: true, force: true });
  return old;
}

/** Removes what runs left unfinished that were killed: `<part>.<process ID>`. */
export function sweepUnfinished(cache: string = LAB_CACHE): void {
  for (const name of existsSync(cache) ? readdirSync(cache) : []) {
    const pid = /-[0-9a-f]{12}\.(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(path.join(cache, name), { recursive: true, force: true });
  }
}
