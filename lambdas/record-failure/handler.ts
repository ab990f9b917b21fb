import type * as z from 'zod';
import { ec2 } from '../shared/clients/clients';
import { STATES_OF } from '../../core/record/cluster-record';
import { failure, leased } from '../../core/record/contracts';
import { type FailureDeps, failureDeps } from '../shared/step/deps';
import { findFailedState, readFailure, toRecord } from '../shared/news/failures';
import { tellFailure, type TellFailureDeps } from '../shared/news/tell-failure';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.extend({ failure });

/** What the Fail state ends the execution with. */
interface Failed {
  Error: string;
  Cause: string;
  step: string;
}

/**
 * Ends a workflow badly, in the one place where all failures meet: which step, what error, why; the lease free, so
 * that the next workflow can start from whatever is there; and somebody told. A child under its parent's lease leaves
 * that to its parent.
 */
export const recordFailure =
  (deps: FailureDeps & TellFailureDeps) =>
  async ({ failure, ...leased }: z.output<typeof input>): Promise<Failed> => {
    const { cluster, store, sfn } = deps;
    const { execution, lease, workflow } = leased;
    const { error, cause } = readFailure(failure);
    const step = (await findFailedState(sfn, cluster, execution, failure.Error)) ?? workflow;
    if (lease === execution) {
      const { failed: state } = STATES_OF[workflow];
      const record = toRecord(cluster, { workflow, step, error, cause, execution });
      await store.recordFailure(execution, state, record);
      await tellFailure(deps, { run: leased, failure: record, state, wanted: (await store.read()).wanted });
    }
    return { Error: error, Cause: `${step}: ${cause}`, step };
  };

export const handler = step(
  {
    name: 'record-failure',
    input,
    env,
    deps: (env) => ({ ...failureDeps(env), ec2: ec2(), prices: env.INSTANCE_PRICES }),
    renewsLease: false,
  },
  recordFailure,
);
