/**
 * Prices in USD beside those of instances (instance-price.ts): of us-east-1, from secondary sources; public addresses cost the same everywhere, load balancers and disks up to about 70 % more elsewhere.
 */

/** Hours in the month that AWS bills by. */
export const HOURS_PER_MONTH = 730;

/** USD per hour of a network load balancer, without its capacity units. */
export const LOAD_BALANCER_PER_HOUR = 0.0225;
/** USD per hour of a public IPv4 address, attached or idle. */
export const PUBLIC_IPV4_PER_HOUR = 0.005;
/** USD per GiB-month of gp3. */
export const GP3_PER_GIB_MONTH = 0.08;
/** USD per GB-month of S3 Standard. */
export const S3_PER_GB_MONTH = 0.023;

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
/** By CloudFront in price class 100, beyond 1 TB and ten million requests a month. Source: CloudFront pricing, 2026-11. */
export const CLOUDFRONT_GB = 0.085;
export const CLOUDFRONT_REQUEST = 1 / 1e6;
/** USD per month and dashboard; three with up to fifty metrics are free in an account. Source: CloudWatch pricing, 2026-11. */
export const DASHBOARD_PER_MONTH = 3;
/** USD per month and custom metric of CloudWatch, billed for the hours in which it has values; ten are free. */
export const METRIC_PER_MONTH = 0.3;
/** USD per call that sends metrics; a million a month are free. */
export const METRIC_CALL = 0.01 / 1000;
/** Per GB taken in by CloudWatch Logs. */
export const LOG_GB = 0.5;
