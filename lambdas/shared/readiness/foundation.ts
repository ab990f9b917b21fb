import { DescribeAddressesCommand, type EC2Client, paginateDescribeVolumes } from '@aws-sdk/client-ec2';
import { TAG } from '../../../core/config/names';
import type { Group } from '../ec2/groups';

/** Seats whose state volume does not exist. */
export async function describeVolumeProblems(
  ec2: EC2Client,
  cluster: string,
  groups: readonly Group[],
): Promise<string[]> {
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

/** False if the Elastic IP was released. */
export async function hasAddress(ec2: EC2Client, allocationId: string): Promise<boolean> {
  try {
    const { Addresses } = await ec2.send(new DescribeAddressesCommand({ AllocationIds: [allocationId] }));
    return (Addresses ?? []).length > 0;
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('InvalidAllocationID')) return false;
    throw error;
  }
}
