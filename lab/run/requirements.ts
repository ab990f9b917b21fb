import { existsSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import path from 'node:path';
import { CommandFailed } from '../../cli/terminal/errors';
import { isExecutable, programFolders } from '../../cli/terminal/programs';
import { LAB_CACHE } from '../cache/paths';

/** Least memory (bytes): machines that are sold with 8 GiB show somewhat less. */
const MEMORY = 7 * 2 ** 30;
/** Least part of the disk that is free: below it a kubelet evicts pods (nodefs.available). */
const FREE = 0.1;

/** Programs that the lab runs, with the Debian package of each. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'apt-ftparchive': 'apt-utils',
  debootstrap: 'debootstrap',
  'dpkg-deb': 'dpkg',
  gpg: 'gpg',
  ip: 'iproute2',
  nsenter: 'util-linux',
  openssl: 'openssl',
  python3: 'python3',
  unshare: 'util-linux',
};

/** What this machine is, as far as the lab cares. */
export interface Host {
  platform: NodeJS.Platform;
  architecture: NodeJS.Architecture;
  uid: number | undefined;
  /** Memory, in bytes. */
  memory: number;
  /** Disk of the cache, in bytes; machines have their disks there, too. */
  disk: { free: number; size: number };
  /** Folders in which programs are looked for. */
  path: readonly string[];
}

export function thisHost(): Host {
  const { bavail, blocks, bsize } = statfsSync(nearest(LAB_CACHE));
  return {
    platform: process.platform,
    architecture: process.arch,
    uid: process.getuid?.(),
    memory: totalmem(),
    disk: { free: bavail * bsize, size: blocks * bsize },
    path: [...programFolders(), '/usr/sbin', '/sbin'],
  };
}

/** The folder, or the one above it that is there. */
function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(path.dirname(folder));
}

/**
 * Checks that this machine can run the lab.
 * @throws CommandFailed with everything that is missing, and how to get it
 */
export function requireHost(host: Host, exists: (file: string) => boolean = isExecutable): void {
  if (host.platform !== 'linux') {
    throw new CommandFailed(
      `The lab needs Linux, and this is ${host.platform}`,
      'make local runs a whole life anywhere.',
    );
  }
  if (host.architecture !== 'x64') {
    throw new CommandFailed(
      `The lab needs a machine of x86-64, and this is ${host.architecture}`,
      'make local runs a whole life anywhere.',
    );
  }
  if (host.uid !== 0) {
    throw new CommandFailed(
      'The lab needs root: its nodes are containers with loop devices and networks of their own',
      'Run it as root (sudo make lab); make local needs no root.',
    );
  }
  const missing = Object.keys(PROGRAMS).filter((name) => !host.path.some((folder) => exists(path.join(folder, name))));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map((name) => PROGRAMS[name]))].join(' ');
    throw new CommandFailed(`The lab needs ${missing.join(', ')}`, `Debian and Ubuntu: apt-get install ${packages}`);
  }
  requireRoom(host);
}

/** Space, without which nodes would only be slow, or lose their pods. */
function requireRoom({ memory, disk: { free, size } }: Host): void {
  const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  if (memory < MEMORY) {
    throw new CommandFailed(
      `The lab needs 8 GiB of memory, and this machine has ${gigabytes(memory)}`,
      'make local runs a whole life in less.',
    );
  }
  if (free < size * FREE) {
    throw new CommandFailed(
      `The lab needs a tenth of its disk free, and ${gigabytes(free)} of ${gigabytes(size)} are: kubelets evict pods below that`,
      'Make room, or put the cache on another disk (DROWSE_CACHE=folder).',
    );
  }
}
