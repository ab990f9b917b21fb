import {
  DYNAMODB_READ,
  DYNAMODB_WRITE,
  HTTP_API_REQUEST,
  LAMBDA_GB_SECOND,
  LAMBDA_REQUEST,
  LOG_GB,
  NOTIFICATION_EMAIL,
  SCHEDULER_INVOCATION,
  STATE_TRANSITION,
} from './prices';

/** What something used of the services that the orchestration is made of. */
export interface Usage {
  transitions: number;
  lambdaRequests: number;
  lambdaGbSeconds: number;
  /** Units of 1 KB. */
  dynamoWrites: number;
  /** Units of 4 KB. */
  dynamoReads: number;
  apiRequests: number;
  schedulerInvocations: number;
  emails: number;
}

export const NO_USAGE: Usage = {
  transitions: 0,
  lambdaRequests: 0,
  lambdaGbSeconds: 0,
  dynamoWrites: 0,
  dynamoReads: 0,
  apiRequests: 0,
  schedulerInvocations: 0,
  emails: 0,
};

/** Memory of every function (GB). */
export const LAMBDA_GB = 0.25;

/**
 * Log volume (bytes), an estimate: of a transition Step Functions logs about four events with input or output, and a
 * function writes its own line between the service's three.
 */
const LOGGED = { transition: 5_000, lambdaRequest: 1_200 };

/** Usage, so many times over. */
export function times(count: number, usage: Usage): Usage {
  return mapUsage((key) => count * usage[key]);
}

export function sumOf(...usages: Usage[]): Usage {
  return mapUsage((key) => usages.reduce((sum, usage) => sum + usage[key], 0));
}

/** The bill (USD), item by item. Nothing is free in it: what an account has free each month is its own matter. */
export function priceOf(usage: Usage): { items: Record<string, number>; total: number } {
  const logged = usage.transitions * LOGGED.transition + usage.lambdaRequests * LOGGED.lambdaRequest;
  const items = {
    'Step Functions': usage.transitions * STATE_TRANSITION,
    'Lambda requests': usage.lambdaRequests * LAMBDA_REQUEST,
    'Lambda GB-seconds': usage.lambdaGbSeconds * LAMBDA_GB_SECOND,
    DynamoDB: usage.dynamoWrites * DYNAMODB_WRITE + usage.dynamoReads * DYNAMODB_READ,
    'HTTP API': usage.apiRequests * HTTP_API_REQUEST,
    Scheduler: usage.schedulerInvocations * SCHEDULER_INVOCATION,
    'E-mails': usage.emails * NOTIFICATION_EMAIL,
    'Logs (estimate)': (logged / 1e9) * LOG_GB,
  };
  return { items, total: Object.values(items).reduce((sum, usd) => sum + usd, 0) };
}

function mapUsage(value: (key: keyof Usage) => number): Usage {
  return Object.fromEntries(
    (Object.keys(NO_USAGE) as (keyof Usage)[]).map((key) => [key, value(key)]),
  ) as unknown as Usage;
}
