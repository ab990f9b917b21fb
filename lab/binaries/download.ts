import { createHash } from 'node:crypto';
import { chmodSync, createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tar from 'tar';
import { CommandFailed } from '../../cli/terminal/errors';
import { get, Unreachable } from './http';
import type { LockedFile } from './lock';
import { oneAtATime } from './one-at-a-time';
import { CACHE } from './wanted';

/** How often a download is begun whose connection breaks or whose server is busy. */
const TRIES = 3;
/** Before it is begun again (ms). */
const PAUSE_MS = 2000;
const REMEDY = 'Without LAB_DOWNLOAD it is built, which needs Go and the Go module proxy.';

interface Options {
  signal: AbortSignal;
  /** Called before anything is downloaded. */
  onDownload: () => void;
  cache?: string;
  pauseMs?: number;
}

/** A file is not what the lock says. */
export class WrongDigest extends CommandFailed {
  constructor({ url, sha256, source }: LockedFile, found: string) {
    super(
      `${url} is not the file that the lock names`,
      'Nothing of it was kept. Something between may have answered in its place (a proxy, a sign-in page); if not, do not use it, and tell us.',
      `its digest:  ${found}\nin the lock: ${sha256}, from ${source}`,
    );
  }
}

/**
 * The programs of a published file: from the cache, or downloaded. Nothing is unpacked before its digest is found right, and nothing
 * is in its place before it is whole. One process at a time downloads on this machine.
 * @returns path of each program, by name
 * @throws WrongDigest, Refused, Unreachable, CommandFailed
 */
export async function downloadedBinaries(file: LockedFile, options: Options): Promise<Record<string, string>> {
  const { signal, onDownload, cache = CACHE } = options;
  const contents = createHash('sha256')
    .update(JSON.stringify([file.sha256, file.programs]))
    .digest('hex');
  const folder = path.join(cache, 'released', contents.slice(0, 16));
  if (!existsSync(folder)) {
    onDownload();
    await oneAtATime(path.join(cache, 'released.lock'), signal, async () => {
      if (!existsSync(folder)) await fillFolder(folder, file, options);
    });
  }
  return Object.fromEntries(Object.keys(file.programs).map((name) => [name, path.join(folder, name)]));
}

async function fillFolder(folder: string, file: LockedFile, options: Options): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  const download = path.join(unfinished, '.download');
  // What a killed process left: nobody else is at it now.
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  try {
    await downloadTo(download, file.url, options);
    const found = await digestOf(download);
    if (found !== file.sha256) throw new WrongDigest(file, found);
    await takePrograms(download, unfinished, file);
    rmSync(download, { force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Begins again from the start where the connection breaks: these files are 5 to 100 MB. */
async function downloadTo(target: string, url: string, { signal, pauseMs = PAUSE_MS }: Options): Promise<void> {
  const save = ({ body }: Response) => pipeline(body ?? [], createWriteStream(target), { signal });
  for (let attempt = 1; ; attempt++) {
    try {
      await get(url, save, { signal, remedy: REMEDY });
      return;
    } catch (error) {
      if (!(error instanceof Unreachable) || attempt === TRIES) throw error;
      await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Puts each program of a file into a folder under its own name. */
async function takePrograms(download: string, folder: string, { programs, url }: LockedFile): Promise<void> {
  const unpacked = path.join(folder, '.unpacked');
  const members = new Set(Object.values(programs));
  mkdirSync(unpacked);
  if (!members.has(null)) {
    await tar.extract({
      file: download,
      cwd: unpacked,
      filter: (member, entry) => members.has(path.posix.normalize(member)) && 'type' in entry && entry.type === 'File',
    });
  }
  for (const [name, member] of Object.entries(programs)) {
    const found = member === null ? download : path.join(unpacked, member);
    if (!existsSync(found)) {
      throw new CommandFailed(
        `${url} has no ${String(member)}`,
        `Correct where ${name} is in it (published, in lab/binaries/recipes.ts), then run make lab-lock. ${REMEDY}`,
      );
    }
    renameSync(found, path.join(folder, name));
    chmodSync(path.join(folder, name), 0o755);
  }
  rmSync(unpacked, { recursive: true });
}
