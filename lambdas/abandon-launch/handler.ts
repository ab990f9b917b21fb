import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import { autoScaling, ec2 } from '../shared/clients';
import type { ClusterStore } from '../shared/cluster-store';
import { failure, launch } from '../shared/contracts';
import { clusterStore } from '../shared/deps';
import { readFailure } from '../shared/failures';
import { describeNode } from '../shared/instances';
import { completeLaunch } from '../shared/scale';
import { step } from '../shared/step';
import { env } from './env';

const input = launch.extend({ failure });

interface Deps {
  cluster: string;
  autoScaling: AutoScalingClient;
  ec2: EC2Client;
  store: ClusterStore;
}

/**
 * Gives up a launch, so that the group ends the instance and tries another, and keeps why: the instance and what it
 * said of itself are gone soon after. Its log tail stays in the bucket under `logs/<instance>`.
 */
export const abandonLaunch =
  ({ cluster, autoScaling, ec2, store }: Deps) =>
  async ({ execution, instanceId, group, hook, token, metadata, failure }: z.output<typeof input>) => {
    const { error, cause } = readFailure(failure);
    const node = await describeNode(ec2, cluster, instanceId);
    const phase = node?.phase ?? 'gone';
    await store.recordLaunchFailure({ execution, instanceId, group, pool: metadata.pool, phase, error, cause });
    await completeLaunch(autoScaling, { group, hook, token, instanceId }, 'ABANDON');
    return { Error: error, Cause: `${instanceId}: ${cause}` };
  };

export const handler = step(
  {
    name: 'abandon-launch',
    input,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      autoScaling: autoScaling(),
      ec2: ec2(),
      store: clusterStore(env),
    }),
  },
  abandonLaunch,
);
