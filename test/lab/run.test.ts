import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { digestOf } from '../../lab/cache/digest';
import { RECIPES } from '../../lab/binaries/recipes';
import { pruneCache, sweepUnfinished } from '../../lab/cache/prune';
import { asRoot, giveToCaller } from '../../lab/run/caller';
import { randomNumbers, shuffled } from '../../lab/run/chance';
import { sweepLeftovers } from '../../lab/run/leftovers';
import { type Host, requireHost, thisHost } from '../../lab/run/requirements';
import { type BootTimes, bootTimes, measured, mergeTimes } from '../../lab/run/times';
import { loadConfig } from '../../lib/config/load';
import { CONTAINERD_VERSION } from '../../lib/node/install';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'drowse-lab-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('what the lab needs of a machine', () => {
  const gigabyte = 2 ** 30;
  const host: Host = {
    platform: 'linux',
    architecture: 'x64',
    uid: 0,
    memory: 8 * gigabyte,
    disk: { free: 40 * gigabyte, size: 100 * gigabyte },
    path: ['/usr/bin', '/usr/sbin'],
  };

  it('is met by root on Linux with all programs', () => {
    expect(() => requireHost(host, (file) => file.startsWith('/usr/sbin/'))).not.toThrow();
  });

  it.each([
    ['another system', { platform: 'darwin' }, 'The lab needs Linux, and this is darwin'],
    ['another architecture', { architecture: 'arm64' }, 'The lab needs a machine of x86-64, and this is arm64'],
    ['another user', { uid: 1000 }, 'The lab needs root'],
    ['a system that knows no users', { uid: undefined }, 'The lab needs root'],
    ['little memory', { memory: 4 * gigabyte }, 'The lab needs 8 GiB of memory, and this machine has 4.0 GiB'],
    [
      'a full disk',
      { disk: { free: 9 * gigabyte, size: 100 * gigabyte } },
      'The lab needs a tenth of its disk free, and 9.0 GiB of 100.0 GiB are: kubelets evict pods below that',
    ],
  ] satisfies [string, Partial<Host>, string][])('is not met by %s', (_, other, message) => {
    expect(() => requireHost({ ...host, ...other }, () => true)).toThrow(message);
  });

  it('is read of this machine', () => {
    const { memory, disk } = thisHost();
    expect(memory).toBeGreaterThan(0);
    expect(disk.size).toBeGreaterThan(disk.free);
  });

  it('names all that is missing at once, and the packages that bring it', () => {
    const exists = (file: string) => !/debootstrap|apt-ftparchive/.test(file);
    let failure: unknown;
    try {
      requireHost(host, exists);
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({
      message: 'The lab needs apt-ftparchive, debootstrap',
      remedy: 'Debian and Ubuntu: apt-get install apt-utils debootstrap',
    });
  });
});

describe('whoever called sudo', () => {
  // Root may give a file to anybody, and others to themselves.
  const uid = process.getuid?.() === 0 ? 4242 : (process.getuid?.() ?? 0);
  const env = { SUDO_UID: String(uid), SUDO_GID: String(process.getgid?.() ?? 0) };

  it('gets what was written, but nothing that a link leads to', () => {
    const [out, other] = [path.join(folder, 'out'), path.join(folder, 'other')];
    mkdirSync(out);
    for (const file of [path.join(out, 'lab.kubeconfig'), other]) writeFileSync(file, '');
    symlinkSync(other, path.join(out, 'link'));
    const before = statSync(other).uid;
    giveToCaller(out, env);
    const owners = [out, path.join(out, 'lab.kubeconfig')].map((file) => statSync(file).uid);
    expect([...owners, lstatSync(path.join(out, 'link')).uid]).toEqual([uid, uid, uid]);
    expect(statSync(other).uid).toBe(before);
  });

  it('is nobody for root itself', () => {
    const before = statSync(folder).uid;
    giveToCaller(folder, {});
    expect(statSync(folder).uid).toBe(before);
  });

  it('is told commands as they are for them', () => {
    expect([asRoot('lab-down', env), asRoot('lab-down', {})]).toEqual(['sudo make lab-down', 'make lab-down']);
  });
});

describe('what a killed lab left', () => {
  it('is removed and named: its folder, and its empty control groups in every hierarchy', () => {
    const runs = path.join(folder, 'run');
    const groups = path.join(folder, 'cgroup');
    const group = path.join(groups, 'cpu', 'drowse-lab', 'i-0', 'system.slice');
    mkdirSync(path.join(runs, '4194305', 'volumes'), { recursive: true });
    mkdirSync(group, { recursive: true });
    expect(sweepLeftovers(runs, groups)).toEqual([
      'the machines of the lab 4194305, which was killed',
      '1 empty control groups',
    ]);
    expect([existsSync(path.join(runs, '4194305')), existsSync(path.join(groups, 'cpu', 'drowse-lab'))]).toEqual([
      false,
      false,
    ]);
    expect(sweepLeftovers(runs, groups)).toEqual([]);
  });

  it('is not taken for another process that has its ID', () => {
    mkdirSync(path.join(folder, String(process.pid)));
    expect(sweepLeftovers(folder, path.join(folder, 'none'))).toHaveLength(1);
  });

  it('is nothing where no lab ever ran', () => {
    expect(sweepLeftovers(path.join(folder, 'none'), path.join(folder, 'none'))).toEqual([]);
  });
});

