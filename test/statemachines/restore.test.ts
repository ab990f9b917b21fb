import { TAG } from '../../core/config/names';
import { serviceFault } from '../../sim/aws/errors';
import type { Twin } from '../../sim/run';
import { seconds } from '../../sim/virtual-time';
import { live, liveAwake } from '../lambdas/support';
import { expectAwake } from './expectations';

const REAL = { seat: 0, key: 'latest', dryRun: false, confirm: 'drowse', requestedBy: 'ann' };
const THREE = 'controlPlane: { seats: 3 }';

/** A cluster with a snapshot that has slept, lost what lay on its state volumes, and failed to wake. */
function liveLost<T>(yaml: string, script: (twin: Twin) => Promise<T>): Promise<T> {
  return liveAwake(yaml, async (twin) => {
    await twin.run('sleep');
    for (const volume of twin.model.ec2.volumes) volume.lost = true;
    await twin.run('wake');
    expect(twin.model.record).toMatchObject({
      state: 'wake-failed',
      failure: { step: 'WaitForApi', error: 'NodeFailed' },
    });
    twin.model.calls.all.length = 0;
    return script(twin);
  });
}

/** Every object and instance there is, to see that nothing has changed. */
function world({ model }: Twin) {
  const instances = [...model.ec2.instances.values()].map(({ id, state, tags }) => [id, state, tags[TAG.phase]]);
  return structuredClone({ instances, objects: [...model.s3.objects.keys()], state: model.record.state });
}

function eventOf({ model }: Twin, execution: string) {
  return model.dynamo.items.get(`event#${execution}`);
}

describe('a rehearsal', () => {
  test.each([{}, { dryRun: true }, { seat: 0, key: 'latest' }])(
    'with %j tries the newest snapshot, and changes nothing',
    (input) =>
      liveAwake('', async (twin) => {
        await twin.run('snapshot-etcd', {});
        await seconds(60);
        await twin.run('snapshot-etcd', {});
        const before = world(twin);
        const { status, cause, output, arn } = await twin.run('restore-etcd', input);
        expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
        const key = `${twin.model.inside.snapshots[1]!}/etcd.db`;
        expect(output).toMatchObject({ restored: { key, dryRun: true, replaced: 'nothing' } });
        expect(world(twin)).toEqual(before);
        expect(eventOf(twin, arn)).toMatchObject({ what: 'restore-rehearsed', key, seat: 0 });
        expectAwake(twin);
      }),
  );

  test.each(['', '/', '/etcd.db'])('takes an older snapshot by its folder, with "%s" behind it', (end) =>
    liveAwake('', async (twin) => {
      await twin.run('snapshot-etcd', {});
      await seconds(60);
      await twin.run('snapshot-etcd', {});
      const folder = twin.model.inside.snapshots[0]!;
      const { output } = await twin.run('restore-etcd', { key: `${folder}${end}` });
      expect(output).toMatchObject({ restored: { key: `${folder}/etcd.db` } });
    }),
  );

  test('works on a seat that has lost its state, before the restore itself', () =>
    liveLost('', async (twin) => {
      const { status } = await twin.run('restore-etcd', { dryRun: true });
      expect(status).toBe('SUCCEEDED');
      expect(twin.model.record).toMatchObject({ state: 'wake-failed' });
      expect(twin.model.ec2.volumes[0]).toMatchObject({ lost: true });
    }));
});

