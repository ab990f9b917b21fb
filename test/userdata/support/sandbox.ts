import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildNodeBundle, nodeInstall } from '../../../lib/node';
import { selfSigned } from './certificate';
import { Cloud } from './cloud';
import { clusterApi } from './cluster-api';
import { keyOf, playCurl } from './curl';
import { portOf, servePlayers, type Player } from './player';

/** Commands that the node scripts may use; any other is not found, which fails a test. */
const COMMANDS = (
  'age age-keygen apt-get apt-mark base64 bash blkid blockdev bridge cat chmod chown chronyc cmp conntrack cp crictl ctr curl date df dpkg e2fsck etcdctl etcdutl ' +
  'find flock free gpg gzip head install ip ipset iptables-save journalctl jq kubeadm kubectl ls lsblk mkdir mkfs.ext4 modprobe mount mountpoint mv nvidia-container-runtime ' +
  'nft nvidia-smi openssl python3 resize2fs rm sed sha256sum sleep snap sort ss stat swapoff sync sysctl systemctl tar timeout'
).split(' ');

/** What a run of a script left behind. */
export interface Run {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run that takes this long hangs: it is ended. A busy machine needs minutes for the longest. */
const HANGS_AFTER_SECONDS = 540;

/** How to run a script. */
export interface RunOptions {
  /** Without a list of calls, with curl played and nothing left to chance: only what it leaves behind is looked at. */
  readonly quiet?: boolean;
  /** With curl played by the test process: what is looked at is neither AWS's side nor that of the network. */
  readonly playCurl?: boolean;
  /** Ends it with SIGKILL after so many external commands. */
  readonly killAfter?: number;
  /** Called after each external command with its name; the script waits for its end. */
  readonly onCommand?: (name: string) => unknown;
}

/** Things that a whole test process shares: the unpacked node bundle, the fakes and their fixtures. */
export interface Tools {
  readonly folder: string;
  readonly bundle: string;
  readonly sha256: string;
}

let tools: Tools | undefined;
afterAll(() => {
  if (tools !== undefined) rmSync(tools.folder, { recursive: true, force: true });
});

/** Builds the bundle as the deployment does, and unpacks it as user data does: what is tested is what ships. */
export function sharedTools(): Tools {
  if (tools !== undefined) return tools;
  requirePrivileges();
  const folder = mkdtempSync(join(tmpdir(), 'drowse-node-tools-'));
  const install = nodeInstall('1.36.3');
  // The digest of what the repositories of the tests answer.
  const sha256 = createHash('sha256').update(keyOf(install.imageCredentials.url)).digest('hex');
  const built = buildNodeBundle(
    { ...install, imageCredentials: { ...install.imageCredentials, sha256 } },
    join(folder, 'bundles'),
  );
  const bundle = join(folder, 'bundle');
  mkdirSync(bundle);
  execFileSync('tar', ['-xzf', built.file, '-C', bundle]);
  for (const name of ['fakes', 'fakes-disk', 'fakes-etcd', 'fakes-kill'])
    cpSync(join(__dirname, '..', name), join(folder, name), { recursive: true });
  for (const name of ['tool.sh', 'played.sh', 'play-curl.sh', 'clock-sleep.sh', 'fast-sleep.sh', 'short-sleep.sh'])
    cpSync(join(__dirname, name), join(folder, name));
  linkCommands(folder);
  mkdirSync(join(folder, 'fixtures'));
  cpSync(join(__dirname, '../../node/golden/1.36/from-kubeadm/etcd.yaml'), join(folder, 'fixtures/etcd.yaml'));
  selfSigned(join(folder, 'fixtures'), 'ca', 'kubernetes');
  tools = { folder, bundle, sha256: built.sha256 };
  return tools;
}

/** Adds fakes that stand on the PATH of this test file's sandboxes only. */
export function addFakes(name: string): void {
  const { folder } = sharedTools();
  cpSync(join(__dirname, '..', name), join(folder, 'fakes'), { recursive: true });
  linkCommands(folder);
}

/**
 * Three folders for a PATH. `bin` counts each command (see tool.sh), `plain` only writes down what fakes are called with,
 * and `quiet` has fakes and real commands as they are: each detour is a process, and the tests start tens of thousands.
 */
function linkCommands(folder: string): void {
  const isFile = (...path: string[]): boolean => existsSync(join(...path));
  for (const path of ['bin', 'plain', 'quiet']) {
    rmSync(join(folder, path), { recursive: true, force: true });
    mkdirSync(join(folder, path));
  }
  for (const name of COMMANDS) {
    const real = ['/usr/bin', '/usr/sbin'].find((path) => isFile(path, name));
    // In the order in which tool.sh chooses for a run that is compared with others.
    const fake = ['fakes-disk', 'fakes-kill', 'fakes'].find((path) => isFile(folder, path, name));
    const faked = fake !== undefined || isFile(folder, 'fakes-etcd', name);
    const tool = '/test-tools/tool.sh';
    symlinkSync(tool, join(folder, 'bin', name));
    symlinkSync(faked || real === undefined ? tool : join(real, name), join(folder, 'plain', name));
    if (fake !== undefined) symlinkSync(`/test-tools/${fake}/${name}`, join(folder, 'quiet', name));
    else if (real !== undefined) symlinkSync(join(real, name), join(folder, 'quiet', name));
  }
}

/** The node tests mount, and enter roots of their own; without that right they could only pretend. */
function requirePrivileges(): void {
  try {
    execFileSync('unshare', [...unshareFlags(), 'true'], { stdio: 'pipe' });
  } catch (error) {
    throw new Error(
      `The node tests need mount namespaces (util-linux unshare; root, or unprivileged user namespaces). Without them run only the others: ` +
        `npx jest --selectProjects nodes --testPathPatterns test/node`,
      { cause: error },
    );
  }
}

function unshareFlags(): string[] {
  return process.getuid?.() === 0
    ? ['--mount', '--propagation', 'private']
    : ['--map-root-user', '--mount', '--propagation', 'private'];
}

/** One instance's disk: a root of its own in which the node scripts run with plain absolute paths. */
export class Sandbox {
  readonly root: string;
  /** Block device that plays the state volumes. With `fakeDisk` any will do, as nothing touches it. */
  device = '/dev/loop0';
  /** Prefix of the command line, for a network namespace. */
  prefix: string[] = [];
  environment: Record<string, string> = {};
  /** Commands that the test process plays. */
  private readonly players: Record<string, Player> = { curl: playCurl(this), kubectl: clusterApi(this) };

