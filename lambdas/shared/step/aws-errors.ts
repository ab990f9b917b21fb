import { AwsUnavailable } from './errors';

/** Error codes by which services say "too much", "not now" or "at work on that already", beside those that carry a status of 5xx. */
const PASSING =
  /^(Throttl|RequestThrottl|RequestLimitExceeded|TooManyRequests|ProvisionedThroughput|SlowDown|Internal(Error|Failure|Server)|ServiceUnavailable|Unavailable$|TimeoutError$|RequestTimeout|NetworkingError$|ScalingActivityInProgress|ResourceContention)/;

/**
 * What a step throws for an error that came from AWS: `AwsUnavailable` for a fault or throttling that will pass,
 * anything else as it is.
 */
export function toStepError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { $fault, $metadata } = error as Error & { $fault?: unknown; $metadata?: { httpStatusCode?: number } };
  const passing = $fault === 'server' || ($metadata?.httpStatusCode ?? 0) >= 500 || PASSING.test(error.name);
  return passing ? new AwsUnavailable(`${error.name}: ${error.message}`, { cause: error }) : error;
}
