import { leased } from '../../core/record/contracts';
import { type LaunchBreaker, resumeLaunches } from '../shared/ec2/breaker';
import { type GroupDeps, groupDeps, launchBreaker } from '../shared/step/deps';
import { InstancesStillThere } from '../shared/step/errors';
import { describeGroupsOf } from '../shared/ec2/groups';
import { describeNodes, listNodes, LIVE_STATES } from '../shared/ec2/instances';
import { FAILED } from '../../core/record/phases';
import { endInstance, resize } from '../shared/ec2/scale';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

interface Deps extends GroupDeps {
  breaker: LaunchBreaker;
}

/**
 * Brings up one instance a seat. A seat that an earlier workflow left behind as failed is ended first, so that its
 * group makes a new one: otherwise no later wake could succeed.
 * @throws InstancesStillThere until the failed ones are gone
 */
export const startSeats =
  ({ cluster, autoScaling, ec2, breaker }: Deps) =>
  async (): Promise<void> => {
    for (const seat of await describeGroupsOf(autoScaling, cluster, 'seat')) {
      await resumeLaunches({ autoScaling, breaker }, seat);
      await resize(autoScaling, seat, { min: 1, desired: 1, max: 1 });
    }
    const nodes = await describeNodes(ec2, cluster, LIVE_STATES);
    const failed = nodes.filter(({ role, phase }) => role === 'seat' && phase.startsWith(FAILED));
    for (const { id } of failed) {
      await endInstance(autoScaling, id);
    }
    if (failed.length > 0) throw new InstancesStillThere(`Being replaced: ${listNodes(failed)}`);
  };

export const handler = step(
  {
    name: 'start-seats',
    input,
    env,
    deps: (env) => ({ ...groupDeps(env), breaker: launchBreaker(env) }),
  },
  startSeats,
);
