import { DeleteObjectsCommand } from '@aws-sdk/client-s3';
import * as z from 'zod';
import { snapshotDeps } from '../shared/step/deps';
import { dataOf, listSnapshots, type SnapshotDeps } from '../shared/commands/snapshots';
import { step } from '../shared/step/step';
import { choosePruned, type Keeping } from './choose-pruned';
import { env } from './env';

const input = z.object({ execution: z.string() });

/** Objects that one request may delete. */
const AT_ONCE = 1000;

/** The bucket refused to delete some objects. */
export class SnapshotsNotPruned extends Error {
  override readonly name = 'SnapshotsNotPruned';
}

interface Deps extends SnapshotDeps {
  keeping: Keeping;
  now?: () => number;
}

/**
 * Deletes the snapshots that need not be kept. Manifests go first: a set that has one is whole, also if this step dies
 * halfway. In a versioned bucket what was deleted can be brought back for a month.
 * @throws SnapshotsNotPruned naming what stays
 */
export const pruneSnapshots =
  ({ bucket, s3, store, keeping, now = Date.now }: Deps) =>
  async (): Promise<{ deleted: number }> => {
    const sets = await listSnapshots(s3, bucket);
    const { snapshot, snapshotFailure } = await store.read();
    const newest = sets.find((set) => dataOf(set) === snapshot?.key)?.folder;
    const pruned = choosePruned(sets, keeping, now(), newest).flatMap(({ keys }) => keys);
    const manifests = pruned.filter((key) => key.endsWith('/manifest.json'));
    const others = pruned.filter((key) => !key.endsWith('/manifest.json'));
    for (const keys of [...batches(manifests), ...batches(others)]) {
      const Objects = keys.map((Key) => ({ Key }));
      const { Errors = [] } = await s3.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
      );
      if (Errors.length > 0) {
        const said = Errors.map(({ Key = '', Code = '', Message = '' }) => `${Key}: ${Code} ${Message}`);
        throw new SnapshotsNotPruned(said.slice(0, 10).join('; '));
      }
    }
    // The workflow's last step: what failed before has been made good.
    if (snapshotFailure) await store.forgetSnapshotFailure();
    return { deleted: pruned.length };
  };

function batches(keys: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(keys.length / AT_ONCE) }, (_, n) => keys.slice(n * AT_ONCE, (n + 1) * AT_ONCE));
}

export const handler = step(
  {
    name: 'prune-snapshots',
    input,
    env,
    deps: (env) => ({
      ...snapshotDeps(env),
      keeping: { hourlyDays: env.KEEP_HOURLY_DAYS, dailyDays: env.KEEP_DAILY_DAYS },
    }),
  },
  pruneSnapshots,
);
