import type { EC2Client } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import { ec2 } from '../shared/clients';
import { STATES_OF } from '../shared/cluster-record';
import { failure, leased } from '../shared/contracts';
import { type FailureDeps, failureDeps } from '../shared/deps';
import { findFailedState, readFailure, toRecord } from '../shared/failures';
import { notify } from '../shared/notify';
import { describeRunningCost } from '../shared/running-cost';
import { step } from '../shared/step';
import { env } from './env';
import { describeFailure } from './news';

const input = leased.extend({ failure });

interface Deps extends FailureDeps {
  ec2: EC2Client;
  now?: () => number;
}

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
  ({ cluster, store, sfn, ec2, notify: topic, now = Date.now }: Deps) =>
  async ({ failure, ...leased }: z.output<typeof input>): Promise<Failed> => {
    const { execution, lease, workflow } = leased;
    const { error, cause } = readFailure(failure);
    const step = (await findFailedState(sfn, cluster, execution, failure.Error)) ?? workflow;
    if (lease === execution) {
      const { failed: state } = STATES_OF[workflow];
      const record = toRecord(cluster, { workflow, step, error, cause, execution });
      await store.recordFailure(execution, state, record);
      const cost = await describeRunningCost(ec2, cluster);
      await notify(topic, describeFailure({ cluster, leased, failure: record, state, cost, now: now() }));
    }
    return { Error: error, Cause: `${step}: ${cause}`, step };
  };

export const handler = step(
  {
    name: 'record-failure',
    input,
    env,
    deps: (env) => ({ ...failureDeps(env), ec2: ec2() }),
    renewsLease: false,
  },
  recordFailure,
);
