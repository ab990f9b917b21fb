import type { EC2Client } from '@aws-sdk/client-ec2';
import { HOURS_PER_MONTH, PUBLIC_IPV4_PER_HOUR } from '../../../core/cost/prices';
import { describeNodes, LIVE_STATES } from './instances';
import { logger } from '../clients/logger';

/** Nobody waits longer for the figure (ms): the news are worth more. */
const PATIENCE_MS = 5_000;

/**
 * What the cluster costs as it is now, in a sentence for people: instances at list prices, each with its address.
 * Undefined if AWS does not tell what runs: news go out without.
 * @param prices USD an hour by instance type; of a type that is not there the sum lacks what it costs, and says so
 */
export async function describeRunningCost(
  ec2: EC2Client,
  cluster: string,
  prices: Readonly<Record<string, number>>,
): Promise<string | undefined> {
  try {
    const nodes = await within(PATIENCE_MS, describeNodes(ec2, cluster, LIVE_STATES));
    if (nodes.length === 0) {
      const perMonth = dollars(PUBLIC_IPV4_PER_HOUR * HOURS_PER_MONTH);
      return `No instance runs. The Elastic IP costs ${perMonth} a month, and disks and snapshots by the gigabyte.`;
    }
    const perHour = nodes.reduce((sum, { type }) => sum + PUBLIC_IPV4_PER_HOUR + (prices[type] ?? 0), 0);
    const unknown = [...new Set(nodes.map(({ type }) => type).filter((type) => prices[type] === undefined))];
    const count = nodes.length === 1 ? '1 instance runs' : `${nodes.length} instances run`;
    if (unknown.length === 0) {
      return `${count}, for about ${dollars(perHour)} an hour (on-demand prices of the region; spot costs less).`;
    }
    return `${count}, for at least ${dollars(perHour)} an hour: what ${unknown.join(', ')} costs here is not known, and comes on top.`;
  } catch (error) {
    logger.warn('Cost not known', error as Error);
    return undefined;
  }
}

/** @throws Late after so many milliseconds */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Late(`No answer within ${ms} ms`)), ms);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Not an error of any step: caught above. */
class Late extends Error {
  override readonly name = 'Late';
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}
