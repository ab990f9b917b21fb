import { AssociateAddressCommand, DescribeAddressesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import { ec2 } from '../shared/clients';
import { launch } from '../shared/contracts';
import { NodeFailed } from '../shared/errors';
import { describeNode } from '../shared/instances';
import { step } from '../shared/step';
import { env } from './env';

const input = launch.pick({ instanceId: true });

/** The instance does not run yet; an address can only be given to one that does. */
export class InstanceNotRunning extends Error {
  override readonly name = 'InstanceNotRunning';
}

interface Deps {
  cluster: string;
  elasticIpId: string;
  ec2: EC2Client;
}

/**
 * Gives a new ingress node the Elastic IP, first of all: the change of address cuts every open connection, a download
 * included. An ingress node that serves keeps it, so that growing the pool moves nothing.
 * @throws InstanceNotRunning until the instance runs
 * @throws NodeFailed the instance is gone
 */
export const associateElasticIp =
  ({ cluster, elasticIpId, ec2 }: Deps) =>
  async ({ instanceId }: z.output<typeof input>): Promise<{ holder: string }> => {
    const node = await describeNode(ec2, cluster, instanceId);
    if (node?.state === 'pending') throw new InstanceNotRunning(`${instanceId} is pending`);
    if (node?.state !== 'running') throw new NodeFailed(`${instanceId} is ${node?.state ?? 'gone'}`);
    const { Addresses } = await ec2.send(new DescribeAddressesCommand({ AllocationIds: [elasticIpId] }));
    const holder = Addresses?.[0]?.InstanceId;
    if (holder === instanceId || (holder !== undefined && (await serves(ec2, cluster, holder)))) return { holder };
    await ec2.send(
      new AssociateAddressCommand({ AllocationId: elasticIpId, InstanceId: instanceId, AllowReassociation: true }),
    );
    return { holder: instanceId };
  };

async function serves(ec2: EC2Client, cluster: string, instanceId: string): Promise<boolean> {
  const node = await describeNode(ec2, cluster, instanceId);
  return node !== undefined && node.ingress && node.state === 'running' && node.phase === 'ready';
}

export const handler = step(
  {
    name: 'associate-elastic-ip',
    input,
    env,
    deps: (env) => ({ cluster: env.CLUSTER_NAME, elasticIpId: env.ELASTIC_IP_ID, ec2: ec2() }),
  },
  associateElasticIp,
);
