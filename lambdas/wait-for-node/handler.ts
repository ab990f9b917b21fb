import type { EC2Client } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import { ec2 } from '../shared/clients/clients';
import { launch } from '../../core/record/contracts';
import { NodeFailed } from '../shared/step/errors';
import { describeNode, LIVE_STATES, type NodeInstance } from '../shared/ec2/instances';
import { HANGS_AFTER } from '../../core/decisions/look-after';
import { FAILED } from '../../core/record/phases';
import { step } from '../shared/step/step';
import { env } from './env';

const input = launch.pick({ instanceId: true, minted: true });

/** A node that waits for a token looks every five seconds: one that it can use is gone by then (ms). */
const PATIENCE_MS = 60_000;
/** Tokens for one node; as many as the node itself tries (userdata/lib/pool.sh). */
const ROUNDS = 5;

/** The node is on its way. */
export class NodeNotReady extends Error {
  override readonly name = 'NodeNotReady';
}

/** The node cannot use the token that was minted for it: it came too late, or the API does not know it. */
export class TokenWanted extends Error {
  override readonly name = 'TokenWanted';
}

interface Deps {
  cluster: string;
  ec2: EC2Client;
  now?: () => number;
}

/**
 * Waits until a new node says that it is ready.
 * @throws NodeNotReady until then
 * @throws TokenWanted it waits for another join token
 * @throws NodeFailed it gave up, hangs, or its instance is gone
 */
export const waitForNode =
  ({ cluster, ec2, now = Date.now }: Deps) =>
  async ({ instanceId, minted }: z.output<typeof input>): Promise<void> => {
    const node = await describeNode(ec2, cluster, instanceId);
    // What DescribeInstances does not show is new: it shows what ended for an hour.
    if (!node) throw new NodeNotReady(`${instanceId} is not shown yet`);
    if (!LIVE_STATES.includes(node.state)) throw new NodeFailed(`${instanceId} is ${node.state}`);
    if (node.phase.startsWith(FAILED)) throw new NodeFailed(`${instanceId}: ${node.phase}`);
    if (node.phase !== 'ready' && now() - lastWord(node, minted) > HANGS_AFTER) {
      throw new NodeFailed(`${instanceId} hangs at ${node.phase}`);
    }
    if (minted && minted.round < ROUNDS && node.phase === 'waiting-for-token') {
      // Of the two, the later one: the node came to wait, or the token came to be.
      const since = Math.max(Date.parse(minted.at), Date.parse(node.phaseAt ?? minted.at));
      if (now() - since > PATIENCE_MS) {
        throw new TokenWanted(`${instanceId} cannot use join token ${String(minted.round)}, minted at ${minted.at}`);
      }
    }
    if (node.phase !== 'ready') throw new NodeNotReady(`${instanceId} is at ${node.phase}`);
  };

/** When a node last said how far it is, or was given the token that it may have waited for (epoch ms). */
function lastWord({ startedAt, phaseAt }: NodeInstance, minted: z.output<typeof input>['minted']): number {
  const said = phaseAt === undefined ? startedAt : Math.max(startedAt, Date.parse(phaseAt));
  // Later tokens are for a node that has spoken since the first.
  return minted?.round === 1 ? Math.max(said, Date.parse(minted.at)) : said;
}

export const handler = step(
  { name: 'wait-for-node', input, env, deps: (env) => ({ cluster: env.CLUSTER_NAME, ec2: ec2() }) },
  waitForNode,
);
