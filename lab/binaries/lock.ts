import * as z from 'zod';
import released from './released.json';
import type { Wanted } from './wanted';

const fileSchema = z.strictObject({
  /** Programs in the file, by name: where each is in the archive; null where the file is the program itself. */
  programs: z.record(z.string(), z.string().min(1).nullable()),
  /** Without a `v`. */
  version: z.string().min(1),
  architecture: z.enum(['amd64', 'arm64']),
  url: z.url(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Where the digest was read: the makers' own list, or who else had it from there. */
  source: z.url(),
  /** When it was read there. */
  date: z.iso.date(),
});

/** Schema of `released.json`, the lock: files that are downloaded, each by its digest. */
export const lockSchema = z.strictObject({ about: z.string(), files: z.array(fileSchema) });

/** A published file whose digest is known. */
export type LockedFile = z.infer<typeof fileSchema>;
/** The lock. */
export type Lock = z.infer<typeof lockSchema>;

/** The lock of this repository. */
export function readLock(): Lock {
  return lockSchema.parse(released);
}

/** Node's names of Linux's architectures → Go's. */
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * The published file that has a program, for a machine.
 * @param machine `linux-x64`, for example
 * @returns undefined if no digest of it is known
 */
export function lockedFile(
  { files }: Lock,
  { name, version }: Pick<Wanted, 'name' | 'version'>,
  machine = `${process.platform}-${process.arch}`,
): LockedFile | undefined {
  const [platform, architecture = ''] = machine.split('-');
  if (platform !== 'linux') return undefined;
  return files.find(
    (file) =>
      Object.hasOwn(file.programs, name) &&
      file.version === version &&
      file.architecture === ARCHITECTURE[architecture],
  );
}
