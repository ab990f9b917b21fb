import { leased } from '../shared/contracts';
import { type GroupDeps, groupDeps } from '../shared/deps';
import { InstancesStillThere } from '../shared/errors';
import { describeGroupsOf } from '../shared/groups';
import { describeNodes, listNodes, PRESENT_STATES } from '../shared/instances';
import { abandonLaunches, resize, ZERO } from '../shared/scale';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/**
 * Ends the control plane. Its state stays on the state volumes, which a seat lets go of as it ends.
 * @throws InstancesStillThere until the last seat is gone
 */
export const stopSeats =
  ({ cluster, autoScaling, ec2 }: GroupDeps) =>
  async (): Promise<void> => {
    for (const seat of await describeGroupsOf(autoScaling, cluster, 'seat')) {
      await resize(autoScaling, seat, ZERO);
      await abandonLaunches(autoScaling, seat);
    }
    const seats = (await describeNodes(ec2, cluster, PRESENT_STATES)).filter(({ role }) => role === 'seat');
    if (seats.length > 0) throw new InstancesStillThere(`Still there: ${listNodes(seats)}`);
  };

export const handler = step({ name: 'stop-seats', input, env, deps: groupDeps }, stopSeats);
