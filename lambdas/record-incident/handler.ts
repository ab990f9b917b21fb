import type * as z from 'zod';
import { failure, unleased } from '../shared/contracts';
import { type FailureDeps, failureDeps } from '../shared/deps';
import { findFailedState, readFailure, toRecord } from '../shared/failures';
import { notify } from '../shared/notify';
import { step } from '../shared/step';
import { env } from './env';

const input = unleased.extend({ failure });

/**
 * Ends a workflow without a lease badly: the cluster stays what it is, and somebody hears of it. Of snapshots that fail one
 * after the other only the first is told: they come every hour.
 */
export const recordIncident =
  (deps: FailureDeps) =>
  async ({ execution, workflow, failure }: z.output<typeof input>) => {
    const { error, cause } = readFailure(failure);
    const step = (await findFailedState(deps.sfn, deps.cluster, execution, failure.Error)) ?? workflow;
    const record = toRecord(deps.cluster, { workflow, step, error, cause, execution });
    const isNews =
      workflow === 'snapshot-etcd'
        ? await deps.store.recordSnapshotFailure(record)
        : (await deps.store.recordEvent(execution, { what: `${workflow}-failed`, ...record })) && (await isAwake(deps));
    if (isNews) {
      const subject = `${deps.cluster}: ${workflow} failed`;
      await notify(deps.notify, {
        subject,
        text: `${step}: ${error}: ${cause}\n\n${record.runbook}\n${record.log}\n${execution}`,
      });
    }
    return { Error: error, Cause: `${step}: ${cause}`, step };
  };

/** A replacement that nobody waits for any more, since a sleep came, is no news. */
async function isAwake({ store }: FailureDeps): Promise<boolean> {
  const { state } = await store.read();
  return state === 'awake' || state === 'awake-degraded';
}

export const handler = step(
  {
    name: 'record-incident',
    input,
    env,
    deps: failureDeps,
  },
  recordIncident,
);
