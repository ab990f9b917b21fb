import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type * as z from 'zod';
import type { LaunchBreaker } from '../shared/ec2/breaker';
import { autoScaling } from '../shared/clients/clients';
import { launch } from '../../core/record/contracts';
import { launchBreaker } from '../shared/step/deps';
import { completeLaunch as answer } from '../shared/ec2/scale';
import { step } from '../shared/step/step';
import { env } from './env';

const input = launch.pick({ instanceId: true, group: true, hook: true, token: true });

interface Deps {
  autoScaling: AutoScalingClient;
  breaker: LaunchBreaker;
}

/** Tells the group that its new instance serves: the hook lets go of it. What failed before it does not count any more. */
export const completeLaunch =
  ({ autoScaling, breaker }: Deps) =>
  async (action: z.output<typeof input>): Promise<void> => {
    await answer(autoScaling, action, 'CONTINUE');
    await breaker.reset(action.group);
  };

export const handler = step(
  {
    name: 'complete-launch',
    input,
    env,
    deps: (env) => ({ autoScaling: autoScaling(), breaker: launchBreaker(env) }),
  },
  completeLaunch,
);
