import {
  DeleteLoadBalancerCommand,
  type ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { loadBalancing } from '../shared/clients';
import type { ClusterStore } from '../shared/cluster-store';
import { leased } from '../shared/contracts';
import { clusterStore } from '../shared/deps';
import { describeApiLoadBalancer } from '../shared/load-balancer';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/** The load balancer was told to go, and is still listed. */
export class LoadBalancerStillThere extends Error {
  override readonly name = 'LoadBalancerStillThere';
}

interface Deps {
  cluster: string;
  loadBalancing: ElasticLoadBalancingV2Client;
  store: ClusterStore;
}

/**
 * Deletes the API's load balancer, which is billed by the hour; its target group stays (it is free).
 * @throws LoadBalancerStillThere until it is gone
 */
export const deleteLoadBalancer =
  ({ cluster, loadBalancing }: Deps) =>
  async (): Promise<void> => {
    const found = await describeApiLoadBalancer(loadBalancing, cluster);
    if (!found) return;
    await loadBalancing.send(new DeleteLoadBalancerCommand({ LoadBalancerArn: found.LoadBalancerArn }));
    const rest = await describeApiLoadBalancer(loadBalancing, cluster);
    if (rest) throw new LoadBalancerStillThere(`${rest.LoadBalancerName ?? ''} is ${rest.State?.Code ?? 'there'}`);
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
