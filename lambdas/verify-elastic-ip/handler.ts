import { DescribeAddressesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { ec2 } from '../shared/clients/clients';
import type { ClusterStore } from '../shared/record/cluster-store';
import { leased } from '../../core/record/contracts';
import { clusterStore } from '../shared/step/deps';
import { describeNodes, LIVE_STATES } from '../shared/ec2/instances';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true });

/** The Elastic IP is not on a running ingress node. */
export class ElasticIpNotInPlace extends Error {
  override readonly name = 'ElasticIpNotInPlace';
}

interface Deps {
  cluster: string;
  elasticIpId: string;
  ec2: EC2Client;
  store: ClusterStore;
}

/**
 * Sees that the Elastic IP is on an ingress node that runs. join-node puts it there; without it the app is up and
 * nobody can reach it. A cluster whose ingress pool is empty has nowhere to put it.
 * @throws ElasticIpNotInPlace until it is
 */
export const verifyElasticIp =
  ({ cluster, elasticIpId, ec2 }: Deps) =>
  async (): Promise<{ publicIp?: string; instanceId?: string }> => {
    const ingress = (await describeNodes(ec2, cluster, LIVE_STATES)).filter((node) => node.ingress);
    const { Addresses } = await ec2.send(new DescribeAddressesCommand({ AllocationIds: [elasticIpId] }));
    const { InstanceId: instanceId, PublicIp: publicIp = '' } = Addresses?.[0] ?? {};
    if (ingress.length === 0) return { publicIp };
    if (instanceId === undefined || !ingress.some(({ id, state }) => id === instanceId && state === 'running')) {
      const holder = instanceId ?? 'no instance';
      const wanted = ingress.map(({ id }) => id).join(' or ');
      throw new ElasticIpNotInPlace(`${publicIp} is on ${holder} instead of ${wanted}`);
    }
    return { publicIp, instanceId };
  };

export const handler = step(
  {
    name: 'verify-elastic-ip',
    input,
    env,
    deps: (env) => ({
      cluster: env.CLUSTER_NAME,
      elasticIpId: env.ELASTIC_IP_ID,
      ec2: ec2(),
      store: clusterStore(env),
    }),
  },
  verifyElasticIp,
);
