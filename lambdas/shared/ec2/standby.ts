import { type AutoScalingClient, EnterStandbyCommand, ExitStandbyCommand } from '@aws-sdk/client-auto-scaling';
import { CreateTagsCommand, type EC2Client, StartInstancesCommand, StopInstancesCommand } from '@aws-sdk/client-ec2';
import { TAG } from '../../../core/config/names';
import type { Group } from './groups';
import type { NodeInstance } from './instances';
import { InstancesStillThere } from '../step/errors';
import { resize } from './scale';

/** Instances that one call may name: the API reference says 20 in words, and 19 where it gives the list's length. */
const BATCH = 19;

/** What pools with `sleep: stop` need: their instances are stopped beside the group instead of terminated by it. */
interface Clients {
  autoScaling: AutoScalingClient;
  ec2: EC2Client;
}

/** The instances of a group that stand beside it. */
export function standbyOf({ instances }: Group, nodes: readonly NodeInstance[]): NodeInstance[] {
  const ids = new Set(instances.filter(({ lifecycle }) => lifecycle === 'Standby').map(({ id }) => id));
  return nodes.filter(({ id }) => ids.has(id));
}

/**
 * Takes the instances that serve out of the group's count without ending them; its minimum would forbid it.
 * @throws InstancesStillThere some are not where they were seen
 */
export async function enterStandby({ autoScaling }: Pick<Clients, 'autoScaling'>, group: Group): Promise<void> {
  const InstanceIds = group.instances.filter(({ lifecycle }) => lifecycle === 'InService').map(({ id }) => id);
  if (InstanceIds.length === 0) return;
  await resize(autoScaling, group, { ...group.current, min: 0 });
  const common = { AutoScalingGroupName: group.name, ShouldDecrementDesiredCapacity: true };
  for (const batch of batches(InstanceIds)) {
    if (await isMoved(autoScaling.send(new EnterStandbyCommand({ ...common, InstanceIds: batch })))) continue;
    // Made smaller now, the group might end one that has not moved.
    throw new InstancesStillThere(`Moving beside ${group.name}: ${batch.join(', ')}`);
  }
}

/** Stops what still runs of them. */
export async function stopStandby({ ec2 }: Pick<Clients, 'ec2'>, standby: readonly NodeInstance[]): Promise<void> {
  const InstanceIds = standby.filter(({ state }) => state === 'running').map(({ id }) => id);
  if (InstanceIds.length > 0) await ec2.send(new StopInstancesCommand({ InstanceIds }));
}

/**
 * One step on their way back: stopped ones are started (with a fresh phase: theirs is from before the sleep and must
 * not be believed), and once all run, the group gets them back, which grows it by them.
 */
export async function startStandby(
  { autoScaling, ec2 }: Clients,
  group: Group,
  standby: readonly NodeInstance[],
): Promise<void> {
  const stopped = standby.filter(({ state }) => state === 'stopped').map(({ id }) => id);
  if (stopped.length > 0) {
    await ec2.send(new CreateTagsCommand({ Resources: stopped, Tags: [{ Key: TAG.phase, Value: 'booting' }] }));
    await ec2.send(new StartInstancesCommand({ InstanceIds: stopped }));
  } else if (standby.every(({ state }) => state === 'running')) {
    const { current, name } = group;
    await resize(autoScaling, group, { ...current, max: Math.max(current.max, current.desired + standby.length) });
    const InstanceIds = standby.map(({ id }) => id);
    for (const batch of batches(InstanceIds)) {
      await isMoved(autoScaling.send(new ExitStandbyCommand({ AutoScalingGroupName: name, InstanceIds: batch })));
    }
  }
}

/**
 * A call that the SDK repeats, since it has lost the answer, meets instances that have moved already.
 * @returns false if it was refused for that: whoever waits looks at the group anew
 */
async function isMoved(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (error instanceof Error && /is not in (InService|Standby)/i.test(error.message)) return false;
    throw error;
  }
}

function batches(ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / BATCH) }, (_, n) => ids.slice(n * BATCH, (n + 1) * BATCH));
}
