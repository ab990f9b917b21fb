import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Life } from './support/life';
import { seatData } from './support/nodes';
import { Cloud } from './support/cloud';
import { Sandbox, sharedTools } from './support/sandbox';

/** Large enough for copies of ext4's superblock at 128 MiB; sparse, so that it costs nothing. */
const BYTES = 512 << 20;

/** A block device over a sparse file: the state volume, with the file system tools of the host working on it for real. */
class Disk {
  private readonly folder = mkdtempSync(join(tmpdir(), 'drowse-disk-'));
  readonly file = join(this.folder, 'disk');
  device = '';

  constructor(bytes = BYTES) {
    writeFileSync(this.file, '');
    truncateSync(this.file, bytes);
  }

  attach(...flags: string[]): this {
    try {
      this.device = execFileSync('losetup', ['--find', '--show', ...flags, this.file], {
        encoding: 'utf8',
        stdio: 'pipe',
      }).trim();
    } catch (error) {
      throw new Error('The volume tests need loop devices (root, and /dev/loop-control)', { cause: error });
    }
    return this;
  }

  /** What EC2 does with a volume that is modified: the device is larger, and nothing on it knows. */
  grow(bytes: number): void {
    truncateSync(this.file, bytes);
    execFileSync('losetup', ['--set-capacity', this.device]);
  }

  write(offset: number, bytes: Buffer): this {
    const file = openSync(this.file, 'r+');
    writeSync(file, bytes, 0, bytes.length, offset);
    closeSync(file);
    return this;
  }

