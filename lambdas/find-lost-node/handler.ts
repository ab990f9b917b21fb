import type { EC2Client } from '@aws-sdk/client-ec2';
import type * as z from 'zod';
import { ec2 } from '../shared/clients/clients';
import type { ClusterStore } from '../shared/record/cluster-store';
import { type LostNode, unleased } from '../../core/record/contracts';
import { clusterStore } from '../shared/step/deps';
import { describeNode } from '../shared/ec2/instances';
import { nodeEvent, readNodeEvent, SCALE_IN } from '../../core/decisions/node-events';
import { step } from '../shared/step/step';
import { env } from './env';

const input = unleased.extend({ event: nodeEvent });

interface Deps {
  cluster: string;
  ec2: EC2Client;
  store: ClusterStore;
}

/**
 * Which node an event is about, if it is a loss at all: one of ours, while anything runs, that neither a smaller size nor a failed
 * join has ended. Spot's warnings come for every instance of the account.
 */
export const findLostNode =
  ({ cluster, ec2, store }: Deps) =>
  async ({ event }: z.output<typeof input>): Promise<LostNode | { ignored: string }> => {
    const told = readNodeEvent(event);
    if (told.cause.includes(SCALE_IN)) return { ignored: 'its group was made smaller' };
    const { state, lease } = await store.read();
    // What ends then was meant to.
    if (state === 'asleep' || lease?.workflow === 'sleep') return { ignored: `the cluster is ${state}` };
    const node = await describeNode(ec2, cluster, told.instanceId);
    if (!node) return { ignored: `${told.instanceId} is no instance of this cluster` };
    if (await store.isAbandoned(told.instanceId)) return { ignored: 'it never joined: its launch was given up' };
    const { role, pool, seat, ingress } = node;
    return { role, pool, seat, ingress, ...told };
  };

export const handler = step(
  {
    name: 'find-lost-node',
    input,
    env,
    deps: (env) => ({ cluster: env.CLUSTER_NAME, ec2: ec2(), store: clusterStore(env) }),
  },
  findLostNode,
);
