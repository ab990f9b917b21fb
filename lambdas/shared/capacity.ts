import {
  type AutoScalingClient,
  DescribeScalingActivitiesCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import type { Group } from './groups';

/** By which words scaling activities tell that AWS has nothing to give, or that the account may not have more. */
const SHORTAGES: readonly [pattern: RegExp, reason: string][] = [
  [/MaxSpotInstanceCountExceeded|Max spot instance count exceeded/i, 'the spot quota is used up'],
  [/VcpuLimitExceeded|InstanceLimitExceeded|vCPU capacity/i, 'the vCPU quota is used up'],
  [
    /InsufficientInstanceCapacity|UnfulfillableCapacity|do not have sufficient|no Spot capacity/i,
    'AWS has no capacity',
  ],
];

/** Activities looked at, newest first. */
const ACTIVITIES = 5;

/** Why a group gets no instance. */
export interface Shortage {
  /** In our words and AWS's. */
  reason: string;
  /** True if the group has another market to try, or has not tried it yet. */
  triesOn: boolean;
}

/**
 * Why a group's newest launch failed, if it was for lack of capacity or quota; undefined if it was not, or went well.
 * The group itself goes through its instance types, and tries again for as long as its size asks for it. From spot to
 * on-demand it must be told (docs/adr/spot-with-fallback.md), which is done here, where the lack is seen.
 */
export async function seekCapacity(client: AutoScalingClient, group: Group): Promise<Shortage | undefined> {
  const { Activities = [] } = await client.send(
    new DescribeScalingActivitiesCommand({ AutoScalingGroupName: group.name, MaxRecords: ACTIVITIES }),
  );
  const newest = Activities.find(({ StatusCode }) => StatusCode === 'Failed' || StatusCode === 'Successful');
  if (newest?.StatusCode !== 'Failed') return undefined;
  const { StatusMessage = '' } = newest;
  const [, words] = SHORTAGES.find(([pattern]) => pattern.test(StatusMessage)) ?? [];
  if (words === undefined) return undefined;
  const reason = `${words}: ${StatusMessage}`;
  if (group.market !== 'spot-with-fallback') return { reason, triesOn: false };
  if (onDemandPercent(group) === 100) return { reason, triesOn: /spot/i.test(StatusMessage) };
  const refusal = await setOnDemandPercent(client, group, 100);
  return refusal === undefined
    ? { reason: `${reason}; on-demand is tried`, triesOn: true }
    : { reason: `${reason}; on-demand could not be tried: ${refusal}`, triesOn: false };
}

/** Share of what a group launches that it buys on demand (%). */
export function onDemandPercent({ distribution }: Group): number {
  return distribution.OnDemandPercentageAboveBaseCapacity ?? 100;
}

/**
 * Divides what a group buys anew. The rest of its distribution is repeated, since AWS does not say whether it would
 * keep it; the launch template is left out: whoever names one must be allowed to run instances.
 * @returns what the caller may not do, in AWS's words: a group that stays with spot is no reason to fail a wake
 */
export async function setOnDemandPercent(
  client: AutoScalingClient,
  { name, distribution }: Group,
  percent: number,
): Promise<string | undefined> {
  const InstancesDistribution = { ...distribution, OnDemandPercentageAboveBaseCapacity: percent };
  const command = new UpdateAutoScalingGroupCommand({
    AutoScalingGroupName: name,
    MixedInstancesPolicy: { InstancesDistribution },
  });
  try {
    await client.send(command);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && /AccessDenied|UnauthorizedOperation|ValidationError/.test(error.name))) throw error;
    return `${error.name}: ${error.message}`;
  }
}
