import type { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { loadBalancing } from '../shared/clients/clients';
import type { ClusterStore } from '../shared/record/cluster-store';
import { leased } from '../../core/record/contracts';
import { clusterStore } from '../shared/step/deps';
import { deleteApiLoadBalancer, describeApiLoadBalancer } from '../shared/ec2/load-balancer';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

interface Deps {
  cluster: string;
  loadBalancing: ElasticLoadBalancingV2Client;
  store: ClusterStore;
}

/**
 * Deletes the API's load balancer, which is billed by the hour; its target group stays (it is free).
 * @throws LoadBalancerStillThere until it is gone
 */
export const deleteLoadBalancer = (deps: Deps) => async (): Promise<void> => {
  const found = await describeApiLoadBalancer(deps.loadBalancing, deps.cluster);
  if (found) await deleteApiLoadBalancer(deps, found);
};

export const handler = step(
  {
    name: 'delete-load-balancer',
    input,
    env,
    deps: (env) => ({ cluster: env.CLUSTER_NAME, loadBalancing: loadBalancing(), store: clusterStore(env) }),
  },
  deleteLoadBalancer,
);
