import { execFileSync } from 'node:child_process';
import { BROKEN_MANIFESTS, HOSTILE } from '../support/broken-manifests';
import { bake } from './support/case';
import { newCloudState } from './support/cloud-state';
import { stateOf } from './support/digest';
import { Life, startingFrom } from './support/life';
import { loseVolume, SNAPSHOT_KEY, takeSnapshot } from './support/lost-volume';
import { seatData } from './support/nodes';

let life: Life;
afterEach(async () => {
  expect(life.problems).toEqual([]);
  await life.end();
});

/** The only seat, up, with a snapshot in the bucket. */
const seatWithSnapshot = startingFrom(async () => {
  const seat = new Life(seatData(), newCloudState());
  bake(await seat.replace(), 'seat');
  expect((await seat.boot({ playCurl: true })).code).toBe(0);
  await takeSnapshot(seat);
  return seat;
});

/** The same after its volume was lost. */
const lostSeat = startingFrom(async () => {
  const seat = await seatWithSnapshot();
  await loseVolume(seat, { playCurl: true });
  return seat;
});

async function restore(dryRun = false): Promise<Record<string, unknown>> {
  const words = ['--key', SNAPSHOT_KEY, '--dry-run', String(dryRun)];
  const { stdout } = await life.sandbox.run(['/opt/drowse/commands/restore-etcd.sh', ...words]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** What is on the state volume. */
function volume(): Record<string, string> {
  const all = stateOf(life.sandbox, life.state, false);
  return Object.fromEntries(Object.entries(all).filter(([path]) => path.startsWith('test/volume')));
}

/** Something goes wrong, and what the answer to that is. */
type Refusal = [what: string, goesWrong: () => unknown, error: string];

test.each<Refusal>([
  ['that is sealed with another key', () => changeParameter('snapshot-key', otherIdentity()), 'SnapshotKeyWrong'],
  ['whose key is gone', () => changeParameter('snapshot-key', undefined), 'SnapshotKeyMissing'],
  ['of a newer etcd', () => changeManifest((text) => text.replace(/"etcd":"3\.6/, '"etcd":"3.7')), 'EtcdNewer'],
])('a lost seat refuses a snapshot %s, and its volume stays blank', async (_, goesWrong, error) => {
  life = await lostSeat();
  goesWrong();
  // The boot that found the volume blank looked at none of this; in memory is what an earlier command fetched.
  life.sandbox.removePath('run/drowse/snapshot-key');
  const before = volume();
  expect(await restore()).toMatchObject({ ok: false, error });
  expect(volume()).toEqual(before);
  expect(life.sandbox.has('var/lib/drowse/restore')).toBe(false);
});

test.each(
  // With one boot each: whether it is a dry run makes no difference to what is refused.
  BROKEN_MANIFESTS.map(([field, value], index) => [field, value, index % 2 === 0] as const),
)('a manifest whose %s is %j is refused by name and runs nothing (dry run: %s)', async (field, value, dryRun) => {
  life = await lostSeat();
  changeManifest((text) => {
    const manifest = JSON.parse(text) as Record<string, unknown>;
    // Line ends as they are: the scripts' documents have no escapes.
    return JSON.stringify({ ...manifest, [field]: value }).replaceAll('\\n', '\n');
  });
  const before = volume();
  const answer = await restore(dryRun);
  expect(life.sandbox.has('root/ran')).toBe(false);
  expect(answer).toMatchObject({ ok: false, error: 'SnapshotBroken' });
  expect(answer.message).toMatch(new RegExp(`manifest.json: .*${field}.* is `));
  expect(volume()).toEqual(before);
  expect(life.sandbox.has('var/lib/drowse/restore')).toBe(false);
});

test.each(['kubernetes', 'etcd'])('a volume whose %s is no version is refused, and runs nothing', async (field) => {
  life = await seatWithSnapshot();
  await life.replace();
  bake(life.sandbox, 'seat');
  const noted = JSON.parse(life.sandbox.read('test/volume/volume.json')) as object;
  life.sandbox.write('test/volume/volume.json', JSON.stringify({ ...noted, [field]: HOSTILE }));
  const before = volume();
  await life.boot({ playCurl: true });
  expect(life.sandbox.has('root/ran')).toBe(false);
  expect(life.state.phases.at(-1)).toBe('failed:bad-document');
  expect(volume()).toEqual(before);
});

test('data is never overwritten', async () => {
  life = await seatWithSnapshot();
  const before = volume();
  expect(await restore()).toMatchObject({ ok: false, error: 'VolumeNotBlank' });
  expect(volume()).toEqual(before);
  expect(await restore(true)).toMatchObject({ ok: true, dryRun: true });
  expect(volume()).toEqual(before);
});

test('a volume that is not mounted is not restored onto', async () => {
  life = await lostSeat();
  life.sandbox.removePath('var/lib/drowse/state');
  expect(await restore()).toMatchObject({ ok: false, error: 'VolumeNotMounted' });
});

test('authorities that differ from those of the snapshot stay, and so does the volume', async () => {
  life = await lostSeat();
  life.sandbox.write('test/volume/authorities/digests', 'of another cluster\n');
  const before = volume();
  expect(await restore()).toMatchObject({ ok: false, error: 'AuthoritiesDiffer' });
  expect(volume()).toEqual(before);
});

test('a blank volume that others can fill is not restored: the seat joins them by itself', async () => {
  life = await lostSeat();
  life.sandbox.write('etc/drowse/node.json', JSON.stringify(seatData(0, 3)));
  life.sandbox.world('other-seats-up');
  const before = volume();
  expect(await restore()).toMatchObject({ ok: false, error: 'QuorumExists' });
  expect(volume()).toEqual(before);
});

test('a seat that does not come up on restored data says so, and the data stays', async () => {
  life = await lostSeat();
  life.sandbox.world('unit-fails');
  expect(await restore()).toMatchObject({ ok: false, error: 'SeatNotReady' });
  expect(life.sandbox.read('test/volume/etcd/member/snap/db')).toBe('restored');
  // The remedy is to run it again.
  life.sandbox.removePath('test/world/unit-fails');
  expect(await restore()).toMatchObject({ ok: true });
});

function changeParameter(name: string, value: string | undefined): void {
  const { [`/drowse/drowse/${name}`]: before, ...others } = life.state.parameters;
  life.state.parameters = others;
  if (value !== undefined) life.state.parameters[`/drowse/drowse/${name}`] = { type: before!.type, value };
}

function changeManifest(edit: (text: string) => string): void {
  const key = SNAPSHOT_KEY.replace('etcd.db', 'manifest.json');
  life.state.objects[key] = Buffer.from(edit(life.state.objects[key]!.toString()));
}

/** An age identity that sealed nothing. */
function otherIdentity(): string {
  return execFileSync('age-keygen', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
