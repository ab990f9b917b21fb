import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Archive, filesBelow, packFolder } from '../archive';
import type { NodeInstall } from './install';
import { nodeInstallSchema } from './install';

/** Source of everything that runs on a node. */
const USERDATA = join(__dirname, '..', '..', 'userdata');

/**
 * Packs `userdata/` and `install.json` into one archive below `outDir`. Same sources and same `install`, same bytes:
 * sorted entries, no times, no owners, fixed modes, so that an unchanged bundle replaces no instance.
 */
export function buildNodeBundle(install: NodeInstall, outDir: string): Archive {
  const stage = mkdtempSync(join(tmpdir(), 'drowse-node-bundle-'));
  try {
    cpSync(USERDATA, stage, {
      recursive: true,
      filter: (path) => !path.endsWith('/user-data.sh') && !path.includes('__pycache__'),
    });
    writeFileSync(join(stage, 'install.json'), `${JSON.stringify(nodeInstallSchema.parse(install), null, 2)}\n`);
    for (const file of filesBelow(stage)) {
      chmodSync(join(stage, file), isProgram(file) ? 0o755 : 0o644);
    }
    return packFolder(stage, outDir, 'node');
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** Scripts that are run by name, as opposed to libraries that are sourced. */
function isProgram(file: string): boolean {
  return file.endsWith('.sh') && !file.startsWith('lib/');
}
