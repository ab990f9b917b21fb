import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tar from 'tar';

/** An archive in the bucket that is named by its content, so that whoever knows the name can check what he gets. */
export interface Archive {
  /** Path of the archive on this machine, `<outDir>/<key>`: sync `outDir` to the bucket's root. */
  readonly file: string;
  /** Its key in the bucket, `<prefix>/<sha256>.tar.gz`. */
  readonly key: string;
  /** Digest of the archive, hexadecimal. */
  readonly sha256: string;
}

/**
 * Packs every file below a folder into one gzipped archive below `outDir`. Same files, same bytes: sorted entries, no times,
 * no owners.
 */
export function packFolder(folder: string, outDir: string, prefix: 'node' | 'platform'): Archive {
  const draft = join(outDir, `${prefix}.draft`);
  mkdirSync(join(outDir, prefix), { recursive: true });
  tar.create(
    { sync: true, file: draft, cwd: folder, gzip: true, portable: true, noMtime: true, noDirRecurse: true },
    filesBelow(folder),
  );
  const bytes = readFileSync(draft);
  rmSync(draft);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const key = `${prefix}/${sha256}.tar.gz`;
  writeFileSync(join(outDir, key), bytes);
  return { file: join(outDir, key), key, sha256 };
}

/** Files below a folder, relative to it, in an order that no locale changes. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort((a, b) => (a < b ? -1 : 1));
}
