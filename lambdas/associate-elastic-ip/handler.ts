import type { EC2Client } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import { ec2 } from '../shared/clients/clients';
import { launch } from '../../core/record/contracts';
import { giveElasticIp, readElasticIp } from '../shared/ec2/elastic-ip';
import { InstanceNotRunning, NodeFailed } from '../shared/step/errors';
import { canServe, describeNode, describeNodes, LIVE_STATES } from '../shared/ec2/instances';
import { step } from '../shared/step/step';
import { env } from './env';

const input = launch.pick({ instanceId: true });

interface Deps {
  cluster: string;
  elasticIpId: string;
  ec2: EC2Client;
}

/**
 * Gives a new ingress node the Elastic IP, first of all: the change of address cuts every open connection, a download
 * included. An ingress node that serves keeps it, so that growing the pool moves nothing; and one that serves is better
 * than one that has yet to boot.
 * @throws InstanceNotRunning until the instance runs
 * @throws NodeFailed the instance is gone
 */
export const associateElasticIp =
  ({ cluster, elasticIpId, ec2 }: Deps) =>
  async ({ instanceId }: z.output<typeof input>): Promise<{ holder: string | undefined }> => {
    const node = await describeNode(ec2, cluster, instanceId);
    // What DescribeInstances does not show is new: it shows what ended for an hour.
    if (!node) throw new InstanceNotRunning(`${instanceId} is not shown yet`);
    if (node.state === 'pending') throw new InstanceNotRunning(`${instanceId} is pending`);
    if (node.state !== 'running') throw new NodeFailed(`${instanceId} is ${node.state}`);
    const address = await readElasticIp(ec2, elasticIpId);
    const { holder } = address;
    const serving = (await describeNodes(ec2, cluster, LIVE_STATES)).filter(canServe);
    if (holder === instanceId || serving.some(({ id }) => id === holder)) return { holder };
    return { holder: await giveElasticIp(ec2, address, serving[0]?.id ?? instanceId) };
  };

export const handler = step(
  {
    name: 'associate-elastic-ip',
    input,
    env,
    deps: (env) => ({ cluster: env.CLUSTER_NAME, elasticIpId: env.ELASTIC_IP_ID, ec2: ec2() }),
  },
  associateElasticIp,
);
