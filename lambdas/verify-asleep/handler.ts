import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { SSMClient } from '@aws-sdk/client-ssm';
import { autoScaling, ec2, loadBalancing, ssm } from '../shared/clients/clients';
import type { ClusterStore } from '../shared/record/cluster-store';
import { leased } from '../../core/record/contracts';
import { clusterStore } from '../shared/step/deps';
import { describeElasticIp } from '../shared/ec2/elastic-ip';
import { describeGroups } from '../shared/ec2/groups';
import { describeNodes, listNodes, PRESENT_STATES } from '../shared/ec2/instances';
import { listJoinParameters } from '../shared/commands/join-tokens';
import { describeApiLoadBalancer } from '../shared/ec2/load-balancer';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/** Something is left that a sleeping cluster must not have, or something is gone that it must keep. */
export class StillBillable extends Error {
  override readonly name = 'StillBillable';
}

interface Deps {
  cluster: string;
  autoScaling: AutoScalingClient;
  ec2: EC2Client;
  loadBalancing: ElasticLoadBalancingV2Client;
  ssm: SSMClient;
  store: ClusterStore;
}

/**
 * Asks AWS, not our own record, whether the cluster sleeps: no instance but the stopped ones of pools that stop, no
 * size that would bring one back, no load balancer, no join token, and the Elastic IP still ours.
 * @throws StillBillable with everything that was found
 */
export const verifyAsleep =
  ({ cluster, autoScaling, ec2, loadBalancing, ssm }: Deps) =>
  async (): Promise<void> => {
    const groups = await describeGroups(autoScaling, cluster);
    const stopping = new Set(groups.filter(({ sleep }) => sleep === 'stop').map(({ pool }) => pool));
    const nodes = await describeNodes(ec2, cluster, PRESENT_STATES);
    const billed = nodes.filter(({ pool, state }) => !(state === 'stopped' && stopping.has(pool)));
    const sized = groups.filter(({ current }) => current.desired > 0).map(({ name }) => name);
    const balancer = await describeApiLoadBalancer(loadBalancing, cluster);
    const tokens = await listJoinParameters(ssm, cluster);
    const address = await describeElasticIp(ec2, cluster);

    const found = [
      billed.length > 0 && `instances ${listNodes(billed)}`,
      sized.length > 0 && `groups with a size ${sized.join(', ')}`,
      balancer && `load balancer ${balancer.LoadBalancerName ?? ''}`,
      tokens.length > 0 && `join tokens ${tokens.join(', ')}`,
      !address && `no Elastic IP tagged for ${cluster}`,
    ].filter((problem) => typeof problem === 'string');
    if (found.length > 0) throw new StillBillable(`Not asleep: ${found.join('; ')}`);
  };

export const handler = step(
  {
    name: 'verify-asleep',
    input,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      autoScaling: autoScaling(),
      ec2: ec2(),
      loadBalancing: loadBalancing(),
      ssm: ssm(),
      store: clusterStore(env),
    }),
  },
  verifyAsleep,
);
