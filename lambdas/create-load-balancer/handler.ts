import {
  CreateLoadBalancerCommand,
  type ElasticLoadBalancingV2Client,
  type LoadBalancer,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { namesOf, TAG } from '../../core/config/names';
import { loadBalancing } from '../shared/clients/clients';
import type { ClusterStore } from '../shared/record/cluster-store';
import { leased } from '../../core/record/contracts';
import { clusterStore } from '../shared/step/deps';
import { LoadBalancerStillThere } from '../shared/step/errors';
import { deleteApiLoadBalancer, describeApiLoadBalancer } from '../shared/ec2/load-balancer';
import { step } from '../shared/step/step';
import { env } from './env';
import { ensureListener } from './listener';

const input = leased.pick({ execution: true });

interface Deps {
  cluster: string;
  loadBalancing: ElasticLoadBalancingV2Client;
  apiAccess: 'load-balancer' | 'tunnel';
  subnetIds: string[];
  securityGroupId: string;
  targetGroupArn: string;
  store: ClusterStore;
}

/**
 * Makes the operators' door to the Kubernetes API. It takes AWS minutes to open, and nothing inside the cluster goes
 * through it, so nobody waits for that. One that a sleep has deleted is not taken for it, however long AWS lists it.
 * @throws LoadBalancerStillThere while the name is taken by one that goes
 */
export const createLoadBalancer = (deps: Deps) => async (): Promise<{ dnsName?: string }> => {
  if (deps.apiAccess === 'tunnel') return {};
  const balancer = (await findLasting(deps)) ?? (await create(deps));
  await ensureListener(deps, balancer);
  return balancer.DNSName === undefined ? {} : { dnsName: balancer.DNSName };
};

async function findLasting(deps: Deps): Promise<LoadBalancer | undefined> {
  const found = await describeApiLoadBalancer(deps.loadBalancing, deps.cluster);
  if (!found || !(await isDeleted(deps, found))) return found;
  // The sleep may have been stopped between its note and the deletion.
  await deleteApiLoadBalancer(deps, found);
  return undefined;
}

async function isDeleted({ store }: Deps, { LoadBalancerArn }: LoadBalancer): Promise<boolean> {
  return (await store.read()).deletedLoadBalancer === LoadBalancerArn;
}

async function create(deps: Deps): Promise<LoadBalancer> {
  const { LoadBalancers } = await deps.loadBalancing.send(
    new CreateLoadBalancerCommand({
      Name: namesOf(deps.cluster).apiLoadBalancer,
      Type: 'network',
      Scheme: 'internet-facing',
      Subnets: deps.subnetIds,
      SecurityGroups: [deps.securityGroupId],
      Tags: [{ Key: TAG.cluster, Value: deps.cluster }],
    }),
  );
  const made = LoadBalancers?.[0] ?? {};
  // AWS answers a name that it still knows with what has it.
  if (await isDeleted(deps, made)) throw new LoadBalancerStillThere(`${made.LoadBalancerName ?? ''} is on its way out`);
  return made;
}

export const handler = step(
  {
    name: 'create-load-balancer',
    input,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      loadBalancing: loadBalancing(),
      apiAccess: env.API_ACCESS,
      subnetIds: env.SUBNET_IDS.split(','),
      securityGroupId: env.SECURITY_GROUP_ID,
      targetGroupArn: env.TARGET_GROUP_ARN,
      store: clusterStore(env),
    }),
  },
  createLoadBalancer,
);
