import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Folders in which a shell looks for programs. */
export function programFolders(env: NodeJS.ProcessEnv = process.env): string[] {
  return (env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
}

/** Where a program is: its path in the first folder that has it; undefined if none has. */
export function findProgram(name: string, folders: readonly string[] = programFolders()): string | undefined {
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
