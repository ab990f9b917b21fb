/**
 * Errors that more than one step throws. Each sets `name` as a literal: minification renames classes, and the state
 * machines match errors by name. A step's own errors are exported by its handler.
 */

/** The step was called with an input that does not fit its schema: a mistake in a state machine, never retried. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
}

/** The function's environment does not fit its schema: a mistake in the stack, never retried. */
export class InvalidEnvironment extends Error {
  override readonly name = 'InvalidEnvironment';
}

/** The lease was lost to another workflow: this one must not touch the cluster any more. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** Instances that must go are still there; retried until the bound. */
export class InstancesStillThere extends Error {
  override readonly name = 'InstancesStillThere';
}

/** A Run Command is still under way; retried until the bound. */
export class CommandInProgress extends Error {
  override readonly name = 'CommandInProgress';
}

/** A Run Command ended without success. The message carries the name of the command's own error. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  constructor(
    message: string,
    /** Name of the error that the script gave, if it came to that: `PlatformNotReady`, `SnapshotCorrupt`, … */
    readonly reason?: string,
  ) {
    super(message);
  }
}

/** No control-plane seat is ready to run a command; retried until the bound. */
export class ApiNotReady extends Error {
  override readonly name = 'ApiNotReady';
}

/** The instance does not run, yet or any more; an address can only be given to one that does. */
export class InstanceNotRunning extends Error {
  override readonly name = 'InstanceNotRunning';
}

/** A snapshot set in the bucket is not whole, or not what it says it is. */
export class SnapshotNotVerified extends Error {
  override readonly name = 'SnapshotNotVerified';
}

/** A node reported `failed:<reason>`, or its instance is gone. */
export class NodeFailed extends Error {
  override readonly name = 'NodeFailed';
}

/** AWS refuses to launch what the cluster cannot do without, and no waiting cures it. The message says what does. */
export class LaunchRefused extends Error {
  override readonly name = 'LaunchRefused';
}

/** The load balancer was told to go, and is still listed; retried until the bound. */
export class LoadBalancerStillThere extends Error {
  override readonly name = 'LoadBalancerStillThere';
}

/** The app does not answer as it should from outside; retried until the bound. */
export class AppNotReachable extends Error {
  override readonly name = 'AppNotReachable';
}

/** The app's certificate has expired, most often during a long sleep. */
export class CertificateExpired extends Error {
  override readonly name = 'CertificateExpired';
}

/** The app's certificate is not what browsers accept. */
export class CertificateNotValid extends Error {
  override readonly name = 'CertificateNotValid';
}

/** AWS itself failed or throttled, longer than the SDK's own retries last: a passing thing, retried with patience. */
export class AwsUnavailable extends Error {
  override readonly name = 'AwsUnavailable';
}
