import type { EC2Client } from '@aws-sdk/client-ec2';
import * as z from 'zod';
import { ec2 } from '../shared/clients';
import { ApiNotReady, NodeFailed } from '../shared/errors';
import { describeNodes, FAILED, listNodes, LIVE_STATES, readySeat } from '../shared/instances';
import { step } from '../shared/step';
import { env } from './env';

/** Wake, bootstrap and join-node all wait here. */
const input = z.object({ execution: z.string() });

interface Deps {
  cluster: string;
  ec2: EC2Client;
}

/**
 * Waits until a seat says that the API answers. Each seat is a new instance after a sleep, so what it says is never
 * from before.
 * @throws ApiNotReady until then
 * @throws NodeFailed every seat there is has given up
 */
export const waitForApi =
  ({ cluster, ec2 }: Deps) =>
  async (): Promise<{ seat: string }> => {
    const nodes = await describeNodes(ec2, cluster, LIVE_STATES);
    const ready = readySeat(nodes);
    if (ready) return { seat: ready.id };
    const seats = nodes.filter(({ role }) => role === 'seat');
    if (seats.length === 0) throw new ApiNotReady('No control-plane seat has an instance yet');
    if (seats.every(({ phase }) => phase.startsWith(FAILED))) throw new NodeFailed(`Seats failed: ${listNodes(seats)}`);
    throw new ApiNotReady(`Seats are on their way: ${listNodes(seats)}`);
  };

export const handler = step(
  { name: 'wait-for-api', input, env, deps: (env) => ({ cluster: env.CLUSTER_NAME, ec2: ec2() }) },
  waitForApi,
);
