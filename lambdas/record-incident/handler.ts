import type * as z from 'zod';
import { causeInWords } from '../../core/decisions/error-words';
import { CLASS_IN_WORDS } from '../../core/decisions/failure-classes';
import { intentOf } from '../../core/record/intent';
import { failure, unleased } from '../../core/record/contracts';
import { type FailureDeps, failureDeps } from '../shared/step/deps';
import { findFailedState, readFailure, toRecord } from '../shared/news/failures';
import { detailsIn } from '../shared/news/describe-failure';
import { notify } from '../shared/news/notify';
import { step } from '../shared/step/step';
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
    const known = await deps.store.read();
    const isSnapshot = workflow === 'snapshot-etcd';
    const first = (isSnapshot ? known.snapshotFailure?.first : undefined) ?? execution;
    if (isSnapshot) await deps.store.recordSnapshotFailure({ ...record, first });
    else await deps.store.recordEvent(execution, { what: `${workflow}-failed`, ...record });
    // A replacement that nobody waits for any more, since a sleep came, is no news.
    if (isSnapshot || intentOf(known)?.state === 'awake') {
      await notify(deps.notify, `${first}#failed`, {
        subject: `${deps.cluster}: ${workflow} failed`,
        text: [
          `${workflow} of cluster ${deps.cluster} failed at ${step}. ${causeInWords(error, cause)}`,
          `${CLASS_IN_WORDS[record.class]}. What to do: ${record.runbook}`,
          detailsIn(record),
        ].join('\n\n'),
      });
    }
    return { Error: error, Cause: `${step}: ${cause}`, step };
  };

export const handler = step(
  {
    name: 'record-incident',
    input,
    env,
    deps: failureDeps,
  },
  recordIncident,
);
