import { leased } from '../../core/record/contracts';
import { type GroupDeps, groupDeps } from '../shared/step/deps';
import { InstancesStillThere } from '../shared/step/errors';
import { describeGroupsOf } from '../shared/ec2/groups';
import { describeNodes, listNodes, PRESENT_STATES } from '../shared/ec2/instances';
import { abandonLaunches, resize, ZERO } from '../shared/ec2/scale';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/**
 * Ends the control plane. Its state stays on the state volumes, which a seat lets go of as it ends.
 * @throws InstancesStillThere until the last seat is gone
 */
export const stopSeats =
  ({ cluster, autoScaling, ec2 }: GroupDeps) =>
  async (): Promise<void> => {
    const groups = await describeGroupsOf(autoScaling, cluster, 'seat');
    for (const seat of groups) {
      await resize(autoScaling, seat, ZERO);
      await abandonLaunches(autoScaling, seat);
    }
    const seats = (await describeNodes(ec2, cluster, PRESENT_STATES)).filter(({ role }) => role === 'seat');
    // Two are asked: EC2 may not show yet what has just begun, or a group not have noticed what has ended.
    const held = groups.flatMap(({ instances }) => instances.map(({ id }) => id));
    if (seats.length === 0 && held.length > 0)
      throw new InstancesStillThere(`Still of their group: ${held.join(', ')}`);
    if (seats.length > 0) throw new InstancesStillThere(`Still there: ${listNodes(seats)}`);
  };

export const handler = step({ name: 'stop-seats', input, env, deps: groupDeps }, stopSeats);
