import { BROKEN_MANIFESTS } from '../support/broken-manifests';
import { serviceFault } from '../../sim/aws/errors';
import type { Twin } from '../../sim/run';
import { seconds } from '../../sim/virtual-time';
import { thrownBy, begin, live, liveAwake, makeStep } from '../lambdas/support';
import { expectAsleep, expectAwake } from './expectations';

const SCHEDULED = { requestedBy: 'schedule:snapshots' };

/** Keys in the bucket below the newest folder of snapshots. */
function newestSet({ model }: Twin): string[] {
  const folder = model.inside.snapshots.at(-1)!;
  return [...model.s3.objects.keys()].filter((key) => key.startsWith(folder)).map((key) => key.slice(folder.length));
}

describe('snapshot-etcd', () => {
  test.each([
    [SCHEDULED, 'schedule'],
    [{}, 'manual'],
    [{ requestedBy: 'ann' }, 'manual'],
  ])('saves, verifies and records while awake, without the lease: %j', (input, reason) =>
    liveAwake('', async (twin) => {
      const { status, cause, output } = await twin.run('snapshot-etcd', input);
      expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
      const folder = twin.model.inside.snapshots[0]!;
      expect(folder).toMatch(new RegExp(`^snapshots/2026-11-20T08-\\d\\d-\\d\\dZ-${reason}$`));
      expect(newestSet(twin)).toEqual(['/etcd.db', '/authorities.age', '/manifest.json']);
      const { at, bytes, sha256 } = JSON.parse(twin.model.s3.objects.get(`${folder}/manifest.json`)!) as object & {
        at: string;
        bytes: number;
        sha256: string;
      };
      expect(twin.model.record).toMatchObject({
        state: 'awake',
        snapshot: { key: `${folder}/etcd.db`, at, bytes, sha256 },
      });
      expect(output).toMatchObject({ pruned: { deleted: 0 } });
      expect(twin.model.calls.of('UpdateItem')).toEqual([]);
      expectAwake(twin);
    }),
  );

  test('skips quietly while asleep, in a handful of transitions', () =>
    live('', async (twin) => {
      const { status, output, transitions } = await twin.run('snapshot-etcd', SCHEDULED);
      expect(status).toBe('SUCCEEDED');
      expect(output).toMatchObject({ snapshot: { skipped: 'no control-plane seat runs' } });
      expect(transitions).toBeLessThanOrEqual(5);
      expect(twin.model.s3.objects.size).toBe(0);
      expect(twin.model.sns.messages).toEqual([]);
    }));

  test('skips quietly while a workflow holds the cluster, which it does not disturb', () =>
    liveAwake('', async (twin) => {
      const sleep = twin.workflows.start('sleep');
      await seconds(5);
      const { output } = await twin.run('snapshot-etcd', SCHEDULED);
      expect(output).toMatchObject({ snapshot: { skipped: 'sleep holds the cluster' } });
      await sleep.over;
      expectAsleep(twin);
      expect(twin.model.inside.snapshots).toHaveLength(1);
    }));

  test('a sleep that starts while it runs is not turned away, and both succeed', () =>
    liveAwake('', async (twin) => {
      const snapshot = twin.workflows.start('snapshot-etcd', SCHEDULED);
      await seconds(3);
      const sleep = await twin.run('sleep');
      await snapshot.over;
      expect([snapshot.status, sleep.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
      expectAsleep(twin);
    }));

  test('two at once do each other no harm', () =>
    liveAwake('', async (twin) => {
      const both = [twin.workflows.start('snapshot-etcd', SCHEDULED), twin.workflows.start('snapshot-etcd', {})];
      await Promise.all(both.map(({ over }) => over));
      expect(both.map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
      expect(twin.model.record).toHaveProperty('snapshot');
    }));

  test(
    'a month of them leaves in the bucket what is to be kept',
    () =>
      liveAwake('snapshots: { keepHourlyDays: 1, keepDailyDays: 3 }', async (twin) => {
        for (let hour = 0; hour < 5 * 24; hour += 1) {
          await twin.run('snapshot-etcd', SCHEDULED);
          await seconds(3600);
        }
        const manifests = [...twin.model.s3.objects.keys()].filter((key) => key.endsWith('/manifest.json'));
        expect(manifests.length).toBeGreaterThanOrEqual(24 + 2);
        expect(manifests.length).toBeLessThanOrEqual(24 + 4);
        expect(twin.model.s3.objects.size).toBe(manifests.length * 3);
        expect(twin.model.s3.objects.has((twin.model.record.snapshot as { key: string }).key)).toBe(true);
      }),
    30_000,
  );

  describe.each(['snapshot-etcd', 'verify-snapshot', 'prune-snapshots'])('when %s', (step) => {
    test.each([
      ['fails once for a fault of AWS’s', { with: () => serviceFault() }],
      ['never answers, once', { service: 'lambda', with: 'hang' as const }],
    ])('%s, succeeds all the same', (_how, fault) =>
      liveAwake('', async (twin) => {
        twin.model.faults.add({ caller: step, times: 1, ...fault });
        const { status, cause } = await twin.run('snapshot-etcd', SCHEDULED);
        expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
        expect(newestSet(twin)).toHaveLength(3);
      }),
    );

    test('fails always: that is on record, told once, and forgotten with the next success', () =>
      liveAwake('', async (twin) => {
        twin.model.sns.messages.length = 0;
        twin.model.faults.add({ caller: step, service: 'lambda', with: () => new TypeError('broken') });
        const first = await twin.run('snapshot-etcd', SCHEDULED);
        await twin.run('snapshot-etcd', SCHEDULED);
        const state = step.replace(/(^|-)(\w)/g, (_all, _dash, letter: string) => letter.toUpperCase());
        expect(first).toMatchObject({ status: 'FAILED', error: 'TypeError', cause: `${state}: broken` });
        expect(twin.model.record).toMatchObject({
          state: 'awake',
          snapshotFailure: { workflow: 'snapshot-etcd', step: state, error: 'TypeError', cause: 'broken' },
        });
        expect(twin.model.record).not.toHaveProperty('failure');
        expect(twin.model.sns.messages).toEqual([
          expect.objectContaining({
            subject: 'drowse: snapshot-etcd failed',
            text: expect.stringContaining(
              `${state}. Something happened that nobody has foreseen (TypeError).`,
            ) as string,
          }),
        ]);
        twin.model.faults.clear();
        await twin.run('snapshot-etcd', SCHEDULED);
        expect(twin.model.record).not.toHaveProperty('snapshotFailure');
        expectAwake(twin);
      }));
  });

  test('a script that fails is run once more, then its error is told', () =>
    liveAwake('', async (twin) => {
      const told = { ok: false, error: 'EtcdNotHealthy', message: 'etcd has no quorum' };
      twin.model.ssm.documents.set('drowse-snapshot-etcd', () => ({ seconds: 1, result: told }));
      const { error, cause } = await twin.run('snapshot-etcd', SCHEDULED);
      expect(error).toBe('CommandFailed');
      expect(cause).toContain('EtcdNotHealthy: etcd has no quorum');
      expect(twin.model.calls.of('SendCommand')).toHaveLength(2);
    }));
});

describe('verify-snapshot', () => {
  /** A snapshot that was taken, and what its step said. */
  async function take(twin: Twin) {
    await twin.run('snapshot-etcd', {});
    const folder = twin.model.inside.snapshots.at(-1)!;
    const { objects } = twin.model.s3;
    const manifest = JSON.parse(objects.get(`${folder}/manifest.json`)!) as Record<string, unknown>;
    return { objects, folder, manifest, snapshot: { ...manifest, key: `${folder}/etcd.db` } };
  }

  test.each<[string, (set: Awaited<ReturnType<typeof take>>) => unknown, RegExp]>([
    [
      'a file is missing',
      ({ objects, folder }) => objects.delete(`${folder}/authorities.age`),
      /has no .*authorities\.age/,
    ],
    ['it was cut off', ({ objects, folder }) => objects.set(`${folder}/etcd.db`, 'x'), /has 1 bytes/],
    [
      'it was changed',
      ({ objects, folder }) => objects.set(`${folder}/etcd.db`, objects.get(`${folder}/etcd.db`)!.replace('{', '[')),
      /has the digest [0-9a-f]{64}, its manifest says/,
    ],
    [
      'its manifest is none',
      ({ objects, folder }) => objects.set(`${folder}/manifest.json`, 'oops'),
      /manifest of .* is wrong/,
    ],
    [
      'its manifest is too long to be one',
      ({ objects, folder }) => objects.set(`${folder}/manifest.json`, 'x'.repeat(5000)),
      /has 5000 bytes, which none has/,
    ],
    ...BROKEN_MANIFESTS.map(
      ([field, value]) =>
        [
          `its manifest’s ${field} is ${JSON.stringify(value)}`,
          ({ objects, folder, manifest }: Awaited<ReturnType<typeof take>>) =>
            objects.set(`${folder}/manifest.json`, JSON.stringify({ ...manifest, [field]: value })),
          new RegExp(`manifest of .* is wrong:[^]*${field}`),
        ] as [string, (set: Awaited<ReturnType<typeof take>>) => unknown, RegExp],
    ),
    [
      'it is of another cluster',
      ({ objects, folder, manifest }) =>
        objects.set(`${folder}/manifest.json`, JSON.stringify({ ...manifest, cluster: 'other' })),
      /a snapshot of the cluster other/,
    ],
    [
      'the seat said otherwise',
      ({ snapshot }) => Object.assign(snapshot, { sha256: 'b'.repeat(64) }),
      /is not that of the/,
    ],
  ])('does not believe it when %s', (_how, spoil, message) =>
    liveAwake('', async (twin) => {
      const set = await take(twin);
      delete twin.model.record.snapshot;
      spoil(set);
      const error = await thrownBy(makeStep(twin.model, 'verify-snapshot')({ execution: 'e', snapshot: set.snapshot }));
      expect(error).toMatchObject({ name: 'SnapshotNotVerified' });
      expect(error.message).toMatch(message);
      expect(twin.model.record).not.toHaveProperty('snapshot');
    }),
  );

  test('an older snapshot, verified late, does not count as the newest', () =>
    liveAwake('', async (twin) => {
      const older = await take(twin);
      await seconds(60);
      const newer = await take(twin);
      await makeStep(twin.model, 'verify-snapshot')({ execution: 'e', snapshot: older.snapshot });
      expect(twin.model.record).toMatchObject({ snapshot: { key: newer.snapshot.key } });
    }));

  test('a sleep records its snapshot too, and does not go on with one that is not whole', () =>
    liveAwake('', async (twin) => {
      await twin.run('sleep');
      expect(twin.model.record).toMatchObject({ snapshot: { key: `${twin.model.inside.snapshots[0]!}/etcd.db` } });
      await twin.run('wake');
      twin.model.faults.add({ caller: 'verify-snapshot', action: 'HeadObject', with: () => new TypeError('gone') });
      const { status } = await twin.run('sleep');
      expect(status).toBe('FAILED');
      expect(twin.model.record).toMatchObject({ state: 'sleep-failed', failure: { step: 'VerifySnapshot' } });
      expect(twin.model.ec2.in('running')).toHaveLength(2);
    }));
});

describe('prune-snapshots', () => {
  test('touches nothing but sets: not the sealed authorities, not what it does not know', () =>
    liveAwake('', async (twin) => {
      const { objects } = twin.model.s3;
      const others = ['snapshots/authorities-0123456789abcdef.age', 'snapshots/by-hand/etcd.db', 'node/bundle.tar.gz'];
      for (const key of others) objects.set(key, 'x');
      for (const file of ['etcd.db', 'authorities.age', 'manifest.json'])
        objects.set(`snapshots/2026-01-01T00-00-00Z-sleep/${file}`, 'x');
      await twin.run('snapshot-etcd', SCHEDULED);
      expect([...objects.keys()].filter((key) => key.includes('2026-01-01'))).toEqual([]);
      expect([...objects.keys()]).toEqual(expect.arrayContaining(others));
      const deletions = twin.model.calls.of('DeleteObjects').map(({ input }) => (input as { Delete: object }).Delete);
      expect(deletions).toMatchObject([
        { Objects: [{ Key: 'snapshots/2026-01-01T00-00-00Z-sleep/manifest.json' }] },
        {
          Objects: [
            { Key: expect.stringContaining('authorities.age') as string },
            { Key: expect.any(String) as string },
          ],
        },
      ]);
    }));

  test('says which objects the bucket would not delete', () =>
    liveAwake('', async (twin) => {
      twin.model.s3.objects.set('snapshots/2026-01-01T00-00-00Z-sleep/etcd.db', 'x');
      twin.model.s3.refuses = /2026-01-01/;
      const error = await thrownBy(makeStep(twin.model, 'prune-snapshots')(await begin(twin)));
      expect(error).toMatchObject({
        name: 'SnapshotsNotPruned',
        message: 'snapshots/2026-01-01T00-00-00Z-sleep/etcd.db: AccessDenied Access Denied',
      });
    }));

  test('deletes thousands in as few requests as S3 allows', () =>
    liveAwake('', async (twin) => {
      for (let n = 0; n < 2500; n += 1) {
        const at = new Date(Date.parse('2026-01-01T00:00:00Z') + n * 60_000).toISOString();
        twin.model.s3.objects.set(`snapshots/${at.slice(0, 19).replaceAll(':', '-')}Z-sleep/etcd.db`, 'x');
      }
      const result = await makeStep(twin.model, 'prune-snapshots')(await begin(twin));
      expect(result).toEqual({ deleted: 2500 });
      expect(twin.model.calls.of('DeleteObjects')).toHaveLength(3);
    }));
});
