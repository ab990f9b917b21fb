import {
  DeleteLoadBalancerCommand,
  DescribeLoadBalancersCommand,
  type ElasticLoadBalancingV2Client,
  type LoadBalancer,
  LoadBalancerNotFoundException,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { namesOf } from '../../../core/config/names';
import type { ClusterStore } from '../record/cluster-store';
import { LoadBalancerStillThere } from '../step/errors';

interface Deps {
  cluster: string;
  loadBalancing: ElasticLoadBalancingV2Client;
  store: ClusterStore;
}

/** The load balancer before the Kubernetes API; undefined if there is none. */
export async function describeApiLoadBalancer(
  client: ElasticLoadBalancingV2Client,
  cluster: string,
): Promise<LoadBalancer | undefined> {
  try {
    const name = namesOf(cluster).apiLoadBalancer;
    const { LoadBalancers } = await client.send(new DescribeLoadBalancersCommand({ Names: [name] }));
    return LoadBalancers?.[0];
  } catch (error) {
    if (error instanceof LoadBalancerNotFoundException) return undefined;
    throw error;
  }
}

/**
 * Deletes a load balancer, and sees that it is no longer listed. AWS gives no sign by which one on its way out could be
 * told from one that stays, so its ARN (which never returns) is kept first: a wake that finds it believes the record.
 * @throws LoadBalancerStillThere until it is gone
 */
export async function deleteApiLoadBalancer(
  { cluster, loadBalancing, store }: Deps,
  { LoadBalancerArn = '' }: LoadBalancer,
): Promise<void> {
  await store.recordDeletedLoadBalancer(LoadBalancerArn);
  await loadBalancing.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));
  const rest = await describeApiLoadBalancer(loadBalancing, cluster);
  if (rest?.LoadBalancerArn !== LoadBalancerArn) return;
  throw new LoadBalancerStillThere(`${rest.LoadBalancerName ?? ''} was deleted and is ${rest.State?.Code ?? 'there'}`);
}
