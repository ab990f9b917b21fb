import { type AutoScalingClient, SuspendProcessesCommand } from '@aws-sdk/client-auto-scaling';
import type * as z from 'zod';
import { type LaunchBreaker, resumeLaunches } from '../shared/ec2/breaker';
import { onDemandPercent, setOnDemandPercent } from '../shared/ec2/capacity';
import { type GroupSize, leased } from '../../core/record/contracts';
import { type GroupDeps, groupDeps, launchBreaker } from '../shared/step/deps';
import { describeGroupsOf, type Group } from '../shared/ec2/groups';
import { describeNodes, listNodes, type NodeInstance, PRESENT_STATES } from '../shared/ec2/instances';
import { logger } from '../shared/clients/logger';
import { resize } from '../shared/ec2/scale';
import { standbyOf, startStandby } from '../shared/ec2/standby';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true, workflow: true });

/** Instances that sleep stopped are on their way back to their group. */
export class InstancesNotStarted extends Error {
  override readonly name = 'InstancesNotStarted';
}

interface Deps extends GroupDeps {
  breaker: LaunchBreaker;
}

/**
 * Brings the pools up: to the size at which the last sleep found them, else to the configured one; minimum and maximum
 * are always those of `cluster.yaml`. Instances that sleep stopped go first, and the group makes the rest. What an earlier
 * run had to settle for (on-demand, launches held) is tried anew.
 * @throws InstancesNotStarted until the stopped ones are back
 */
export const startPools =
  ({ cluster, autoScaling, ec2, store, breaker }: Deps) =>
  async ({ workflow }: z.output<typeof input>): Promise<{ sizes: Record<string, GroupSize> }> => {
    const recorded = workflow === 'bootstrap' ? undefined : (await store.read()).sizes;
    const nodes = await describeNodes(ec2, cluster, PRESENT_STATES);
    const sizes: Record<string, GroupSize> = {};
    const late: NodeInstance[] = [];
    for (const pool of await describeGroupsOf(autoScaling, cluster, 'pool')) {
      const name = pool.pool ?? pool.name;
      const size = sizeOf(pool, recorded?.[name]);
      await suspendRebalancing(autoScaling, pool.name);
      await beginAnew({ autoScaling, breaker }, pool);
      const standby = standbyOf(pool, nodes);
      if (standby.length > 0) await startStandby({ autoScaling, ec2 }, pool, standby);
      else await resize(autoScaling, pool, size);
      late.push(...standby);
      sizes[name] = size;
    }
    if (late.length > 0) throw new InstancesNotStarted(`On their way back: ${listNodes(late)}`);
    return { sizes };
  };

/**
 * Cluster Autoscaler chooses which node goes; a group that evens out its zones would end others, and start the game
 * anew. CloudFormation cannot say so, and a group is empty until this step (docs/adr/zone-rebalancing.md).
 */
async function suspendRebalancing(autoScaling: AutoScalingClient, group: string): Promise<void> {
  await autoScaling.send(
    new SuspendProcessesCommand({ AutoScalingGroupName: group, ScalingProcesses: ['AZRebalance'] }),
  );
}

/**
 * Lets a pool launch whose nodes failed too often, and one that had to buy on demand try spot again; the latter only
 * while it is empty, since a group exchanges running nodes when its shares change.
 */
async function beginAnew({ autoScaling, breaker }: Pick<Deps, 'autoScaling' | 'breaker'>, pool: Group): Promise<void> {
  const { name, market, instances } = pool;
  await resumeLaunches({ autoScaling, breaker }, pool);
  const fellBack = market === 'spot-with-fallback' && onDemandPercent(pool) > 0;
  if (fellBack && instances.length === 0) {
    const refusal = await setOnDemandPercent(autoScaling, pool, 0);
    if (refusal !== undefined) logger.warn('Pool stays on demand', { group: name, refusal });
  }
}

/** Without a record the pool is up, or was never: then it does not shrink, whatever Cluster Autoscaler made of it. */
function sizeOf({ configured, current }: Group, recorded: GroupSize | undefined): GroupSize {
  const { min, max } = configured;
  const desired = recorded?.desired ?? Math.max(current.desired, configured.desired);
  return { min, max, desired: Math.min(max, Math.max(min, desired)) };
}

export const handler = step(
  {
    name: 'start-pools',
    input,
    env,
    deps: (env) => ({ ...groupDeps(env), breaker: launchBreaker(env) }),
  },
  startPools,
);
