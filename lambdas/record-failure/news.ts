import type { FailureRecord } from '../shared/cluster-record';
import type { ClusterState, Leased } from '../shared/contracts';
import { CLASS_IN_WORDS, type FailureClass } from '../shared/failure-classes';
import type { Pointers } from '../shared/failures';
import { inWords, type Notification } from '../shared/notify';

/** What the reader should expect of an error of each class. */
const ADVICE: Readonly<Record<FailureClass, string>> = {
  retryable: 'it was retried for as long as it made sense; start the workflow again',
  'needs-a-person': 'starting again alone will not help',
  configuration: 'something deployed is not as it should be',
};

interface Told {
  cluster: string;
  leased: Pick<Leased, 'requestedBy' | 'startedAt'>;
  failure: Pick<FailureRecord, 'workflow' | 'step' | 'error' | 'cause' | 'execution'> & Pointers;
  /** State of the cluster from now on; undefined if it stays as it was. */
  state: ClusterState | undefined;
  /** What runs and costs now, if it is known. */
  cost: string | undefined;
  /** Epoch ms. */
  now: number;
}

/** How people are told of a workflow that failed. */
export function describeFailure({ cluster, leased, failure, state, cost, now }: Told): Notification {
  const { workflow, step, error, cause, execution, log, runbook, class: is } = failure;
  const took = inWords(now - Date.parse(leased.startedAt));
  return {
    subject: `${cluster}: ${workflow} failed at ${step} (${error})`,
    text: [
      `${workflow} of cluster ${cluster}, asked for by ${leased.requestedBy}, failed at ${step} after ${took}.`,
      `${error}: ${cause}`,
      `${CLASS_IN_WORDS[is]}: ${ADVICE[is]}. What to do: ${runbook}`,
      ...(state === undefined ? [] : [`The cluster is ${state}: sleep and wake can both start from here.`]),
      ...(cost === undefined ? [] : [`What runs goes on being billed. ${cost}`]),
      `Log: ${log}\nExecution: ${execution}`,
    ].join('\n\n'),
  };
}
