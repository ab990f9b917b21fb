import { leased } from '../../core/record/contracts';
import { type GroupDeps, groupDeps } from '../shared/step/deps';
import { InstancesStillThere } from '../shared/step/errors';
import { describeGroupsOf } from '../shared/ec2/groups';
import { describeNodes, listNodes, PRESENT_STATES } from '../shared/ec2/instances';
import { abandonLaunches, resize, ZERO } from '../shared/ec2/scale';
import { enterStandby, standbyOf, stopStandby } from '../shared/ec2/standby';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/**
 * Ends what the pools run: sizes to zero, so that their groups terminate the instances, or, in a pool with
 * `sleep: stop`, instances stopped beside their group (standby), so that disk and images are there at the next wake.
 * @throws InstancesStillThere until nothing of it is billed by the hour
 */
export const stopPools =
  ({ cluster, autoScaling, ec2 }: GroupDeps) =>
  async (): Promise<{ stopped: string[] }> => {
    const pools = await describeGroupsOf(autoScaling, cluster, 'pool');
    for (const pool of pools) {
      if (pool.sleep === 'stop') await enterStandby({ autoScaling }, pool);
      await resize(autoScaling, pool, ZERO);
      await abandonLaunches(autoScaling, pool);
    }

    const nodes = (await describeNodes(ec2, cluster, PRESENT_STATES)).filter(({ role }) => role === 'pool');
    const standby = pools.flatMap((pool) => standbyOf(pool, nodes));
    await stopStandby({ ec2 }, standby);
    const rest = nodes.filter((node) => !standby.includes(node) || node.state !== 'stopped');
    if (rest.length > 0) throw new InstancesStillThere(`Still there: ${listNodes(rest)}`);
    return { stopped: nodes.map(({ id }) => id) };
  };

export const handler = step({ name: 'stop-pools', input, env, deps: groupDeps }, stopPools);
