import type { EC2Client } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import { ec2 } from '../shared/clients/clients';
import { lostNode } from '../../core/record/contracts';
import { giveElasticIp, readElasticIp } from '../shared/ec2/elastic-ip';
import { canServe, describeNodes, LIVE_STATES } from '../shared/ec2/instances';
import { step } from '../shared/step/step';
import { env } from './env';

const input = z.object({ execution: z.string(), lost: lostNode.pick({ instanceId: true, ingress: true }) });

interface Deps {
  cluster: string;
  elasticIpId: string;
  ec2: EC2Client;
}

/**
 * Takes the Elastic IP from an ingress node that is going or gone to another one that serves. Without another it stays where
 * it is: join-node gives it to the replacement as soon as that runs.
 * @throws InstanceNotRunning the one that was chosen went in between
 */
export const moveElasticIp =
  ({ cluster, elasticIpId, ec2 }: Deps) =>
  async ({ lost }: z.output<typeof input>): Promise<{ holder?: string | undefined }> => {
    if (!lost.ingress) return {};
    const address = await readElasticIp(ec2, elasticIpId);
    const { holder } = address;
    if (holder !== undefined && holder !== lost.instanceId) return { holder };
    const others = (await describeNodes(ec2, cluster, LIVE_STATES)).filter(({ id }) => id !== lost.instanceId);
    const heir = others.find(canServe);
    if (!heir) return { holder };
    return { holder: await giveElasticIp(ec2, address, heir.id) };
  };

export const handler = step(
  {
    name: 'move-elastic-ip',
    input,
    env,
    deps: (env) => ({ cluster: env.CLUSTER_NAME, elasticIpId: env.ELASTIC_IP_ID, ec2: ec2() }),
  },
  moveElasticIp,
);