  /** Content of a file on the disk's ext4, read without mounting it. */
  cat(path: string): string {
    return execFileSync('debugfs', ['-R', `cat ${path}`, this.file], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  }

  get digest(): string {
    // Only what is not zero is hashed, with its place: almost all of it is. In the copy that is holes, and nothing else is.
    const copy = join(this.folder, 'copy');
    execFileSync('cp', ['--sparse=always', this.file, copy]);
    const archive = ['--create', '--sparse', '--hole-detection=seek', '--mtime', '@0', '--file', '-', copy];
    return createHash('sha256')
      .update(execFileSync('tar', archive, { stdio: 'pipe', maxBuffer: BYTES }))
      .digest('hex');
  }

  detach(): void {
    if (this.device !== '') execFileSync('losetup', ['--detach', this.device]);
  }

  remove(): void {
    this.detach();
    rmSync(this.folder, { recursive: true });
  }
}

const open: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Boots a seat whose volume is the disk, and gives its phases. */
async function boot(
  disk: Disk,
  change: (life: Life) => void = () => undefined,
): Promise<{ phases: string[]; log: string }> {
  const life = new Life(seatData());
  change(life);
  const cloud = await Cloud.start(life.state);
  open.push(() => cloud.stop());
  const sandbox = new Sandbox(cloud, { fakeDisk: false });
  open.push(() => sandbox.remove());
  sandbox.device = disk.device;
  sandbox.write('etc/drowse/node.json', JSON.stringify(life.data));
  sandbox.write('var/lib/drowse/installed', `seat ${sharedTools().sha256}\n`);
  const run = await sandbox.node();
  expect(cloud.problems).toEqual([]);
  return { phases: life.state.phases.slice(3), log: run.stderr };
}

function disk(bytes?: number): Disk {
  const one = new Disk(bytes);
  open.push(() => one.remove());
  return one;
}

test('an empty volume gets a file system and the cluster; the next boot finds its data', async () => {
  const one = disk().attach();
  expect((await boot(one)).phases).toEqual(['ready']);
  execFileSync('sync');
  expect(JSON.parse(one.cat('/volume.json'))).toMatchObject({ cluster: 'drowse', seat: 0, stage: 'ready' });
  expect(one.cat('/etcd/member/snap/db')).toBe('etcd data\n');
  const second = await boot(one);
  expect(second).toMatchObject({ phases: ['ready'] });
  expect(second.log).toContain('this seat will restore');
  expect(second.log).not.toContain('making a file system');
});

/** Whether the kernel lets this process grow a mounted file system: containers often lack that right, instances have it. */
function mayGrow(): boolean {
  const effective = /^CapEff:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!;
  const CAP_SYS_RESOURCE = 24n;
  return ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

test('a larger volume has a larger file system after the next boot, with everything on it', async () => {
  const one = disk(300 << 20).attach();
  expect((await boot(one)).phases).toEqual(['ready']);
  const blocks = (): number => {
    execFileSync('sync');
    const head = execFileSync('dumpe2fs', ['-h', one.file], { encoding: 'utf8', stdio: 'pipe' });
    return Number(/^Block count: +(\d+)$/m.exec(head)![1]);
  };
  const [before, data] = [blocks(), one.cat('/volume.json')];
  one.grow(600 << 20);
  const { phases, log } = await boot(one);
  expect(phases).toEqual(['ready']);
  expect(log).toContain('this seat will restore');
  // Mounted, because only then a power cut in the middle is harmless; what may not grow serves on as it is.
  expect(log).toContain('on-line resizing required');
  expect(blocks()).toBe(mayGrow() ? before * 2 : before);
  expect(log.includes('Permission denied to resize filesystem')).toBe(!mayGrow());
  expect(log.includes('does not grow to the size of vol-0')).toBe(!mayGrow());
  expect(one.cat('/volume.json')).toBe(data);
  execFileSync('e2fsck', ['-f', '-n', one.file], { stdio: 'pipe' });
});

test('a volume of another cluster is mounted, recognised and left as it is', async () => {
  const one = disk();
  execFileSync('mkfs.ext4', ['-q', '-F', one.file]);
  const identity = join(tmpdir(), `drowse-identity-${String(process.pid)}`);
  writeFileSync(identity, '{"cluster":"other","seat":0,"stage":"ready","kubernetes":"1.36.3","etcd":"3.6.8"}\n');
  execFileSync('debugfs', ['-w', '-R', `write ${identity} volume.json`, one.file], { stdio: 'ignore' });
  rmSync(identity);
  one.attach();
  expect((await boot(one)).phases).toEqual(['failed:volume-foreign']);
  expect(JSON.parse(one.cat('/volume.json'))).toMatchObject({ cluster: 'other' });
});

test('data that nobody of us wrote keeps a file system from being claimed', async () => {
  const one = disk();
  execFileSync('mkfs.ext4', ['-q', '-F', one.file]);
  execFileSync('debugfs', ['-w', '-R', 'mkdir precious', one.file], { stdio: 'ignore' });
  expect((await boot(one.attach())).phases).toEqual(['failed:volume-foreign']);
});

test.each([
  ['a file system whose superblock is gone', (one: Disk) => one.write(0, Buffer.alloc(64 << 10))],
  ['bytes far from the start', (one: Disk) => one],
])('%s: refused, and not a byte is changed', async (name, damage) => {
  const one = disk();
  if (name.startsWith('a file system')) execFileSync('mkfs.ext4', ['-q', '-F', one.file]);
  else one.write(200 << 20, Buffer.alloc(0)).write(BYTES - 4096, Buffer.from('data'));
  damage(one);
  const before = one.digest;
  expect((await boot(one.attach())).phases).toEqual(['failed:volume-damaged']);
  expect(one.digest).toBe(before);
});

test('a volume that another instance holds is waited for, and not touched', async () => {
  const one = disk().attach();
  const before = one.digest;
  const { phases } = await boot(one, (life) => (life.state.volumes[0]!.holder = 'i-0999'));
  expect(phases).toEqual(['failed:volume-held']);
  expect(one.digest).toBe(before);
});

test('a read-only volume is refused before anything is tried', async () => {
  expect((await boot(disk().attach('--read-only'))).phases).toEqual(['failed:volume-read-only']);
});

test('a full volume is refused before etcd starts on it', async () => {
  const one = disk(256 << 20);
  execFileSync('mkfs.ext4', ['-q', '-F', one.file]);
  // 256 MiB with a journal leave less than what a start needs.
  expect((await boot(one.attach())).phases).toEqual(['failed:disk-full']);
});
