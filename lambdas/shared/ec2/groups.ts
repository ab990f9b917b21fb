import {
  type AutoScalingClient,
  type AutoScalingGroup,
  type InstancesDistribution,
  paginateDescribeAutoScalingGroups,
} from '@aws-sdk/client-auto-scaling';
import { TAG } from '../../../core/config/names';
import type { GroupSize } from '../../../core/record/contracts';

/** An instance as its group sees it. */
export interface GroupInstance {
  id: string;
  /** State of Auto Scaling's own: `Pending:Wait`, `InService`, `Standby`, `Terminating`, … */
  lifecycle: string;
}

/** An Auto Scaling group of the cluster: a control-plane seat or a pool. */
export interface Group {
  name: string;
  role: 'seat' | 'pool';
  /** Index of the seat; undefined for a pool. */
  seat: string | undefined;
  /** Name of the pool; undefined for a seat. */
  pool: string | undefined;
  /** True if its node carries the Elastic IP. */
  ingress: boolean;
  /** True if its nodes carry GPUs. */
  gpu: boolean;
  /** Instance types in order of preference. */
  instanceTypes: string[];
  /** Zones that it launches in. */
  zones: string[];
  /** How it buys capacity; seats are on demand. */
  market: 'spot' | 'on-demand' | 'spot-with-fallback';
  /** How it divides what it buys between the markets by now. */
  distribution: InstancesDistribution;
  /** Auto Scaling's processes that are held, for example `Launch`. */
  suspended: string[];
  /** What sleep does to its nodes. */
  sleep: 'terminate' | 'stop';
  /** Sizes from `cluster.yaml`. */
  configured: GroupSize;
  /** Sizes that AWS works by now. */
  current: GroupSize;
  instances: GroupInstance[];
  launchTemplate: { id: string; version: string } | undefined;
}

/**
 * The groups of a cluster, found by tag: no topology is copied into environments, so a change to one pool touches
 * nothing else.
 */
export async function describeGroups(client: AutoScalingClient, cluster: string): Promise<Group[]> {
  const groups: Group[] = [];
  const filter = { Filters: [{ Name: `tag:${TAG.cluster}`, Values: [cluster] }] };
  for await (const page of paginateDescribeAutoScalingGroups({ client }, filter)) {
    groups.push(...(page.AutoScalingGroups ?? []).map(toGroup));
  }
  return groups.sort((a, b) => a.name.localeCompare(b.name));
}

/** The groups of one role. */
export async function describeGroupsOf(
  client: AutoScalingClient,
  cluster: string,
  role: Group['role'],
): Promise<Group[]> {
  return (await describeGroups(client, cluster)).filter((group) => group.role === role);
}

const MARKETS = ['spot', 'on-demand', 'spot-with-fallback'] as const;

function toGroup(group: AutoScalingGroup): Group {
  const tags = new Map((group.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
  const size = (key: string) => Number(tags.get(key) ?? 0);
  const template =
    group.LaunchTemplate ?? group.MixedInstancesPolicy?.LaunchTemplate?.LaunchTemplateSpecification ?? undefined;
  return {
    name: group.AutoScalingGroupName ?? '',
    role: tags.get(TAG.role) === 'seat' ? 'seat' : 'pool',
    seat: tags.get(TAG.seat),
    pool: tags.get(TAG.pool),
    ingress: tags.get(TAG.ingress) === 'true',
    gpu: tags.get(TAG.gpu) === 'true',
    instanceTypes: (group.MixedInstancesPolicy?.LaunchTemplate?.Overrides ?? []).flatMap(({ InstanceType }) =>
      InstanceType === undefined ? [] : [InstanceType],
    ),
    zones: group.AvailabilityZones ?? [],
    market: MARKETS.find((market) => market === tags.get(TAG.market)) ?? 'on-demand',
    distribution: group.MixedInstancesPolicy?.InstancesDistribution ?? {},
    suspended: (group.SuspendedProcesses ?? []).flatMap(({ ProcessName }) => ProcessName ?? []),
    sleep: tags.get(TAG.sleep) === 'stop' ? 'stop' : 'terminate',
    configured: { min: size(TAG.min), desired: size(TAG.desired), max: size(TAG.max) },
    current: { min: group.MinSize ?? 0, desired: group.DesiredCapacity ?? 0, max: group.MaxSize ?? 0 },
    instances: (group.Instances ?? []).map(({ InstanceId, LifecycleState }) => ({
      id: InstanceId ?? '',
      lifecycle: LifecycleState ?? '',
    })),
    launchTemplate: template?.LaunchTemplateId
      ? { id: template.LaunchTemplateId, version: template.Version ?? '$Default' }
      : undefined,
  };
}
