import { DescribeAutoScalingGroupsCommand, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { DescribeVolumesCommand } from '@aws-sdk/client-ec2';
import { namesOf, TAG } from '../../core/config/names';
import type { Life } from './life';

const BOUND_SECONDS = 300;

/** Gives the group of a seat another size, and waits until it has so many instances. */
export async function resizeSeat(life: Life, seat: number, DesiredCapacity: number): Promise<void> {
  const name = namesOf(life.session.config.name).seatGroup(seat);
  const { autoScaling } = life.session.aws;
  // A seat that sleeps has room for none, one that is awake may not be without.
  await autoScaling.send(
    new UpdateAutoScalingGroupCommand({
      AutoScalingGroupName: name,
      MinSize: DesiredCapacity,
      MaxSize: 1,
      DesiredCapacity,
    }),
  );
  await life.cluster.within(BOUND_SECONDS, async () => {
    const found = await autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] }));
    return found.AutoScalingGroups?.[0]?.Instances?.length === DesiredCapacity;
  });
}

/** The instance of a seat. */
export async function seatInstance(life: Life, seat: number): Promise<string> {
  const AutoScalingGroupNames = [namesOf(life.session.config.name).seatGroup(seat)];
  const found = await life.session.aws.autoScaling.send(
    new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames }),
  );
  return found.AutoScalingGroups?.[0]?.Instances?.[0]?.InstanceId ?? '';
}

/** The state volume of a seat, once nobody has it. */
export async function volumeOf(life: Life, seat: number): Promise<string> {
  let volume = '';
  await life.cluster.within(BOUND_SECONDS, async () => {
    const Filters = [
      { Name: `tag:${TAG.cluster}`, Values: [life.session.config.name] },
      { Name: `tag:${TAG.seat}`, Values: [String(seat)] },
    ];
    const { Volumes = [] } = await life.session.aws.ec2.send(new DescribeVolumesCommand({ Filters }));
    volume = Volumes[0]?.VolumeId ?? '';
    return Volumes[0]?.State === 'available';
  });
  return volume;
}
