import { LAMBDA_GB, NO_USAGE, times, type Usage } from './orchestration';

const DAYS_A_MONTH = 365 / 12;
/** Of a sleep and a wake of the schedules: the announcement, and each end. */
const NOTICES_A_PAIR = 3;
/** How long a post to one webhook takes (s), with room: five seconds is all that its function waits. */
const POST_SECONDS = 1;

/** One notice: an e-mail, its two writes of the outbox (a whole item of at most 4 KB each), and its posts to webhooks. */
function notice(webhooks: number): Usage {
  return {
    ...NO_USAGE,
    emails: 1,
    dynamoWrites: 2 * 4,
    lambdaRequests: webhooks > 0 ? 1 : 0,
    lambdaGbSeconds: webhooks * POST_SECONDS * LAMBDA_GB,
  };
}

/**
 * What the page, its links, the notices and the waiting page use in a month in which nobody opens or presses anything: the notices
 * alone. Everything else of them is billed by request.
 */
export function noticesOfMonth({ pairsADay, webhooks }: { pairsADay: number; webhooks: number }): Usage {
  return times(DAYS_A_MONTH * pairsADay * NOTICES_A_PAIR, notice(webhooks));
}