describe('the cache', () => {
  const hours = 3_600_000;
  const used = (name: string, ago: number) => {
    mkdirSync(path.join(folder, name));
    utimesSync(path.join(folder, name), new Date(Date.now() - ago), new Date(Date.now() - ago));
  };

  it('keeps two versions of each part, what may be in use, and what is no part', () => {
    used('images-000000000001', 30 * hours);
    used('images-000000000002', 20 * hours);
    used('images-000000000003', 10 * hours);
    used('image-seat-00000000000a', 5 * hours);
    used('image-seat-00000000000b', 4 * hours);
    used('image-seat-00000000000c', 3 * hours);
    used('authority', 90 * hours);
    expect(pruneCache(folder)).toEqual(['images-000000000001']);
    expect(readdirSync(folder)).toHaveLength(6);
  });
});

describe('times of boots', () => {
  const machine = {
    instanceId: 'i-0',
    role: 'seat',
    state: 'running',
    phase: 'ready',
    pid: 1,
    door: 1,
    boots: 1,
    startedAt: 100,
    phases: [
      { at: 101.04, phase: 'booting' },
      { at: 110.56, phase: 'ready' },
    ],
  };

  it('count from the power coming on', () => {
    expect(bootTimes([machine], 'wake')).toEqual([
      { instanceId: 'i-0', role: 'seat', boot: 1, part: 'wake', phases: { booting: 1, ready: 10.6 } },
    ]);
  });

  it('keep every boot, each as it was seen last', () => {
    const early = bootTimes([{ ...machine, phases: [] }], 'wake').map((times) => ({
      ...times,
      leads: { scheduler: 9 },
    }));
    const again = bootTimes([{ ...machine, boots: 2 }], 'reboot');
    const merged = mergeTimes(mergeTimes(early, bootTimes([machine], 'reboot')), again);
    expect(merged.map(({ boot, part, phases, leads }) => [boot, part, phases.ready, leads?.scheduler])).toEqual([
      [1, 'wake', 10.6, 9],
      [2, 'reboot', 10.6, undefined],
    ]);
  });

  const boot = (role: string, part: string, phases: Record<string, number>): BootTimes => ({
    instanceId: 'i-0',
    boot: 1,
    role,
    part,
    phases,
  });

  it('give the twin the median of wakes and joins', () => {
    const wakes = [8, 30, 11].map((ready) => boot('seat', 'wake', { 'control-plane': 2, ready }));
    const others = [boot('seat', 'bootstrap', { 'control-plane': 2, ready: 60 }), boot('seat', 'wake', { runtime: 2 })];
    const join = boot('pool', 'a pool node', { 'waiting-for-token': 2, joining: 9, ready: 12.44 });
    expect(measured([...others, ...wakes, join])).toEqual({
      seat: { seconds: 9, boots: 3 },
      pool: { seconds: 3.4, boots: 1 },
    });
  });

  it('give nothing where nothing was measured', () => {
    expect(() => measured([boot('seat', 'wake', { 'control-plane': 2, ready: 9 })])).toThrow(
      'no pool came from joining to ready in this life',
    );
  });
});

describe('what runs left unfinished', () => {
  it('goes with the next run, unless its process lives', () => {
    const alive = `images-000000000001.${String(process.pid)}`;
    for (const name of ['images-000000000001', 'user-land-000000000002.4194305', alive, 'authority'])
      mkdirSync(path.join(folder, name));
    sweepUnfinished(folder);
    expect(readdirSync(folder).sort()).toEqual(['authority', 'images-000000000001', alive]);
  });
});

describe('the place of a part of the cache', () => {
  it.each([
    ['a word', (file: string) => ({ files: [file], words: ['b'] })],
    ['another file', (file: string) => ({ files: [file, file], words: ['a'] })],
  ])('changes with %s', (_, other) => {
    const file = path.join(folder, 'file');
    writeFileSync(file, '1');
    expect(digestOf(other(file))).not.toBe(digestOf({ files: [file], words: ['a'] }));
  });

  it('changes with what is in a folder, however deep', () => {
    const inputs = { files: [folder], words: [] };
    mkdirSync(path.join(folder, 'a', 'b'), { recursive: true });
    const before = digestOf(inputs);
    writeFileSync(path.join(folder, 'a', 'b', 'c'), '1');
    const filled = digestOf(inputs);
    writeFileSync(path.join(folder, 'a', 'b', 'c'), '2');
    expect(new Set([before, filled, digestOf(inputs)]).size).toBe(3);
  });
});

test('the lab builds the containerd that nodes install', () => {
  expect(RECIPES.containerd.version).toBe(CONTAINERD_VERSION);
});

test('the package of network plugins has the version of its programs', () => {
  const script = readFileSync(path.join(__dirname, '..', '..', 'lab', 'cache', 'make-packages.sh'), 'utf8');
  expect(script).toContain(`kubernetes-cni "${RECIPES.bridge.version}-1.1"`);
});

test.each(['one-seat', 'three-seats'])('the configuration %s is right, and of the version that is built', (name) => {
  const config = loadConfig(path.join(__dirname, '..', '..', 'lab', 'clusters', `${name}.yaml`));
  expect(config.kubernetes.version).toBe(RECIPES.kubeadm.version);
});

describe('chance', () => {
  it('is the same for the same seed, and spread over its range', () => {
    const numbers = (seed: number) => Array.from({ length: 1000 }, randomNumbers(seed));
    expect(numbers(7)).toEqual(numbers(7));
    expect(numbers(7)).not.toEqual(numbers(8));
    const sorted = numbers(7).sort((a, b) => a - b);
    expect(sorted[0]).toBeGreaterThanOrEqual(0);
    expect(sorted[999]).toBeLessThan(1);
    expect(Math.abs((sorted[500] ?? 0) - 0.5)).toBeLessThan(0.06);
  });

  it('comes to every order of three', () => {
    const random = randomNumbers(1);
    const orders = new Set(Array.from({ length: 100 }, () => shuffled([0, 1, 2], random).join('')));
    expect(orders.size).toBe(6);
  });
});
