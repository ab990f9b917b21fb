import type { SFNClient } from '@aws-sdk/client-sfn';
import type * as z from 'zod';
import { stepFunctions } from '../shared/clients';
import { type ClusterStore, STATES_OF } from '../shared/cluster-store';
import { failure, leased } from '../shared/contracts';
import { clusterStore } from '../shared/deps';
import { findFailedState, readFailure } from '../shared/failures';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.extend({ failure });

interface Deps {
  cluster: string;
  store: ClusterStore;
  sfn: SFNClient;
}

/** What the Fail state ends the execution with. */
interface Failed {
  Error: string;
  Cause: string;
  step: string;
}

/**
 * Ends a workflow badly, in the one place where all failures meet: which step, what error, why; the lease free, so
 * that the next workflow can start from whatever is there. A child under its parent's lease leaves that to its parent.
 */
export const recordFailure =
  ({ cluster, store, sfn }: Deps) =>
  async ({ execution, lease, workflow, failure }: z.output<typeof input>): Promise<Failed> => {
    const { error, cause } = readFailure(failure);
    const step = (await findFailedState(sfn, cluster, execution, failure.Error)) ?? workflow;
    if (lease === execution) {
      const runbook = `docs/runbook.md#${error.toLowerCase().replaceAll('.', '')}`;
      const record = { workflow, step, error, cause, execution, runbook };
      await store.recordFailure(execution, STATES_OF[workflow].failed, record);
    }
    return { Error: error, Cause: `${step}: ${cause}`, step };
  };

export const handler = step(
  {
    name: 'record-failure',
    input,
    env,
    deps: (env) => ({ cluster: env.CLUSTER_NAME, store: clusterStore(env), sfn: stepFunctions() }),
    renewsLease: false,
  },
  recordFailure,
);
