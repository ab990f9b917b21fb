/** What an error asks for: patience, a person, or another deployment. */
export type FailureClass = 'retryable' | 'needs-a-person' | 'configuration';

/** Each class as `docs/runbook.md` and notifications say it; a test holds the entries of the runbook to this table. */
export const CLASS_IN_WORDS: Readonly<Record<FailureClass, string>> = {
  retryable: 'Passes by itself',
  'needs-a-person': 'Needs a person',
  configuration: 'Configuration',
};

/** The class of every error that a step or workflow ends with. */
export const CLASS_OF: Readonly<Record<string, FailureClass>> = {
  ApiNotReady: 'retryable',
  AppNotReachable: 'retryable',
  AwsUnavailable: 'retryable',
  CertificateExpired: 'retryable',
  CertificateNotValid: 'retryable',
  ClusterBusy: 'needs-a-person',
  CommandFailed: 'needs-a-person',
  CommandInProgress: 'retryable',
  ElasticIpNotInPlace: 'retryable',
  InstanceNotRunning: 'retryable',
  InstancesNotStarted: 'retryable',
  InstancesStillThere: 'retryable',
  InvalidEnvironment: 'configuration',
  InvalidInput: 'configuration',
  InvalidWebhook: 'configuration',
  LaunchRefused: 'needs-a-person',
  LaunchesHeld: 'needs-a-person',
  LaunchesPending: 'retryable',
  LeaseLost: 'needs-a-person',
  LoadBalancerStillThere: 'retryable',
  NodeFailed: 'needs-a-person',
  NodeNotReady: 'retryable',
  NodesNotReady: 'retryable',
  NoticeNotSent: 'retryable',
  OppositeUnderWay: 'retryable',
  PlatformNotReady: 'retryable',
  PrerequisiteMissing: 'configuration',
  RestoreRefused: 'needs-a-person',
  SnapshotNotVerified: 'needs-a-person',
  SnapshotsNotPruned: 'configuration',
  StillBillable: 'needs-a-person',
  TokenWanted: 'retryable',
};

/** Errors of AWS's own, by their codes. */
const OF_AWS: readonly [code: RegExp, is: FailureClass][] = [
  [/^(Sandbox\.Timedout|States\.Timeout|Lambda\.|Runtime\.|StepFunctions\.|ExecutionAborted$)/, 'retryable'],
  [/AccessDenied|UnauthorizedOperation|NotAuthorized|ValidationE|NotFound|DoesNotExist/, 'configuration'],
];

/** The class of an error by its name; what nobody has classed needs a person. */
export function classOf(error: string): FailureClass {
  return CLASS_OF[error] ?? OF_AWS.find(([code]) => code.test(error))?.[1] ?? 'needs-a-person';
}