describe('a restore', () => {
  test('brings the lost seat back; what it replaced and who wanted it stays on record; wake does the rest', () =>
    liveLost('', async (twin) => {
      const [seat] = twin.model.ec2.in('running').filter(({ tags }) => tags[TAG.role] === 'seat');
      const { status, cause, arn, output } = await twin.run('restore-etcd', REAL);
      expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
      const key = `${twin.model.inside.snapshots[0]!}/etcd.db`;
      const replaced = 'the blank state volume of seat 0';
      expect(output).toMatchObject({ restored: { key, dryRun: false, replaced } });
      expect(eventOf(twin, arn)).toMatchObject({
        what: 'restored',
        instance: seat!.id,
        key,
        replaced,
        requestedBy: 'ann',
        snapshotAt: expect.any(String) as string,
      });
      expect(twin.model.sns.messages.at(-1)).toMatchObject({
        subject: 'drowse: restore-etcd is done',
        text: expect.stringContaining(`(${key}) took the place of ${replaced}. What was written`) as string,
      });
      expect(seat!.tags[TAG.phase]).toBe('ready');
      expect(twin.model.record).toMatchObject({ state: 'wake-failed' });
      expect(twin.model.record).not.toHaveProperty('lease');
      await twin.run('wake');
      expectAwake(twin);
      expect(twin.model.ec2.get(seat!.id).state).toBe('running');
    }));

  test('of three lost seats rebuilds one, and the others join it at the next wake', () =>
    liveLost(THREE, async (twin) => {
      const { status, cause } = await twin.run('restore-etcd', { ...REAL, seat: 1 });
      expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
      expect(twin.model.ec2.volumes.map(({ lost }) => lost)).toEqual([true, false, true]);
      await twin.run('wake');
      expectAwake(twin);
      expect(twin.model.ec2.volumes.map(({ lost }) => lost)).toEqual([false, false, false]);
    }));

  test('takes the lease: nothing sleeps or wakes meanwhile', () =>
    liveLost('', async (twin) => {
      const restore = twin.workflows.start('restore-etcd', REAL);
      await seconds(10);
      const wake = await twin.run('wake');
      expect(wake).toMatchObject({ status: 'FAILED', error: 'ClusterBusy' });
      expect(wake.cause).toContain('restore-etcd (started by ann');
      await restore.over;
      expect(restore.status).toBe('SUCCEEDED');
    }));
});

describe('is refused', () => {
  const cases: [string, string, object, (twin: Twin) => unknown, RegExp][] = [
    ['without the cluster’s name', '', { dryRun: false }, () => 0, /start it again with "confirm": "drowse"/],
    ['with another name', '', { ...REAL, confirm: 'other' }, () => 0, /^CheckRestore: Not confirmed/],
    [
      'over data',
      '',
      REAL,
      () => 0,
      /needs every seat to say failed:state-lost, and never overwrites data. These do not: i-\d+ \(seat 0, running, ready\)/,
    ],
    [
      'of one seat while others have a quorum',
      THREE,
      REAL,
      (twin) => {
        const [seat] = twin.model.ec2.in('running').filter(({ tags }) => tags[TAG.seat] === '0');
        seat!.tags[TAG.phase] = 'failed:state-lost';
      },
      /These do not: .*seat 1.*seat 2/,
    ],
    ['on a seat that does not exist', '', { seat: 2 }, () => 0, /Seat 2 has no instance/],
    [
      'on a seat that is still booting',
      '',
      {},
      (twin) => (twin.model.ec2.get('i-00000000000000001').tags[TAG.phase] = 'runtime'),
      /still booting/,
    ],
    ['of a key that is none', '', { key: 'snapshots/../secrets' }, () => 0, /is neither "latest" nor/],
    ['without any snapshot', '', {}, (twin) => twin.model.s3.objects.clear(), /The bucket has no snapshot/],
  ];
  test.each(cases)('%s', (_what, yaml, input, prepare, message) =>
    liveAwake(yaml, async (twin) => {
      await twin.run('snapshot-etcd', {});
      prepare(twin);
      const before = world(twin);
      twin.model.calls.all.length = 0;
      const { error, cause } = await twin.run('restore-etcd', input);
      expect(error).toBe('RestoreRefused');
      expect(cause).toMatch(message);
      expect(world(twin)).toEqual(before);
      expect(twin.model.calls.of('SendCommand')).toEqual([]);
      expect(twin.model.record).not.toHaveProperty('lease');
    }),
  );

  test('while asleep: there is no node to restore', () =>
    live('', async (twin) => {
      const { cause } = await twin.run('restore-etcd', REAL);
      expect(cause).toContain('Seat 0 has no instance. Start wake first');
    }));

  test('while the volume of another seat is not known', () =>
    liveLost(THREE, async (twin) => {
      const [other] = twin.model.ec2.in('running').filter(({ tags }) => tags[TAG.seat] === '2');
      twin.model.ec2.terminate(other!.id);
      const { cause } = await twin.run('restore-etcd', REAL);
      expect(cause).toContain('Whether seat 2 has data is not known');
    }));

  test('with a snapshot that is not whole', () =>
    liveLost('', async (twin) => {
      twin.model.s3.objects.delete(`${twin.model.inside.snapshots[0]!}/authorities.age`);
      const { error, cause } = await twin.run('restore-etcd', REAL);
      expect(error).toBe('SnapshotNotVerified');
      expect(cause).toContain('authorities.age');
    }));

  test('with a snapshot that is not there', () =>
    liveAwake('', async (twin) => {
      const { error, cause } = await twin.run('restore-etcd', { key: 'snapshots/2025-01-01T00-00-00Z-sleep' });
      expect(error).toBe('SnapshotNotVerified');
      expect(cause).toContain('The bucket has no snapshots/2025-01-01T00-00-00Z-sleep/etcd.db');
    }));
});

