import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  DescribeListenersCommand,
  type ElasticLoadBalancingV2Client,
  type LoadBalancer,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { API_PORT, namesOf, TAG } from '../../lib/config/names';
import { loadBalancing } from '../shared/clients';
import type { ClusterStore } from '../shared/cluster-store';
import { leased } from '../shared/contracts';
import { clusterStore } from '../shared/deps';
import { describeApiLoadBalancer } from '../shared/load-balancer';
import { step } from '../shared/step';
import { env } from './env';

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
 * through it, so nobody waits for that.
 */
export const createLoadBalancer = (deps: Deps) => async (): Promise<{ dnsName?: string }> => {
  if (deps.apiAccess === 'tunnel') return {};
  const balancer = (await describeApiLoadBalancer(deps.loadBalancing, deps.cluster)) ?? (await create(deps));
  await ensureListener(deps, balancer?.LoadBalancerArn ?? '');
  return balancer?.DNSName === undefined ? {} : { dnsName: balancer.DNSName };
};

async function create(deps: Deps): Promise<LoadBalancer | undefined> {
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
  return LoadBalancers?.[0];
}

async function ensureListener({ cluster, loadBalancing, targetGroupArn }: Deps, balancerArn: string): Promise<void> {
  const { Listeners } = await loadBalancing.send(new DescribeListenersCommand({ LoadBalancerArn: balancerArn }));
  if (Listeners?.some(({ Port }) => Port === API_PORT)) return;
  await loadBalancing.send(
    new CreateListenerCommand({
      LoadBalancerArn: balancerArn,
      Protocol: 'TCP',
      Port: API_PORT,
      DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
      Tags: [{ Key: TAG.cluster, Value: cluster }],
    }),
  );
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
