import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tar from 'tar';
import type { NodeInstall } from './install';
import { nodeInstallSchema } from './install';

/** Source of everything that runs on a node. */
const USERDATA = join(__dirname, '..', '..', 'userdata');

/** A built node bundle. */
export interface NodeBundle {
  /** Path of the archive on this machine, `<outDir>/node/<sha256>.tar.gz`: sync `outDir` to the bucket's root. */
  readonly file: string;
  /** Its key in the bucket. */
  readonly key: string;
  /** Digest of the archive, hexadecimal: it names the install that an image carries, too. */
  readonly sha256: string;
}

/**
 * Packs `userdata/` and `install.json` into one archive below `outDir`. Same sources and same `install`, same bytes:
 * sorted entries, no times, no owners, fixed modes, so that an unchanged bundle replaces no instance.
 */
export function buildNodeBundle(install: NodeInstall, outDir: string): NodeBundle {
  const stage = mkdtempSync(join(tmpdir(), 'drowse-node-bundle-'));
  try {
    cpSync(USERDATA, stage, {
      recursive: true,
      filter: (path) => !path.endsWith('/user-data.sh') && !path.includes('__pycache__'),
    });
    writeFileSync(join(stage, 'install.json'), `${JSON.stringify(nodeInstallSchema.parse(install), null, 2)}\n`);
    const files = filesBelow(stage);
    for (const file of files) {
      chmodSync(join(stage, file), isProgram(file) ? 0o755 : 0o644);
    }
    const archive = join(stage, 'bundle.tar.gz');
    tar.create(
      { sync: true, file: archive, cwd: stage, gzip: true, portable: true, noMtime: true, noDirRecurse: true },
      files,
    );
    const bytes = readFileSync(archive);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const key = `node/${sha256}.tar.gz`;
    mkdirSync(join(outDir, 'node'), { recursive: true });
    writeFileSync(join(outDir, key), bytes);
    return { file: join(outDir, key), key, sha256 };
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** Files below a folder, relative to it, in an order that no locale changes. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort((a, b) => (a < b ? -1 : 1));
}

/** Scripts that are run by name, as opposed to libraries that are sourced. */
function isProgram(file: string): boolean {
  return file.endsWith('.sh') && !file.startsWith('lib/');
}
