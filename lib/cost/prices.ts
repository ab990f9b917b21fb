/**
 * Prices of us-east-1 in USD, on demand. Sources: AWS's public price pages as repeated by Karpenter's generated price
 * table (2026-07-20) for instances; secondary sources for the rest. Other regions differ by up to about 40 %.
 */

/** Hours in the month that AWS bills by. */
export const HOURS_PER_MONTH = 730;

/** USD per hour, on demand, Linux. A type that is not here is reported as unknown, never as free. */
export const INSTANCE_PER_HOUR: Readonly<Record<string, number>> = {
  't3.small': 0.0208,
  't3.medium': 0.0416,
  't3.large': 0.0832,
  't3.xlarge': 0.1664,
  't3a.medium': 0.0376,
  't3a.large': 0.0752,
  'm5.large': 0.096,
  'm5.xlarge': 0.192,
  'm5.2xlarge': 0.384,
  'm6i.large': 0.096,
  'c5.large': 0.085,
  'c5.xlarge': 0.17,
  'c5.2xlarge': 0.34,
  'c5.4xlarge': 0.68,
  'g4dn.xlarge': 0.526,
  'g4dn.2xlarge': 0.752,
  'g4dn.4xlarge': 1.204,
  'g5.xlarge': 1.006,
  'g5.2xlarge': 1.212,
  'g6.xlarge': 0.8048,
};

/** USD per hour of a network load balancer, without its capacity units. */
export const LOAD_BALANCER_PER_HOUR = 0.0225;
/** USD per hour of a public IPv4 address, attached or idle. */
export const PUBLIC_IPV4_PER_HOUR = 0.005;
/** USD per GiB-month of gp3. */
export const GP3_PER_GIB_MONTH = 0.08;

/**
 * What the orchestration is billed by, us-east-1, beyond what is free each month. Sources: the price pages of the
 * services as repeated by secondary sources in 2025 and 2026 (DynamoDB after its reduction of November 2024); Step
 * Functions is unconfirmed, and so the first to look at if the bill says otherwise.
 */
export const STATE_TRANSITION = 0.025 / 1000;
export const LAMBDA_REQUEST = 0.2 / 1e6;
/** Per GB-second on arm64. */
export const LAMBDA_GB_SECOND = 0.0000133334;
/** On demand, per unit: 1 KB written, or 4 KB read consistently. */
export const DYNAMODB_WRITE = 0.625 / 1e6;
export const DYNAMODB_READ = 0.125 / 1e6;
export const HTTP_API_REQUEST = 1 / 1e6;
export const SCHEDULER_INVOCATION = 1 / 1e6;
/** An e-mail by SNS. */
export const NOTIFICATION_EMAIL = 2 / 1e5;
/** Per GB taken in by CloudWatch Logs. */
export const LOG_GB = 0.5;
