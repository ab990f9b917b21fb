import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  DescribeListenersCommand,
  DuplicateListenerException,
  type ElasticLoadBalancingV2Client,
  type LoadBalancer,
  LoadBalancerNotFoundException,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { API_PORT, namesOf, TAG } from '../../../core/config/names';
import type { ClusterStore } from '../record/cluster-store';
import { LoadBalancerStillThere } from '../step/errors';
import { deleteApiLoadBalancer, describeApiLoadBalancer } from './load-balancer';

/** How a wake that goes on without one begins to warn. */
export const NO_BALANCER = 'there is no API load balancer';

/** What making the API load balancer takes. */
export interface LoadBalancerDeps {
  cluster: string;
  loadBalancing: ElasticLoadBalancingV2Client;
  subnetIds: readonly string[];
  securityGroupId: string;
  targetGroupArn: string;
  store: ClusterStore;
}

/**
 * Makes the API load balancer with its one listener, or what of it is missing. One that a sleep has deleted is not taken for
 * it, however long AWS lists it.
 * @throws LoadBalancerStillThere while the name is taken by one that goes
 */
export async function makeApiLoadBalancer(deps: LoadBalancerDeps): Promise<LoadBalancer> {
  const found = await describeApiLoadBalancer(deps.loadBalancing, deps.cluster);
  const balancer = found && !(await isDeleted(deps, found)) ? found : await create(deps);
  await ensureListener(deps, balancer);
  return balancer;
}

/** Deletes what a sleep had noted as deleted: it may have been stopped between its note and the deletion. */
export async function finishDeletion(deps: LoadBalancerDeps): Promise<void> {
  const found = await describeApiLoadBalancer(deps.loadBalancing, deps.cluster);
  if (found && (await isDeleted(deps, found))) await deleteApiLoadBalancer(deps, found);
}

/** True if a load balancer has the listener of the API. */
export async function listens(
  client: ElasticLoadBalancingV2Client,
  { LoadBalancerArn }: LoadBalancer,
): Promise<boolean> {
  const { Listeners } = await client.send(new DescribeListenersCommand({ LoadBalancerArn }));
  return Listeners?.some(({ Port }) => Port === API_PORT) ?? false;
}

async function isDeleted({ store }: LoadBalancerDeps, { LoadBalancerArn }: LoadBalancer): Promise<boolean> {
  return (await store.read()).deletedLoadBalancer === LoadBalancerArn;
}

async function create(deps: LoadBalancerDeps): Promise<LoadBalancer> {
  const { LoadBalancers } = await deps.loadBalancing.send(
    new CreateLoadBalancerCommand({
      Name: namesOf(deps.cluster).apiLoadBalancer,
      Type: 'network',
      Scheme: 'internet-facing',
      Subnets: [...deps.subnetIds],
      SecurityGroups: [deps.securityGroupId],
      Tags: [{ Key: TAG.cluster, Value: deps.cluster }],
    }),
  );
  const made = LoadBalancers?.[0] ?? {};
  // AWS answers a name that it still knows with what has it.
  if (await isDeleted(deps, made)) throw new LoadBalancerStillThere(`${made.LoadBalancerName ?? ''} is on its way out`);
  return made;
}

/** @throws LoadBalancerStillThere it is listed, and gone */
async function ensureListener(
  { cluster, loadBalancing, targetGroupArn }: LoadBalancerDeps,
  balancer: LoadBalancer,
): Promise<void> {
  const { LoadBalancerArn, LoadBalancerName = '' } = balancer;
  try {
    if (await listens(loadBalancing, balancer)) return;
    await loadBalancing.send(
      new CreateListenerCommand({
        LoadBalancerArn,
        Protocol: 'TCP',
        Port: API_PORT,
        DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
        Tags: [{ Key: TAG.cluster, Value: cluster }],
      }),
    );
  } catch (error) {
    // A repeated call met the one before.
    if (error instanceof DuplicateListenerException) return;
    if (!(error instanceof LoadBalancerNotFoundException)) throw error;
    throw new LoadBalancerStillThere(`${LoadBalancerName} is listed, and gone`, { cause: error });
  }
}
