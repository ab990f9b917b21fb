import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { DescribeAddressesCommand, type EC2Client, paginateDescribeVolumes } from '@aws-sdk/client-ec2';
import { TAG } from '../../lib/config/names';
import { autoScaling, ec2 } from '../shared/clients';
import type { ClusterStore } from '../shared/cluster-store';
import { leased } from '../shared/contracts';
import { clusterStore } from '../shared/deps';
import { describeGroups, type Group } from '../shared/groups';
import { describeImageProblem } from '../shared/images';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/** Something that every wake needs does not exist. */
export class PrerequisiteMissing extends Error {
  override readonly name = 'PrerequisiteMissing';
}

interface Deps {
  cluster: string;
  elasticIpId: string;
  autoScaling: AutoScalingClient;
  ec2: EC2Client;
  store: ClusterStore;
}

/**
 * Looks for what a wake builds upon before it starts anything: better to fail in a second with a list than after
 * minutes with a node that finds no volume.
 * @throws PrerequisiteMissing naming everything that is missing
 */
export const checkPrerequisites =
  ({ cluster, elasticIpId, autoScaling, ec2 }: Deps) =>
  async (): Promise<void> => {
    const groups = await describeGroups(autoScaling, cluster);
    const problems = [
      ...(['seat', 'pool'] as const)
        .filter((role) => !groups.some((group) => group.role === role))
        .map((role) => `no group with ${TAG.role}=${role}`),
      ...(await describeVolumeProblems(ec2, cluster, groups)),
      ...((await hasAddress(ec2, elasticIpId)) ? [] : [`Elastic IP ${elasticIpId} was released`]),
      ...(await Promise.all(groups.map((group) => describeImageProblem(ec2, group)))).filter(
        (found) => found !== undefined,
      ),
    ];
    if (problems.length > 0) throw new PrerequisiteMissing(`Missing: ${problems.join('; ')}`);
  };

async function describeVolumeProblems(ec2: EC2Client, cluster: string, groups: readonly Group[]): Promise<string[]> {
  const seats = new Set<string | undefined>();
  const filter = {
    Filters: [
      { Name: `tag:${TAG.cluster}`, Values: [cluster] },
      { Name: 'tag-key', Values: [TAG.seat] },
    ],
  };
  for await (const { Volumes } of paginateDescribeVolumes({ client: ec2 }, filter)) {
    for (const { Tags, State } of Volumes ?? []) {
      if (State === 'available' || State === 'in-use') seats.add(Tags?.find(({ Key }) => Key === TAG.seat)?.Value);
    }
  }
  return groups
    .filter(({ role, seat }) => role === 'seat' && !seats.has(seat))
    .map(({ seat }) => `state volume of seat ${seat ?? '?'}`);
}

async function hasAddress(ec2: EC2Client, allocationId: string): Promise<boolean> {
  try {
    const { Addresses } = await ec2.send(new DescribeAddressesCommand({ AllocationIds: [allocationId] }));
    return (Addresses ?? []).length > 0;
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('InvalidAllocationID')) return false;
    throw error;
  }
}

export const handler = step(
  {
    name: 'check-prerequisites',
    input,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      elasticIpId: env.ELASTIC_IP_ID,
      autoScaling: autoScaling(),
      ec2: ec2(),
      store: clusterStore(env),
    }),
  },
  checkPrerequisites,
);
