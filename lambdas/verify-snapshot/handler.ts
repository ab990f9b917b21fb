import * as z from 'zod';
import { skipped, snapshot } from '../../core/record/contracts';
import { snapshotDeps } from '../shared/step/deps';
import { SnapshotNotVerified } from '../shared/step/errors';
import { type SnapshotDeps, verifySnapshot as verify } from '../shared/commands/snapshots';
import { step } from '../shared/step/step';
import { env } from './env';

const input = z.object({
  execution: z.string(),
  /** What SnapshotEtcd left. */
  snapshot: z.union([snapshot, skipped]),
});

/**
 * Looks at the snapshot from outside of the seat that took it: whole, of the size and the digest that the seat says. Only
 * then it counts as the newest, whose age is shown and which is never pruned.
 * @throws SnapshotNotVerified it is not so
 */
export const verifySnapshot =
  (deps: SnapshotDeps) =>
  async ({ snapshot }: z.output<typeof input>): Promise<{ key?: string }> => {
    if ('skipped' in snapshot) return {};
    const { key, at, bytes, sha256 } = await verify(deps, snapshot.key);
    if (bytes !== snapshot.bytes || sha256 !== snapshot.sha256)
      throw new SnapshotNotVerified(`The manifest of ${key} is not that of the snapshot which was taken`);
    await deps.store.recordSnapshot({ key, at, bytes, sha256 });
    return { key };
  };

export const handler = step({ name: 'verify-snapshot', input, env, deps: snapshotDeps }, verifySnapshot);
