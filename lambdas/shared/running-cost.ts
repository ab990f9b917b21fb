import type { EC2Client } from '@aws-sdk/client-ec2';
import { HOURS_PER_MONTH, INSTANCE_PER_HOUR, PUBLIC_IPV4_PER_HOUR } from '../../lib/cost/prices';
import { describeNodes, LIVE_STATES } from './instances';
import { logger } from './logger';

/**
 * What the cluster costs as it is now, in a sentence for people: instances at list prices, each with its address.
 * Undefined if AWS does not tell what runs: news go out without.
 */
export async function describeRunningCost(ec2: EC2Client, cluster: string): Promise<string | undefined> {
  try {
    const nodes = await describeNodes(ec2, cluster, LIVE_STATES);
    if (nodes.length === 0) {
      const perMonth = dollars(PUBLIC_IPV4_PER_HOUR * HOURS_PER_MONTH);
      return `No instance runs. The Elastic IP costs ${perMonth} a month, and disks and snapshots by the gigabyte.`;
    }
    const perHour = nodes.reduce((sum, { type }) => sum + PUBLIC_IPV4_PER_HOUR + (INSTANCE_PER_HOUR[type] ?? 0), 0);
    const unknown = [...new Set(nodes.map(({ type }) => type).filter((type) => !(type in INSTANCE_PER_HOUR)))];
    const without = unknown.length > 0 ? `, without ${unknown.join(', ')}, of which no price is known` : '';
    const count = nodes.length === 1 ? '1 instance runs' : `${nodes.length} instances run`;
    return `${count}, for about ${dollars(perHour)} an hour (on-demand prices of us-east-1; spot costs less)${without}.`;
  } catch (error) {
    logger.warn('Cost not known', error as Error);
    return undefined;
  }
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}
