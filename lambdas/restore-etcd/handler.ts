import * as z from 'zod';
import { leased, restore } from '../../core/record/contracts';
import { runCommandDeps } from '../shared/step/deps';
import { type RunCommandDeps, runOnSeat } from '../shared/commands/run-command';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true, requestedBy: true }).extend({ restore });

const restored = z.object({
  key: z.string(),
  /** Revision of etcd and time of the snapshot: what was written later is lost. */
  revision: z.number(),
  at: z.string(),
  dryRun: z.boolean(),
});

/** A seat that comes up on restored data may take as long as any (its own bound is 20 minutes); trying takes little. */
const SECONDS = { real: 1500, dryRun: 300 };

/**
 * Rebuilds a seat's state from a snapshot, on that seat itself: there is no API that could help. What it replaced, by what,
 * and who wanted it, stays on record.
 */
export const restoreEtcd =
  (deps: RunCommandDeps) =>
  async ({ execution, requestedBy, restore }: z.output<typeof input>) => {
    const { seat, instanceId, key, dryRun, replaces } = restore;
    const done = await runOnSeat(deps, {
      execution,
      command: 'restore-etcd',
      on: instanceId,
      parameters: { Key: key, DryRun: String(dryRun) },
      executionSeconds: dryRun ? SECONDS.dryRun : SECONDS.real,
      result: restored,
    });
    const { revision, at } = done;
    const what = dryRun ? 'restore-rehearsed' : 'restored';
    const event = { what, seat, instance: instanceId, key, revision, snapshotAt: at, replaced: replaces, requestedBy };
    await deps.store.recordEvent(execution, event);
    return { ...done, replaced: replaces };
  };

export const handler = step({ name: 'restore-etcd', input, env, deps: runCommandDeps }, restoreEtcd);
