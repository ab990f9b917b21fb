import { type FailureRecord, STATES_OF, type Wanted } from '../../../core/record/cluster-record';
import type { ClusterState, Leased } from '../../../core/record/contracts';
import { isTriedAgain } from '../../../core/decisions/look-after';
import { CLASS_IN_WORDS, type FailureClass } from '../../../core/decisions/failure-classes';
import type { Pointers } from './failures';
import { inWords, type Notification } from './notify';
import { causeInWords } from '../../../core/decisions/error-words';

/** What the reader should expect of a sleep or wake that is tried again. */
const TRIED_AGAIN: Readonly<Record<FailureClass, string>> = {
  retryable: 'it is tried again by itself within minutes',
  'needs-a-person': 'it is tried again by itself within minutes, which may not help: you hear of it then',
  configuration: '',
};
/** What the reader should expect of an error of each class. */
const ADVICE: Readonly<Record<FailureClass, string>> = {
  retryable: 'it was retried for as long as it made sense; start the workflow again',
  'needs-a-person': 'starting again alone will not help',
  configuration: 'something deployed is not as it should be',
};

/**
 * By what a failure is told once. Of a sleep or wake that is tried again only the first failure is news: whoever asked for
 * it hears again when it has ended well, or when nobody tries any more.
 */
export function failureId(
  { workflow, error, cause, execution }: Pick<FailureRecord, 'workflow' | 'error' | 'cause' | 'execution'>,
  wanted: Wanted | undefined,
): string {
  const isRetried = STATES_OF[workflow].failed !== undefined && isTriedAgain({ error, cause });
  return `${isRetried && wanted ? wanted.since : execution}#failed`;
}

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
  const { workflow, step, error, cause, runbook, class: is } = failure;
  const took = inWords(now - Date.parse(leased.startedAt));
  const advice = state !== undefined && isTriedAgain({ error, cause }) ? TRIED_AGAIN : ADVICE;
  return {
    subject: `${cluster}: ${workflow} failed at ${step} (${error})`,
    text: [
      `${workflow} of cluster ${cluster}, asked for by ${leased.requestedBy}, failed at ${step} after ${took}.`,
      causeInWords(error, cause),
      `${CLASS_IN_WORDS[is]}: ${advice[is]}. What to do: ${runbook}`,
      ...(state === undefined ? [] : [`The cluster is ${state}: sleep and wake can both start from here.`]),
      ...(cost === undefined ? [] : [`What runs goes on being billed. ${cost}`]),
      detailsIn(failure),
    ].join('\n\n'),
  };
}

/** Where the failure's own message stands, which news do not carry. */
export function detailsIn({ log, execution }: { log?: string | undefined; execution: string }): string {
  return ['The details: drowse status', ...(log === undefined ? [] : [`Log: ${log}`]), `Execution: ${execution}`].join(
    '\n',
  );
}
