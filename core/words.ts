import { classOf, type FailureClass } from './decisions/failure-classes';
import { isTriedAgain } from './decisions/look-after';
import { type FailureRecord, STATES_OF } from './record/cluster-record';
import type { ClusterState } from './record/contracts';

/** The workflows' steps as people who have never seen the console read them; one that is not here is not shown. */
export const STEP_IN_WORDS: Readonly<Record<string, string>> = {
  CheckTrigger: 'Check the request',
  AcquireLease: 'Wait for its turn',
  CheckPrerequisites: 'Check what is needed',
  StartSeats: 'Start the control plane',
  WaitForApi: 'Wait for the control plane',
  InstallNetwork: 'Set up the network',
  StartPools: 'Order the machines',
  SeekCapacity: 'Look for free machines',
  CreateLoadBalancer: 'Open the operators’ door',
  MintJoinTokens: 'Let the machines in',
  WaitForNodes: 'Wait for the machines',
  VerifyElasticIp: 'Connect the address',
  RecoverPools: 'Look after missing machines',
  InstallPlatform: 'Start the platform and the app',
  ReconcilePlatform: 'Start the platform and the app',
  ProbeApp: 'See whether the app answers',
  RecordSizes: 'Note how large it is',
  DrainNodes: 'Let running work finish',
  SnapshotEtcd: 'Save the cluster’s state',
  VerifySnapshot: 'Check what was saved',
  StopPools: 'End the machines',
  DeleteStaleNodes: 'Tidy up',
  StopSeats: 'End the control plane',
  DeleteLoadBalancer: 'Close the operators’ door',
  DeleteJoinTokens: 'Withdraw old keys',
  VerifyAsleep: 'Check that nothing is billed',
  RecordDurations: 'Note how long it took',
  RecordSuccess: 'Tell that it is done',
};

/** A state as a headline. */
export const STATE_IN_WORDS: Readonly<Record<ClusterState, string>> = {
  asleep: 'Asleep',
  waking: 'Waking up',
  awake: 'Awake',
  'awake-degraded': 'Awake, but not whole',
  sleeping: 'Going to sleep',
  'sleep-failed': 'Could not go to sleep',
  'wake-failed': 'Could not wake up',
};

/** What whoever waits can expect of what is tried again. */
const TRIED_AGAIN =
  'It is tried again by itself within minutes. Where that does not help, whoever runs the cluster is told what to do.';
/** What whoever waits can expect of any other error, by its class. */
const CLASS_ADVICE: Readonly<Record<FailureClass, string>> = {
  retryable: 'It was tried for a while. Such a fault often passes by itself: try again in a few minutes.',
  'needs-a-person': 'Trying again alone will hardly help. Whoever runs the cluster has been told what to do.',
  configuration: 'Something is set up wrong. Whoever runs the cluster has been told what to do.',
};

/**
 * Where a workflow failed, and what whoever waits can expect. The words of the error itself may come from a node, or name what is
 * nobody's business: they stay in the log.
 */
export function failureInWords({ workflow, step, error, cause, class: is = classOf(error) }: FailureRecord): {
  step: string;
  advice: string;
} {
  const again = STATES_OF[workflow].failed !== undefined && isTriedAgain({ error, cause });
  return { step: STEP_IN_WORDS[step] ?? step, advice: again ? TRIED_AGAIN : CLASS_ADVICE[is] };
}

/** What the name of an identity may show to others: no account, no path. */
const IDENTITY = /^(?:api|cli):(?:arn:[^/]*\/(?:.*\/)?)?(.+)$/;

/** Who asked for something, in a few words, without names of machines: `ann`, `schedule nights`, `nobody used it`, `drowse itself`. */
export function whoAsked(requestedBy: string): string {
  const [, kind = '', name = ''] = /^(schedule|catch-up|idle|capacity|link):(.*)$/s.exec(requestedBy) ?? [];
  if (kind === 'link') return name;
  if (kind === 'idle') return 'nobody used it';
  if (kind === 'capacity') return 'machines came free';
  if (kind !== '') return `schedule ${name}`;
  // What look-after found amiss comes behind it, and is the operators' to read.
  if (/^look-after(:|$)/.test(requestedBy)) return 'drowse itself';
  return IDENTITY.exec(requestedBy)?.[1] ?? requestedBy;
}
