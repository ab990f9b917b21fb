import type { EC2Client } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import { ec2 } from '../shared/clients';
import { launch } from '../shared/contracts';
import { NodeFailed } from '../shared/errors';
import { describeNode, FAILED, LIVE_STATES } from '../shared/instances';
import { step } from '../shared/step';
import { env } from './env';

const input = launch.pick({ instanceId: true });

/** The node is on its way. */
export class NodeNotReady extends Error {
  override readonly name = 'NodeNotReady';
}

interface Deps {
  cluster: string;
  ec2: EC2Client;
}

/**
 * Waits until a new node says that it is ready.
 * @throws NodeNotReady until then
 * @throws NodeFailed it gave up, or its instance is gone
 */
export const waitForNode =
  ({ cluster, ec2 }: Deps) =>
  async ({ instanceId }: z.output<typeof input>): Promise<void> => {
    const node = await describeNode(ec2, cluster, instanceId);
    if (!node || !LIVE_STATES.includes(node.state)) {
      throw new NodeFailed(`${instanceId} is ${node?.state ?? 'gone'}`);
    }
    if (node.phase.startsWith(FAILED)) throw new NodeFailed(`${instanceId}: ${node.phase}`);
    if (node.phase !== 'ready') throw new NodeNotReady(`${instanceId} is at ${node.phase}`);
  };

export const handler = step(
  { name: 'wait-for-node', input, env, deps: (env) => ({ cluster: env.CLUSTER_NAME, ec2: ec2() }) },
  waitForNode,
);
