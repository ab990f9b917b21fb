import * as z from 'zod';
import type { ClusterStore } from '../shared/cluster-store';
import { failure, recovery, type Recovery, unleased } from '../shared/contracts';
import { clusterStore, notifyDeps } from '../shared/deps';
import { readFailure, runbookOf } from '../shared/failures';
import { inWords, notify, type NotifyDeps } from '../shared/notify';
import { step } from '../shared/step';
import { env } from './env';

const input = unleased.extend({
  startedAt: z.iso.datetime(),
  recovery,
  /** What ProbeApp saw from outside, or why it did not look. */
  probe: z.union([failure, z.looseObject({})]).optional(),
});

interface Deps {
  cluster: string;
  store: ClusterStore;
  notify: NotifyDeps;
  now?: () => number;
}

/**
 * Ends a recovery: all pools are up, and the cluster is awake. One conditional write, only from awake-degraded and only
 * while no workflow has the cluster; two recoveries at once do no harm by that, nor does one that comes late.
 */
export const recordRecovery =
  ({ cluster, store, notify: topic, now = Date.now }: Deps) =>
  async ({ startedAt, recovery, probe }: z.output<typeof input>): Promise<Recovery> => {
    const { degraded = [] } = await store.read();
    const failed = failure.safeParse(probe);
    const { error, cause } = failed.success ? readFailure(failed.data) : {};
    const unreachable = cause === undefined ? undefined : `app not reachable: ${cause}`;
    const outcome = await store.recordRecovery(unreachable);
    if (outcome === 'held') return { ...recovery, next: 'wait' };
    if (outcome === 'recorded') {
      const pools = degraded.map(({ pool }) => pool).join(', ');
      const took = inWords(now() - Date.parse(startedAt));
      await notify(topic, {
        subject: unreachable === undefined ? `${cluster} is awake, with ${pools}` : `${cluster} has ${pools} again`,
        text: [
          `Pool ${pools} is up, ${took} after the wake that went on without.`,
          ...(error === undefined ? [] : [`The app is not reachable. ${cause}`, `What to do: ${runbookOf(error)}`]),
        ].join('\n\n'),
      });
    }
    return { ...recovery, next: 'over' };
  };

export const handler = step(
  {
    name: 'record-recovery',
    input,
    env,
    deps: (env) => ({ cluster: env.CLUSTER_NAME, store: clusterStore(env), notify: notifyDeps(env) }),
  },
  recordRecovery,
);
