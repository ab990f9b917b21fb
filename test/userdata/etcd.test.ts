import { EtcdLab, SEAT_ADDRESSES, type LabSeat } from './support/etcd-lab';

/** One life, told in order: each chapter starts where the one before ended. */
let lab: EtcdLab;
beforeAll(() => {
  lab = new EtcdLab();
});
afterAll(async () => lab.end());

async function bootAll(seats: readonly LabSeat[]): Promise<void> {
  const runs = await Promise.all(seats.map((seat) => seat.boot()));
  for (const [i, run] of runs.entries()) {
    const seat = seats[i]!;
    if (run.code !== 0)
      throw new Error(`seat ${String(seat.index)} ends as ${String(seat.phase)}\n${run.stderr}\n${seat.log}`);
    expect({ phase: seat.phase, problems: seat.problems }).toEqual({ phase: 'ready', problems: [] });
  }
}

/** The result of a command that must succeed; else the error shows its log. */
async function command(seat: LabSeat, name: string, ...options: string[]): Promise<Record<string, unknown>> {
  const run = await seat.sandbox.run([`/opt/drowse/commands/${name}.sh`, ...options]);
  const result = JSON.parse(run.stdout) as Record<string, unknown>;
  if (result.ok !== true) throw new Error(`${run.stdout}${seat.sandbox.read(`run/drowse/${name}.log`).slice(-1500)}`);
  return result;
}

/** Peer addresses of the started members. */
function members(seat: LabSeat): string[] {
  return seat
    .etcdctl('member', 'list')
    .split('\n')
    .filter((line) => line.includes(', started,') && line.endsWith('false'))
    .map((line) => line.split(', ')[3]!)
    .sort();
}

const ALL = SEAT_ADDRESSES.map((address) => `https://${address}:2380`);

test('first boot of three, cold start under new names, a lost instance, a lost volume, all volumes lost', async () => {
  const [zero, one, two] = lab.seats as [LabSeat, LabSeat, LabSeat];

  // First boot: seat 0 makes the cluster, the others wait for it and join, one learner at a time.
  for (const seat of lab.seats) await seat.newInstance();
  await bootAll(lab.seats);
  expect(members(two)).toEqual(ALL);
  one.etcdctl('put', 'written-by', 'first boot');

  // Cold start: nobody has a quorum, all have new names and primary addresses, and come in any order.
  for (const seat of lab.seats) seat.kill();
  for (const seat of lab.seats) await seat.newInstance();
  await bootAll([two, zero, one]);
  expect(members(one)).toEqual(ALL);
  expect(zero.etcdctl('get', '--print-value-only', 'written-by')).toBe('first boot');

  // An instance is lost: its successor goes on with the volume.
  one.kill();
  zero.etcdctl('put', 'written-by', 'two of three');
  await one.newInstance();
  await bootAll([one]);
  expect(members(zero)).toEqual(ALL);
  expect(one.etcdctl('get', '--print-value-only', 'written-by')).toBe('two of three');

  // A volume is lost: its dead member goes, and the seat joins anew.
  await two.newInstance({ blankVolume: true });
  await bootAll([two]);
  expect(members(zero)).toEqual(ALL);
  expect(two.etcdctl('get', '--print-value-only', 'written-by')).toBe('two of three');

  // A snapshot; then every volume is lost. Nothing initialises; the snapshot set alone brings everything back.
  two.etcdctl('put', 'written-by', 'before the snapshot');
  const { key, ...snapshot } = (await command(zero, 'snapshot-etcd', '--reason', 'manual')) as { key: string };
  expect(snapshot).toMatchObject({ ok: true, bytes: lab.state.objects[key]?.length });
  for (const seat of lab.seats) await seat.newInstance({ blankVolume: true });
  zero.sandbox.environment = { BASH_ENV: '/test-tools/fast-sleep.sh', SLEEP_FACTOR: '100' };
  const lost = await zero.boot();
  expect({ code: lost.code, phase: zero.phase }).toEqual({ code: 1, phase: 'failed:state-lost' });
  zero.sandbox.environment = { BASH_ENV: '/test-tools/short-sleep.sh' };
  expect(await command(zero, 'restore-etcd', '--key', key, '--dry-run', 'true')).toMatchObject({
    ok: true,
    key,
    dryRun: true,
  });
  expect(await command(zero, 'restore-etcd', '--key', key, '--dry-run', 'false')).toMatchObject({
    ok: true,
    key,
    dryRun: false,
  });
  expect(zero.phase).toBe('ready');
  await bootAll([two, one]);
  expect(members(zero)).toEqual(ALL);
  for (const seat of lab.seats)
    expect(seat.etcdctl('get', '--print-value-only', 'written-by')).toBe('before the snapshot');

  // With data on the volume a restore is refused, whoever asks.
  await expect(command(zero, 'restore-etcd', '--key', key, '--dry-run', 'false')).rejects.toThrow(
    '"error":"VolumeNotBlank"',
  );
});
