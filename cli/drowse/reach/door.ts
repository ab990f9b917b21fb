import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { API_PORT } from '../../../core/config/names';
import { hasApiLoadBalancer } from '../../../core/config/api-access';
import { describeApiLoadBalancer } from '../../../lambdas/shared/ec2/load-balancer';
import { CommandFailed } from '../../terminal/errors';
import { ask } from '../aws';
import type { Target } from '../target';

/** How the Kubernetes API is reached from here. */
export type Door = { through: 'load-balancer'; server: string } | { through: 'tunnel' };

/**
 * The load balancer, whatever its name is today; a tunnel where the cluster has none.
 * @param tunnel true: a tunnel in any case
 * @throws CommandFailed if it has one, and just now has not
 */
export async function findDoor(target: Target, tunnel: boolean): Promise<Door> {
  if (tunnel) return { through: 'tunnel' };
  const client = new ElasticLoadBalancingV2Client({ region: target.region });
  const balancer = await ask(target, () => describeApiLoadBalancer(client, target.cluster));
  if (balancer?.DNSName !== undefined) {
    return { through: 'load-balancer', server: `https://${balancer.DNSName}:${String(API_PORT)}` };
  }
  if (target.config === undefined || !hasApiLoadBalancer(target.config)) return { through: 'tunnel' };
  throw new CommandFailed(
    `${target.description}, has no API load balancer now: it is asleep, or about to make one`,
    'drowse wake wakes it; --tunnel does without, while it is awake.',
  );
}

/** The server of a kubeconfig that leads through a tunnel. */
export function tunnelServer(port: number): string {
  return `https://127.0.0.1:${String(port)}`;
}
