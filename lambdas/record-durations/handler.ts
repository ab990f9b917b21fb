import type { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { stepFunctions } from '../shared/clients';
import type { ClusterStore } from '../shared/cluster-store';
import { failure, leased } from '../shared/contracts';
import { clusterStore, runStore } from '../shared/deps';
import { readStates } from '../shared/history';
import type { RunStore } from '../shared/run-store';
import { step } from '../shared/step';
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
  ({ sfn, runs, now = Date.now }: Deps) =>
  async ({
    execution,
    workflow,
    startedAt,
    requestedBy,
    nodes,
    probe,
  }: z.output<typeof input>): Promise<{ seconds: number }> => {
    const { states } = await readStates(sfn, execution, { pages: PAGES });
    const seconds = toSeconds(now() - Date.parse(startedAt));
    await runs.record({
      workflow,
      startedAt,
      seconds,
      states: states.flatMap(({ name, enteredAt, exitedAt }) =>
        exitedAt === undefined ? [] : [{ name, seconds: toSeconds(exitedAt - enteredAt) }],
      ),
      requestedBy,
      outcome: (nodes?.missing ?? 0) > 0 || probe?.Error !== undefined ? 'degraded' : 'succeeded',
    });
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
