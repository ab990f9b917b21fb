import { leased } from '../../core/record/contracts';
import { finishDeletion, type LoadBalancerDeps, makeApiLoadBalancer } from '../shared/ec2/make-load-balancer';
import { loadBalancerDeps } from '../shared/step/deps';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

interface Deps extends LoadBalancerDeps {
  apiAccess: 'load-balancer' | 'tunnel';
}

/**
 * Makes the operators' door to the Kubernetes API. It takes AWS minutes to open, and nothing inside the cluster goes
 * through it, so nobody waits for that.
 * @throws LoadBalancerStillThere while the name is taken by one that goes
 */
export const createLoadBalancer = (deps: Deps) => async (): Promise<{ dnsName?: string }> => {
  if (deps.apiAccess === 'tunnel') return {};
  await finishDeletion(deps);
  const { DNSName } = await makeApiLoadBalancer(deps);
  return DNSName === undefined ? {} : { dnsName: DNSName };
};

export const handler = step(
  {
    name: 'create-load-balancer',
    input,
    env,
    deps: (env) => ({ ...loadBalancerDeps(env), apiAccess: env.API_ACCESS }),
  },
  createLoadBalancer,
);
