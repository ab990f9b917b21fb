import { type AutoScalingClient, DescribeScalingActivitiesCommand } from '@aws-sdk/client-auto-scaling';

/** By which words scaling activities tell that AWS has nothing to give, or that the account may not have more. */
const SHORTAGES: readonly [pattern: RegExp, reason: string][] = [
  [/InsufficientInstanceCapacity|do not have sufficient|no Spot capacity/i, 'AWS has no capacity'],
  [/MaxSpotInstanceCountExceeded/i, 'the spot quota is used up'],
  [/VcpuLimitExceeded|InstanceLimitExceeded|vCPU capacity/i, 'the vCPU quota is used up'],
];

/** Activities looked at, newest first. */
const ACTIVITIES = 5;

/**
 * Why a group's newest launch failed, if it was for lack of capacity or quota; undefined if it was not, or went well.
 * The group itself goes through its instance types and markets, and tries again for as long as its size asks for it.
 */
export async function describeShortage(client: AutoScalingClient, group: string): Promise<string | undefined> {
  const { Activities = [] } = await client.send(
    new DescribeScalingActivitiesCommand({ AutoScalingGroupName: group, MaxRecords: ACTIVITIES }),
  );
  const newest = Activities.find(({ StatusCode }) => StatusCode === 'Failed' || StatusCode === 'Successful');
  if (newest?.StatusCode !== 'Failed') return undefined;
  const { StatusMessage = '' } = newest;
  const [, reason] = SHORTAGES.find(([pattern]) => pattern.test(StatusMessage)) ?? [];
  return reason === undefined ? undefined : `${reason}: ${StatusMessage}`;
}
