import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeRequest } from '../../cli/drowse/reach/request';
import { bake } from './support/case';
import { newCloudState } from './support/cloud-state';
import { killEverywhere, type Victim } from './support/kill';
import { Life, startingFrom } from './support/life';
import { loseVolume, SNAPSHOT_KEY, takeSnapshot } from './support/lost-volume';
import { seatData } from './support/nodes';
import { addFakes, type Run, type RunOptions } from './support/sandbox';

beforeAll(() => {
  addFakes('fakes-platform');
});

const GONE = 'i-0ccccccccccccccccc';

/** A seat that is up, in a cluster that answers names, with a node to drain. */
const seat = startingFrom(async () => {
  const life = new Life(seatData(), newCloudState());
  bake(await life.replace(), 'seat');
  life.sandbox.world('no-chance');
  const pool = 'i-0bbbbbbbbbbbbbbbb';
  life.state.instances[pool] = { ...life.cloud.instance, id: pool, tags: { 'drowse:cluster': 'drowse' } };
  const boot = await life.boot({ quiet: true });
  if (boot.code !== 0) throw new Error(boot.stderr);
  const dns = { metadata: { name: 'coredns-1', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } } };
  await add(life, {
    [`Node//${pool}`]: node(pool),
    'Pod/kube-system/coredns-1': {
      ...dns,
      spec: { nodeName: life.cloud.instance.id },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    },
  });
  return life;
});

/** With a node of an instance that is gone, and all that names it. */
async function seatWithStaleNode(): Promise<Life> {
  const life = await seat();
  const attachment = { metadata: { name: 'csi-1' }, spec: { nodeName: GONE } };
  const pod = { metadata: { name: 'web-1', namespace: 'app' }, spec: { nodeName: GONE } };
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'web', namespace: 'app' } };
  await add(life, {
    [`Node//${GONE}`]: node(GONE),
    'VolumeAttachment//csi-1': attachment,
    'Pod/app/web-1': pod,
    'Lease/app/web': { ...lease, spec: { holderIdentity: 'web-1_1' } },
  });
  return life;
}

function node(name: string): object {
  return {
    metadata: { name, annotations: {} },
    spec: {},
    status: { conditions: [{ type: 'Ready', status: 'True' }], allocatable: {} },
  };
}

async function add(life: Life, objects: Record<string, object>): Promise<void> {
  const file = 'test/volume/cluster.json';
  life.sandbox.write(file, JSON.stringify({ ...(JSON.parse(life.sandbox.read(file)) as object), ...objects }));
  // A look at it puts it into the order and the spelling of all later ones.
  await life.sandbox.run(['-c', 'kubectl get nodes']);
}

const command = (life: Life, name: string, words: readonly string[], options?: RunOptions): Promise<Run> =>
  life.sandbox.run([`/opt/drowse/commands/${name}.sh`, ...words], options);

/** A command on a seat that is up. Where the instance rebooted, its unit brings the seat up first. */
const onSeat = (name: string, ...words: string[]): Victim => ({
  name,
  make: name === 'delete-stale-nodes' ? seatWithStaleNode : seat,
  comesBack: (life) => life.sandbox.node({ quiet: true }),
  run: (life, options) => command(life, name, words, options),
});

/** The only seat after its volume was lost, with a snapshot in the bucket. */
const lostSeat = startingFrom(async () => {
  const life = await seat();
  await takeSnapshot(life);
  await loseVolume(life, { quiet: true });
  return life;
});

const restore: Victim = {
  name: 'restore-etcd',
  make: lostSeat,
  comesBack: (life) => life.sandbox.node({ quiet: true }),
  async run(life, options) {
    const run = await command(life, 'restore-etcd', ['--key', SNAPSHOT_KEY, '--dry-run', 'false'], options);
    if (!run.stdout.includes('"VolumeNotBlank"')) return run;
    // The data is there, and is never overwritten: that is the answer then, and systemd brings the seat up on it.
    return life.sandbox.node({ quiet: true });
  },
};

const victims = [
  onSeat('mint-join-token', '--pool', 'gpu', '--instance-ids', 'i-0bbbbbbbbbbbbbbbb'),
  onSeat('drain-nodes', '--per-node-seconds', '60'),
  onSeat('delete-stale-nodes'),
  onSeat('uncordon-nodes'),
  onSeat('issue-kubeconfig'),
  onSeat('issue-certificate', '--user', 'alice', '--groups', 'drowse:operators', '--request', makeRequest().request),
  onSeat('snapshot-etcd', '--reason', 'sleep'),
  onSeat('smoke-test', '--checks', 'all'),
  onSeat('collect-diagnostics'),
  onSeat('measure-activity', '--window-minutes', '30', '--pod-labels', 'app=web'),
  restore,
];

/** With Flux behind them, in platform-commands.test.ts. */
const ELSEWHERE = ['install-network', 'reconcile-platform'];

test('every command is killed', () => {
  const commands = readdirSync(join(__dirname, '../../userdata/commands')).map((file) => file.replace('.sh', ''));
  expect([...victims.map(({ name }) => name), ...ELSEWHERE].sort()).toEqual(commands.sort());
});

test.each(victims)('$name, killed after each external command, ends like an unbroken one', async (victim) => {
  expect((await killEverywhere(victim)).problems).toEqual([]);
});
