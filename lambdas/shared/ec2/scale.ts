import {
  type AutoScalingClient,
  CompleteLifecycleActionCommand,
  TerminateInstanceInAutoScalingGroupCommand,
  UpdateAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { LAUNCH_HOOK } from '../../../core/config/names';
import type { GroupSize } from '../../../core/record/contracts';
import type { Group } from './groups';

export const ZERO: GroupSize = { min: 0, desired: 0, max: 0 };

/** Gives a group its sizes; does nothing if it has them. */
export async function resize(client: AutoScalingClient, { name, current }: Group, size: GroupSize): Promise<void> {
  if (current.min === size.min && current.desired === size.desired && current.max === size.max) return;
  await client.send(
    new UpdateAutoScalingGroupCommand({
      AutoScalingGroupName: name,
      MinSize: size.min,
      DesiredCapacity: size.desired,
      MaxSize: size.max,
    }),
  );
}

/**
 * Ends an instance whose group makes another. One that the group does not know is gone: ended before, by this very call
 * too, if the SDK has lost its answer.
 */
export async function endInstance(client: AutoScalingClient, InstanceId: string): Promise<void> {
  try {
    await client.send(
      new TerminateInstanceInAutoScalingGroupCommand({ InstanceId, ShouldDecrementDesiredCapacity: false }),
    );
  } catch (error) {
    if (!(error instanceof Error && /Instance Id not found/i.test(error.message))) throw error;
  }
}

/**
 * Gives up the launches of a group that its hook still holds: a group of size 0 keeps such an instance, billed, until
 * the hook times out.
 */
export async function abandonLaunches(client: AutoScalingClient, { name, instances }: Group): Promise<void> {
  for (const { id } of instances.filter(({ lifecycle }) => lifecycle === 'Pending:Wait')) {
    await completeLaunch(client, { group: name, hook: LAUNCH_HOOK, instanceId: id }, 'ABANDON');
  }
}

/** Answers a launch hook. An action that is no longer there (answered before, timed out, instance gone) is fine. */
export async function completeLaunch(
  client: AutoScalingClient,
  { group, hook, token, instanceId }: { group: string; hook: string; token?: string; instanceId: string },
  result: 'CONTINUE' | 'ABANDON',
): Promise<void> {
  try {
    await client.send(
      new CompleteLifecycleActionCommand({
        AutoScalingGroupName: group,
        LifecycleHookName: hook,
        LifecycleActionToken: token,
        InstanceId: instanceId,
        LifecycleActionResult: result,
      }),
    );
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('No active Lifecycle Action'))) throw error;
  }
}
