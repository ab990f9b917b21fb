import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type * as z from 'zod';
import { autoScaling } from '../shared/clients';
import { launch } from '../shared/contracts';
import { completeLaunch as answer } from '../shared/scale';
import { step } from '../shared/step';
import { env } from './env';

const input = launch.pick({ instanceId: true, group: true, hook: true, token: true });

interface Deps {
  autoScaling: AutoScalingClient;
}

/** Tells the group that its new instance serves: the hook lets go of it. */
export const completeLaunch =
  ({ autoScaling }: Deps) =>
  (action: z.output<typeof input>): Promise<void> =>
    answer(autoScaling, action, 'CONTINUE');

export const handler = step(
  { name: 'complete-launch', input, env, deps: () => ({ autoScaling: autoScaling() }) },
  completeLaunch,
);
