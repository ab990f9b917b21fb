import * as z from 'zod';
import { errorInWords } from '../../core/decisions/error-words';
import type { ClusterStore } from '../shared/record/cluster-store';
import { failure, recovery, type Recovery, unleased } from '../../core/record/contracts';
import { clusterStore, notifyDeps } from '../shared/step/deps';
import { readFailure, runbookOf } from '../shared/news/failures';
import { inWords, notify, type NotifyDeps } from '../shared/news/notify';
import { step } from '../shared/step/step';
import { env } from './env';

const input = unleased.extend({
  startedAt: z.iso.datetime(),
  recovery,
  /** What ProbeApp saw from outside, or why it did not look. */
  probe: z.union([failure, z.looseObject({})]).optional(),
  /** Why the platform could not be installed. */
  platform: failure.optional(),
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
  async ({ execution, startedAt, recovery, probe, platform }: z.output<typeof input>): Promise<Recovery> => {
    const { degraded = [] } = await store.read();
    const failed = failure.safeParse(platform ?? probe);
    const { error, cause } = failed.success ? readFailure(failed.data) : {};
    const what = platform ? 'platform not installed' : 'app not reachable';
    const unreachable = cause === undefined ? undefined : `${what}: ${cause}`;
    const outcome = await store.recordRecovery(execution, unreachable);
    if (outcome === 'held') return { ...recovery, next: 'wait' };
    if (outcome === 'recorded') {
      const pools = degraded.map(({ pool }) => pool).join(', ');
      const took = inWords(now() - Date.parse(startedAt));
      await notify(topic, `${execution}#up`, {
        subject: unreachable === undefined ? `${cluster} is awake, with ${pools}` : `${cluster} has ${pools} again`,
        text: [
          `Pool ${pools} is up, ${took} after the wake that went on without.`,
          ...(error === undefined
            ? []
            : [
                `${platform ? 'The platform is not installed' : 'The app is not reachable'}. ${errorInWords(error)}.`,
                `What to do: ${runbookOf(error)}`,
              ]),
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