describe.each(['check-restore', 'restore-etcd', 'record-success'])('when %s', (step) => {
  test.each([
    ['fails once for a fault of AWS’s', { with: () => serviceFault() }],
    ['never answers, once', { service: 'lambda', with: 'hang' as const }],
  ])('%s, the restore succeeds all the same', (_how, fault) =>
    liveLost('', async (twin) => {
      twin.model.faults.add({ caller: step, times: 1, ...fault });
      const { status, cause } = await twin.run('restore-etcd', REAL);
      expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
      await twin.run('wake');
      expectAwake(twin);
    }),
  );

  test('fails always: on record, the lease is free, and another attempt or a wake goes on from there', () =>
    liveLost('', async (twin) => {
      twin.model.faults.add({ caller: step, service: 'lambda', with: () => new TypeError('broken') });
      const { status } = await twin.run('restore-etcd', REAL);
      expect(status).toBe('FAILED');
      expect(twin.model.record).toMatchObject({ state: 'wake-failed', failure: { workflow: 'restore-etcd' } });
      expect(twin.model.record).not.toHaveProperty('lease');
      twin.model.faults.clear();
      const lost = twin.model.ec2.volumes.some((volume) => volume.lost);
      if (lost) await twin.run('restore-etcd', REAL);
      await twin.run('wake');
      expectAwake(twin);
    }));
});

test('a script that refuses is not run again, and says why', () =>
  liveLost('', async (twin) => {
    const told = { ok: false, error: 'SnapshotKeyWrong', message: 'does not open with the snapshot key' };
    twin.model.ssm.documents.set('drowse-restore-etcd', () => ({ seconds: 1, result: told }));
    const { error, cause } = await twin.run('restore-etcd', REAL);
    expect(error).toBe('CommandFailed');
    expect(cause).toContain('SnapshotKeyWrong: does not open with the snapshot key');
    expect(twin.model.calls.of('SendCommand')).toHaveLength(1);
  }));

test('a seat that ends under the restore ends it too', () =>
  liveLost('', async (twin) => {
    const restore = twin.workflows.start('restore-etcd', REAL);
    await seconds(10);
    const [seat] = twin.model.ec2.in('running').filter(({ tags }) => tags[TAG.role] === 'seat');
    twin.model.ec2.terminate(seat!.id);
    await restore.over;
    expect(restore).toMatchObject({ status: 'FAILED', error: 'ApiNotReady' });
    expect(twin.model.record).not.toHaveProperty('lease');
  }));

describe.each(['AcquireLease', 'CheckRestore', 'RestoreEtcd', 'RecordSuccess'])('stopped in %s', (state) => {
  test.each([0, 7])('after %i s, it can be started again, and a wake ends where it says', (into) =>
    liveLost('', async (twin) => {
      twin.workflows.beforeTask = (execution, name) => {
        if (execution.workflow === 'restore-etcd' && name === state) setTimeout(() => execution.stop(), into * 1000);
      };
      await twin.run('restore-etcd', REAL);
      twin.workflows.beforeTask = () => undefined;
      // What was sent to the node goes on there.
      await seconds(120);
      const again = await twin.run('restore-etcd', REAL);
      // A seat that came back by then has data, which is never overwritten.
      expect(again.error ?? again.status).toMatch(/^(SUCCEEDED|RestoreRefused)$/);
      await twin.run('wake');
      expectAwake(twin);
    }),
  );
});
