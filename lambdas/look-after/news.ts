import { type Decision, MOST_TRIES } from '../../core/decisions/look-after';
import { causeInWords } from '../../core/decisions/error-words';
import type { ClusterRecord } from '../../core/record/cluster-record';
import { detailsIn } from '../shared/news/describe-failure';
import type { Notification } from '../shared/news/notify';

/** How people are told that something could not be put right. */
export function describeGivenUp(
  cluster: string,
  { what, goesOn, action }: Decision,
  { failure, state, wanted }: ClusterRecord,
  cost: string | undefined,
): Notification {
  return {
    subject: `${cluster} needs you: ${what}`,
    text: [
      `Cluster ${cluster} is ${state}, and should be ${wanted?.state ?? state}: ${what}.`,
      action.do === 'wait'
        ? 'Nothing here can help it.'
        : `${String(MOST_TRIES)} tries did not help${goesOn ? '; it is tried on, every 40 minutes' : ', and it is not tried again'}.`,
      ...(failure
        ? [`The last failure: ${failure.workflow} at ${failure.step}. ${causeInWords(failure.error, failure.cause)}`]
        : []),
      `What to do: ${failure?.runbook ?? 'docs/runbook.md#look-after'}`,
      ...(cost === undefined ? [] : [`What runs goes on being billed. ${cost}`]),
      ...(failure ? [detailsIn(failure)] : []),
    ].join('\n\n'),
  };
}