  constructor(
    readonly cloud: Cloud,
    readonly options: {
      readonly fakeDisk?: boolean;
      readonly cloudHost?: string;
      readonly bare?: boolean;
      /** A copy of another's root, to go on from. */
      readonly root?: string;
    } = {},
  ) {
    const { folder, sha256 } = sharedTools();
    // Once: a run of another sandbox may read it at this moment.
    if (!existsSync(join(folder, 'certificate.pem'))) cpSync(cloud.certificate, join(folder, 'certificate.pem'));
    cloud.onCall = (line) => appendFileSync(join(this.root, 'test/calls'), `${line}\n`);
    if (options.root !== undefined) {
      this.root = options.root;
      return;
    }
    this.root = mkdtempSync(join(tmpdir(), 'drowse-sandbox-'));
    for (const path of FOLDERS) mkdirSync(join(this.root, path), { recursive: true });
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${name}`, join(this.root, name));
    for (const name of ['null', 'zero', 'full', 'random', 'urandom']) writeFileSync(join(this.root, 'dev', name), '');
    symlinkSync('/proc/self/fd', join(this.root, 'dev/fd'));
    for (const volume of cloud.state.volumes) this.write(deviceOf(volume.id), '');
    this.write('etc/passwd', 'root:x:0:0:root:/root:/bin/bash\n');
    this.write('etc/group', 'root:x:0:\n');
    this.write('etc/hosts', '127.0.0.1 localhost\n');
    this.write('etc/fstab', 'LABEL=cloudimg-rootfs / ext4 discard 0 1\n/swapfile none swap sw 0 0\n');
    this.write('sys/class/net/ens5/address', `${cloud.instance.mac}\n`);
    this.write('sys/class/net/lo/address', '00:00:00:00:00:00\n');
    for (const path of ['/etc/mke2fs.conf', '/etc/ssl/openssl.cnf', '/etc/ld.so.cache']) {
      if (existsSync(path)) this.write(path.slice(1), readFileSync(path));
    }
    if (options.fakeDisk !== false) this.world('fake-disk');
    this.write('etc/drowse/bundle', `${sha256}\n`);
  }

  /** Everything on this instance's disk and in its memory, as it is now, in a folder of its own. */
  copy(): string {
    const copy = mkdtempSync(join(tmpdir(), 'drowse-sandbox-'));
    execFileSync('cp', ['--archive', `${this.root}/.`, copy]);
    return copy;
  }

  /**
   * What is mounted below the root, as lines of an fstab: the host's /usr (read-only), the bundle and the tools. Everything
   * that a node writes to is the root's own. The device appears where the NVMe driver would put each attached volume.
   */
  private get mounts(): string {
    const { folder, bundle } = sharedTools();
    const binds: [string, string, string?][] = [
      ...this.cloud.state.volumes
        .filter((volume) => this.has(deviceOf(volume.id)))
        .map((volume): [string, string] => [this.device, deviceOf(volume.id)]),
      ['/usr', 'usr', 'bind,ro'],
      [join(this.root, '.usr-local'), 'usr/local'],
      ...(this.options.bare === true ? [] : [[bundle, 'opt/drowse'] as [string, string]]),
      [folder, 'test-tools'],
      ['/proc', 'proc', 'rbind'],
      ...['null', 'zero', 'full', 'random', 'urandom'].map((name): [string, string] => [`/dev/${name}`, `dev/${name}`]),
    ];
    return binds.map(([from, to, options = 'bind']) => `${from} ${join(this.root, to)} none ${options} 0 0\n`).join('');
  }

  /** Writes them down; not anew for a second run at the same time. */
  private fstab(): string {
    const [file, mounts] = ['test/fstab', this.mounts];
    if (!this.has(file) || this.read(file) !== mounts) this.write(file, mounts);
    return join(this.root, file);
  }

  write(path: string, content: string | Buffer): void {
    const file = join(this.root, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, content);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  /** A file by the absolute path that a script knows it under: of the bundle as well, which is mounted only while one runs. */
  readInside(path: string): string {
    const home = '/opt/drowse/';
    const real = resolve(path);
    if (!real.startsWith(home)) return this.read(real);
    return readFileSync(join(sharedTools().bundle, real.slice(home.length)), 'utf8');
  }

  bytes(path: string): Buffer {
    return readFileSync(join(this.root, path));
  }

  removePath(path: string): void {
    rmSync(join(this.root, path), { recursive: true, force: true });
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  /** Sets one of the facts that fakes look at. */
  world(name: string, content = ''): void {
    this.write(`test/world/${name}`, content);
  }

  /** Runs a program of the bundle, in a process group and a mount namespace of its own. */
  async run(command: readonly string[], options: RunOptions = {}): Promise<Run> {
    const { https, http } = this.cloud.ports;
    const stepper = options.onCommand === undefined ? undefined : await this.step(options.onCommand);
    const players = await servePlayers(this.players);
    const counted = options.killAfter !== undefined || stepper !== undefined;
    // Fakes use commands that the scripts do not; with tool.sh they have a PATH of their own.
    const path =
      options.quiet === true ? '/test-tools/quiet:/usr/bin:/usr/sbin' : `/test-tools/${counted ? 'bin' : 'plain'}`;
    const environment = {
      PATH: path,
      HOME: '/root',
      BASH_ENV: `/test-tools/${options.quiet === true || options.playCurl === true ? 'play-curl' : 'fast-sleep'}.sh`,
      PLAYER_PORT: portOf(players),
      CLOUD_HOST: this.options.cloudHost ?? '127.0.0.1',
      CLOUD_HTTPS: String(https),
      CLOUD_HTTP: String(http),
      ...(options.killAfter === undefined ? {} : { KILL_AFTER: String(options.killAfter) }),
      ...(stepper === undefined ? {} : { STEP: portOf(stepper) }),
      ...this.environment,
    };
    if (options.killAfter !== undefined) this.write('test/ticks', '');
    const [program, ...prefix] = [...this.prefix, 'unshare', ...unshareFlags(), '--', join(__dirname, 'enter.sh')];
    const inside = [
      '/usr/bin/env',
      '-i',
      ...Object.entries(environment).map(([key, value]) => `${key}=${value}`),
      '/bin/bash',
      ...command,
    ];
    return new Promise((done, reject) => {
      // A process group of its own: a kill test ends all of it, and a test that is cut off leaves nothing behind.
      const child = spawn(program, [...prefix, this.root, this.fstab(), ...inside], {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), HANGS_AFTER_SECONDS * 1000);
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        stepper?.close();
        players.close();
        done({ code, signal, stdout, stderr });
      });
    });
  }

  /** A server that each ended command reports to, and waits for; commands of a pipeline take turns. */
  private step(onCommand: (name: string) => unknown): Promise<Server> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (name) => {
        void Promise.resolve(onCommand(name.toString().trim())).finally(() => socket.end('go on\n'));
      });
    });
    return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)));
  }

  node(options?: RunOptions): Promise<Run> {
    return this.run(['/opt/drowse/node.sh', 'run'], options);
  }

  get calls(): string[] {
    return this.has('test/calls') ? this.read('test/calls').trimEnd().split('\n') : [];
  }

  /** What a reboot does to an instance: memory is empty, nothing runs, disks stay. */
  reboot(): void {
    rmSync(join(this.root, 'run'), { recursive: true });
    mkdirSync(join(this.root, 'run'));
    rmSync(join(this.root, 'var/lib/drowse/state'), { recursive: true, force: true });
    // A seat's own API server is gone; a pool node's is elsewhere.
    if (this.read('etc/drowse/node.json').includes('"role":"seat"')) this.removePath('test/world/api-up');
    rmSync(join(this.root, 'test/calls'), { force: true });
  }

  remove(): void {
    chmodSync(this.root, 0o700);
    rmSync(this.root, { recursive: true, force: true });
  }
}

const FOLDERS = [
  ...[
    'usr',
    '.usr-local/bin',
    'etc/apt/sources.list.d',
    'etc/haproxy',
    'opt/drowse',
    'proc',
    'dev/disk/by-id',
    'run',
    'tmp',
    'root',
  ],
  ...['var/lib', 'var/log', 'test/world', 'test/volume', 'test-tools'],
];

/** Where the NVMe driver shows a volume, relative to the root. */
function deviceOf(volume: string): string {
  return `dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volume.replace('-', '')}`;
}
