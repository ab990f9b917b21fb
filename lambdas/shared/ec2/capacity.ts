import {
  type Activity,
  type AutoScalingClient,
  DescribeScalingActivitiesCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import type { ClusterStore } from '../record/cluster-store';
import type { Group } from './groups';
import { describeRefusal, isFinal, outcomeOf } from '../../../core/decisions/refusals';

/** Activities looked at, newest first. */
const ACTIVITIES = 20;
/** For so long (ms) a refusal from before this workflow is no answer to its own launch. */
const SILENCE_MS = 2 * 60_000;

/** Why a group gets no instance. */
export interface Shortage {
  /** In our words and AWS's. */
  reason: string;
  /** True if the group has another market to try, or has not tried it yet. */
  triesOn: boolean;
  /** True if no waiting cures it. */
  final: boolean;
}

interface Deps {
  autoScaling: AutoScalingClient;
  store: ClusterStore;
  now?: () => number;
}

/**
 * Why a group's newest launch was refused; undefined if it was not, or went well.
 * The group itself goes through its instance types, and tries again for as long as its size asks for it. From spot to
 * on-demand it must be told (docs/adr/spot-with-fallback.md), which is done here, where the refusal is seen: whatever
 * AWS says, the other market may have what this one refuses.
 * @param since when the workflow began to want the group's instances (epoch ms); without it no refusal is final
 */
export async function seekCapacity(deps: Deps, group: Group, since?: number): Promise<Shortage | undefined> {
  const { autoScaling, store, now = Date.now } = deps;
  const { Activities = [] } = await autoScaling.send(
    new DescribeScalingActivitiesCommand({ AutoScalingGroupName: group.name, MaxRecords: ACTIVITIES }),
  );
  const lastLaunch = Activities.findIndex((activity) => outcomeOf(activity) === 'launched');
  const sinceLaunch = Activities.slice(0, lastLaunch < 0 ? undefined : lastLaunch);
  const refused = sinceLaunch.filter((activity) => outcomeOf(activity) === 'refused');
  const [newest] = refused;
  if (!newest) return undefined;
  const reason = describeRefusal(newest.StatusMessage ?? '');
  // After a while it is the best that is known; it is never final then.
  if (since !== undefined && startOf(newest) < since && now() - since < SILENCE_MS) return undefined;
  if (group.market !== 'spot-with-fallback') return { reason, triesOn: false, final: finalSince(since) };
  if (onDemandPercent(group) < 100) return fallBack(deps, group, reason, finalSince(since));
  const fellBackAt = await store.readFallback(group.name);
  const isOfSpot = fellBackAt !== undefined && startOf(newest) < fellBackAt;
  return { reason, triesOn: isOfSpot, final: !isOfSpot && finalSince(fellBackAt ?? since) };

  /** Of the refusals since then. */
  function finalSince(time: number | undefined): boolean {
    if (since === undefined || time === undefined) return false;
    const messages = refused.filter((one) => startOf(one) >= time).map(({ StatusMessage = '' }) => StatusMessage);
    return isFinal(messages, group);
  }
}

/** Has a group buy on demand from now on. A group that may not is left with spot, and AWS's word on that. */
async function fallBack({ autoScaling, store }: Deps, group: Group, reason: string, final: boolean): Promise<Shortage> {
  // Noted first: what was refused before is spot's answer.
  await store.recordFallback(group.name);
  const refusal = await setOnDemandPercent(autoScaling, group, 100);
  return refusal === undefined
    ? { reason: `${reason} On-demand is tried.`, triesOn: true, final: false }
    : { reason: `${reason} On-demand could not be tried: ${refusal}`, triesOn: false, final };
}

function startOf({ StartTime }: Activity): number {
  return StartTime?.getTime() ?? 0;
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
