import { phaseOf } from '../record/phases';
import { refusalsIn } from './refusals';
import { classOf, type FailureClass } from './failure-classes';

/**
 * What each error means, as a sentence for news. The error's own message is not told there: it may carry what a node has written. The
 * record has it, and whoever may read that.
 */
export const ERROR_IN_WORDS: Readonly<Record<string, string>> = {
  ApiNotReady: 'The Kubernetes API did not answer in time',
  AppNotReachable: 'Nobody could reach the app from outside',
  AwsUnavailable: 'AWS did not answer, or had too much to do',
  CertificateExpired: 'The certificate of the app has expired',
  CertificateNotValid: 'Browsers would refuse the certificate of the app',
  ClusterBusy: 'Another workflow has the cluster',
  CommandFailed: 'A command on a seat failed',
  CommandInProgress: 'A command on a seat did not end in time',
  ElasticIpNotInPlace: 'The Elastic IP did not come to its node in time',
  InstanceNotRunning: 'An instance that was needed does not run',
  InstancesNotStarted: 'Instances that were stopped did not start in time',
  InstancesStillThere: 'Instances did not end in time',
  InvalidEnvironment: 'A function was deployed without what it needs',
  InvalidInput: 'A step got what it cannot read',
  InvalidWebhook: 'The address of a webhook is not one',
  LaunchRefused: 'AWS refuses to launch an instance',
  LaunchesHeld: 'A group launches nothing more, since too many of its nodes failed',
  LaunchesPending: 'AWS did not launch what was ordered in time',
  LeaseLost: 'Another workflow took the cluster over',
  LoadBalancerStillThere: 'The load balancer did not go in time',
  NodeFailed: 'A node gave up on its way',
  NodeNotReady: 'A node was not ready in time',
  NodesNotReady: 'Nodes were not ready in time',
  NoticeNotSent: 'A webhook did not take a notice',
  OppositeUnderWay: 'The opposite workflow did not end in time',
  PlatformNotReady: 'The platform was not ready in time',
  PrerequisiteMissing: 'Something is missing that a wake needs',
  RestoreRefused: 'The snapshot was not restored, since something spoke against it',
  SnapshotNotVerified: 'What was saved of etcd could not be verified',
  SnapshotsNotPruned: 'Old snapshots could not be deleted',
  StillBillable: 'Something that is billed is left',
  TokenWanted: 'A node needs another join token',
};

/** What an error that is AWS's own, or nobody's, can mean. */
const OF_A_CLASS: Readonly<Record<FailureClass, string>> = {
  retryable: 'AWS did not answer in time',
  configuration: 'AWS refused a call, or did not find what it was about',
  'needs-a-person': 'Something happened that nobody has foreseen',
};

/** Error names are short words; what is none came from elsewhere. */
const NAME = /^[A-Za-z][\w.]{0,79}$/;

/**
 * An error in words out of lists, with its name: nothing that anybody wrote freely.
 * @param cause its message, of which only reasons are told by which nodes give up
 */
export function errorInWords(error: string, cause = ''): string {
  const said = [...new Set(cause.match(/\bfailed:[a-z-]+/g))].filter((word) => phaseOf(word) === word);
  const words = [ERROR_IN_WORDS[error] ?? OF_A_CLASS[classOf(error)], ...(said.length > 0 ? [said.join(', ')] : [])];
  return NAME.test(error) ? `${words.join(': ')} (${error})` : words.join(': ');
}

/** A failure's cause as news tell it: the error in words, and what helps where AWS has refused a launch. */
export function causeInWords(error: string, cause: string): string {
  const refused = refusalsIn(cause).map(({ words, remedy }) => `AWS says: ${words}. ${remedy}`);
  return [`${errorInWords(error, cause)}.`, ...refused].join(' ');
}
