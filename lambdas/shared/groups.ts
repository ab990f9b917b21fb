import {
  type AutoScalingClient,
  type AutoScalingGroup,
  paginateDescribeAutoScalingGroups,
} from '@aws-sdk/client-auto-scaling';
import { TAG } from '../../lib/config/names';
import type { GroupSize } from './contracts';

/** An Auto Scaling group of the cluster: a control-plane seat or a pool. */
export interface Group {
  name: string;
  role: 'seat' | 'pool';
  /** Name of the pool; undefined for a seat. */
  pool: string | undefined;
  /** True if its node carries the Elastic IP. */
  ingress: boolean;
  /** What sleep does to its nodes. */
  sleep: 'terminate' | 'stop';
  /** Sizes from `cluster.yaml`. */
  configured: GroupSize;
  /** Sizes that AWS works by now. */
  current: GroupSize;
  instanceIds: string[];
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

function toGroup(group: AutoScalingGroup): Group {
  const tags = new Map((group.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
  const size = (key: string) => Number(tags.get(key) ?? 0);
  return {
    name: group.AutoScalingGroupName ?? '',
    role: tags.get(TAG.role) === 'seat' ? 'seat' : 'pool',
    pool: tags.get(TAG.pool),
    ingress: tags.get(TAG.ingress) === 'true',
    sleep: tags.get(TAG.sleep) === 'stop' ? 'stop' : 'terminate',
    configured: { min: size(TAG.min), desired: size(TAG.desired), max: size(TAG.max) },
    current: { min: group.MinSize ?? 0, desired: group.DesiredCapacity ?? 0, max: group.MaxSize ?? 0 },
    instanceIds: (group.Instances ?? []).flatMap(({ InstanceId }) => (InstanceId === undefined ? [] : [InstanceId])),
  };
}
