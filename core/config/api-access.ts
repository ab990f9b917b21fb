import type { ClusterConfig } from './schema';

/** True if a load balancer is made for the Kubernetes API while awake: not for a door that nobody may use. */
export function hasApiLoadBalancer({ apiAccess, operatorCidrs }: ClusterConfig): boolean {
  return apiAccess === 'load-balancer' && operatorCidrs.length > 0;
}
