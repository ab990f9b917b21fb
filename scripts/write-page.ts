import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAGE_ASSETS, packPage } from '../lib/page';

/** Packs style and script of the page (web/) for its function. */
async function main(): Promise<void> {
  writeFileSync(join(__dirname, '..', PAGE_ASSETS), `${JSON.stringify(await packPage(), null, 2)}\n`);
}

void main();
