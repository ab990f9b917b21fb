import { existsSync } from 'node:fs';
import { builtBinary } from './build';
import { downloadedBinaries } from './download';
import { type Lock, lockedFile, readLock } from './lock';
import { CACHE, cachedPath, type Wanted } from './wanted';

/** What a person is told. */
export interface Telling {
  /** What is done now. */
  step: (text: string) => void;
  /** What is to be read afterwards, too. */
  note: (text: string) => void;
}

interface Options {
  /** Where programs are taken from that are published, in the place of building them; LAB_DOWNLOAD=1 says so. */
  lock?: Lock | undefined;
  cache?: string;
}

/** Whether LAB_DOWNLOAD says so: with anything but nothing and 0. */
export function isAskedToDownload({ LAB_DOWNLOAD = '' }: NodeJS.ProcessEnv = process.env): boolean {
  return LAB_DOWNLOAD !== '' && LAB_DOWNLOAD !== '0';
}

/**
 * Programs, from the cache or made now, one after the other: built from Go modules, or with LAB_DOWNLOAD=1 downloaded, where
 * the lock has the digest of what their makers publish. A download that fails is not built in its place: a build takes
 * minutes, and whoever asked for the published program gets no other without a word.
 * @returns their paths, in the order asked for
 * @throws CommandFailed
 */
export async function obtainBinaries(
  programs: readonly Wanted[],
  signal: AbortSignal,
  { step, note }: Telling,
  { lock = isAskedToDownload() ? readLock() : undefined, cache = CACHE }: Options = {},
): Promise<string[]> {
  const chosen = programs.map((wanted) => ({ wanted, file: lock && lockedFile(lock, wanted) }));
  const lacking = chosen.filter(({ wanted, file }) => lock && !file && !existsSync(cachedPath(wanted, cache)));
  if (lacking.length > 0) {
    const names = lacking.map(({ wanted }) => `${wanted.name} ${wanted.version}`).join(', ');
    note(`LAB_DOWNLOAD: built all the same, as the lock has no digest of a release: ${names}`);
  }
  const paths: string[] = [];
  for (const { wanted, file } of chosen) {
    const label = `${wanted.name} ${wanted.version}`;
    if (file) {
      const onDownload = () => step(`downloading ${label} from ${new URL(file.url).host}`);
      paths.push((await downloadedBinaries(file, { signal, onDownload, cache }))[wanted.name] ?? '');
    } else {
      paths.push(await builtBinary(wanted, signal, () => step(`building ${label}`), cache));
    }
  }
  return paths;
}
