import path from 'node:path';
import { CommandFailed } from '../../cli/terminal/errors';
import { isExecutable, programFolders } from '../../cli/terminal/programs';

/** Programs that the lab runs, with the Debian package of each. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'apt-ftparchive': 'apt-utils',
  debootstrap: 'debootstrap',
  'dpkg-deb': 'dpkg',
  gpg: 'gpg',
  ip: 'iproute2',
  nsenter: 'util-linux',
  openssl: 'openssl',
  unshare: 'util-linux',
};

/** What this machine is, as far as the lab cares. */
export interface Host {
  platform: NodeJS.Platform;
  uid: number | undefined;
  /** Folders in which programs are looked for. */
  path: readonly string[];
}

export function thisHost(): Host {
  const folders = [...programFolders(), '/usr/sbin', '/sbin'];
  return { platform: process.platform, uid: process.getuid?.(), path: folders };
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
}
