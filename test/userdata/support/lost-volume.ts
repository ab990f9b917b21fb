import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Life } from './life';
import type { RunOptions } from './sandbox';

/** Where takeSnapshot leaves its snapshot: a name that does not depend on when that was. */
export const SNAPSHOT_KEY = 'snapshots/some/etcd.db';

/** Puts a snapshot of a seat that is up into the bucket. */
export async function takeSnapshot({ sandbox, state }: Life): Promise<void> {
  const run = await sandbox.run(['/opt/drowse/commands/snapshot-etcd.sh', '--reason', 'manual']);
  expect(run.code).toBe(0);
  state.objects = Object.fromEntries(
    Object.entries(state.objects).map(([key, body]) => [key.replace(/\/.*-manual\//, '/some/'), body]),
  );
}

/** The only seat comes back with a blank volume: it refuses to go on by itself. */
export async function loseVolume(seat: Life, options: RunOptions): Promise<void> {
  seat.sandbox.removePath('test/volume');
  mkdirSync(join(seat.sandbox.root, 'test/volume'));
  seat.sandbox.reboot();
  const run = await seat.boot(options);
  expect({ code: run.code, phase: seat.state.phases.at(-1) }).toEqual({ code: 1, phase: 'failed:state-lost' });
}
