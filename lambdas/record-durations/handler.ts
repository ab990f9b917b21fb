import type { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { stepFunctions } from '../shared/clients/clients';
import type { ClusterStore } from '../shared/record/cluster-store';
import { STATES_OF } from '../../core/record/cluster-record';
import { failure, leased } from '../../core/record/contracts';
import { clusterStore, runStore } from '../shared/step/deps';
import { readStates } from '../shared/workflows/history';
import type { RunStore } from '../shared/record/run-store';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.extend({
  /** What WaitForNodes left. */
  nodes: z.object({ missing: z.int() }).optional(),
  /** What ProbeApp left. */
  probe: failure.partial().optional(),
});

interface Deps {
  sfn: SFNClient;
  runs: RunStore;
  store: ClusterStore;
  now?: () => number;
}

/** Five thousand events: ten times those of a slow wake. */
const PAGES = 5;

/**
 * Keeps how long each state of this run took, as the execution's own history tells: what status answers to "how long
 * will it take?", and where to look when a wake gets slower.
 */
export const recordDurations =
  ({ sfn, runs, store, now = Date.now }: Deps) =>
  async ({
    execution,
    workflow,
    startedAt,
    requestedBy,
    nodes,
    probe,
  }: z.output<typeof input>): Promise<{ seconds: number }> => {
    const [{ states }, { lease, beforeState }] = await Promise.all([
      readStates(sfn, execution, { pages: PAGES }),
      store.read(),
    ]);
    // What it waited for its turn is no part of how long it takes.
    const began = Date.parse(lease?.owner === execution ? lease.since : startedAt);
    const seconds = toSeconds(now() - began);
    const outcome = (nodes?.missing ?? 0) > 0 || probe?.Error !== undefined ? 'degraded' : 'succeeded';
    // A wake of what was awake, or one that went on without some pools, tells nothing of the next.
    const isUsual = outcome === 'succeeded' && beforeState !== STATES_OF[workflow].after;
    const run = {
      workflow,
      startedAt,
      seconds,
      states: states.flatMap(({ name, enteredAt, exitedAt }) =>
        exitedAt === undefined
          ? []
          : [
              {
                name,
                seconds: toSeconds(Math.max(0, exitedAt - Math.max(enteredAt, began))),
                at: toSeconds(Math.max(0, enteredAt - began)),
              },
            ],
      ),
      requestedBy,
      outcome,
    } as const;
    await runs.record(run, isUsual);
    return { seconds };
  };

function toSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}

export const handler = step(
  {
    name: 'record-durations',
    input,
    env,
    deps: (env) => ({ sfn: stepFunctions(), runs: runStore(env), store: clusterStore(env) }),
  },
  recordDurations,
);
