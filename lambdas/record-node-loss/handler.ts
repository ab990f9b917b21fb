import * as z from 'zod';
import type { ClusterStore } from '../shared/record/cluster-store';
import { type LostNode, lostNode } from '../../core/record/contracts';
import { clusterStore, notifyDeps } from '../shared/step/deps';
import { notify, type NotifyDeps } from '../shared/news/notify';
import { step } from '../shared/step/step';
import { env } from './env';

const input = z.object({
  execution: z.string(),
  lost: lostNode,
  /** What MoveElasticIp left. */
  elasticIp: z.object({ holder: z.string().optional() }),
});

interface Deps {
  cluster: string;
  store: ClusterStore;
  notify: NotifyDeps;
}

/** Keeps that a node was lost, and tells of it, once: Spot's warning is followed by the end, and events come twice. */
export const recordNodeLoss =
  ({ cluster, store, notify: deps }: Deps) =>
  async ({ execution, lost, elasticIp }: z.output<typeof input>): Promise<{ isNew: boolean }> => {
    const { instanceId: instance, ...rest } = lost;
    const isNew = await store.recordEvent(`node#${instance}`, { ...rest, instance, elasticIp, execution });
    const news = { subject: `${cluster}: ${nameOf(lost)} lost`, text: describe(lost, elasticIp.holder) };
    await notify(deps, `lost#${instance}`, news);
    return { isNew };
  };

function nameOf({ pool, seat, instanceId }: LostNode): string {
  return `${pool === undefined ? `seat ${seat ?? '?'}` : `a node of ${pool}`} (${instanceId})`;
}

function describe(lost: LostNode, holder: string | undefined): string {
  const lines = [
    `${nameOf(lost)} ${lost.what === 'terminated' ? 'has ended' : 'is about to end'}: ${lost.cause}`,
    'Its group makes a new one, nothing needs to be done.',
  ];
  if (!lost.ingress) return lines.join('\n');
  const isElsewhere = holder !== undefined && holder !== lost.instanceId;
  const address = isElsewhere ? `is on ${holder} now` : 'goes to the new one as soon as that runs';
  return [...lines, `The Elastic IP ${address}.`].join('\n');
}

export const handler = step(
  {
    name: 'record-node-loss',
    input,
    env,
    deps: (env) => ({ cluster: env.CLUSTER_NAME, store: clusterStore(env), notify: notifyDeps(env) }),
  },
  recordNodeLoss,
);
