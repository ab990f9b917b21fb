import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/** What a step's result depends on: files and folders by their content, and plain words. */
export interface Inputs {
  files: readonly string[];
  words: readonly string[];
}

/** Twelve hexadecimal digits that change with any input. */
export function digestOf({ files, words }: Inputs): string {
  const hash = createHash('sha256').update(JSON.stringify(words));
  for (const file of files) addFile(hash, file, path.basename(file));
  return hash.digest('hex').slice(0, 12);
}

function addFile(hash: ReturnType<typeof createHash>, file: string, name: string): void {
  const status = lstatSync(file);
  hash.update(`\0${name}\0${String(status.mode & 0o111)}\0`);
  if (status.isDirectory()) {
    for (const entry of readdirSync(file).sort()) addFile(hash, path.join(file, entry), `${name}/${entry}`);
  } else {
    hash.update(status.isSymbolicLink() ? readlinkSync(file) : readFileSync(file));
  }
}
