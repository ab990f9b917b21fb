import {
  DescribeLoadBalancersCommand,
  type ElasticLoadBalancingV2Client,
  type LoadBalancer,
  LoadBalancerNotFoundException,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { namesOf } from '../../lib/config/names';

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
