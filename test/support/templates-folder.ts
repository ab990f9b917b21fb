import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Environment variable with the folder of the templates that this run of jest has synthesized so far. */
export const TEMPLATES_FOLDER = 'DROWSE_TEST_TEMPLATES';

/** jest's globalSetup. */
export default function makeFolder(): void {
  process.env[TEMPLATES_FOLDER] = mkdtempSync(join(tmpdir(), 'drowse-templates-'));
}

/** jest's globalTeardown, by way of templates-folder-teardown.ts: jest takes a file's default export. */
export function removeFolder(): void {
  rmSync(process.env[TEMPLATES_FOLDER] ?? '', { recursive: true, force: true });
}
