import type { SFNClient } from '@aws-sdk/client-sfn';
import { executionConsole } from '../../core/console';
import type { Lease } from '../../core/record/cluster-record';
import { estimateAfter, type Estimate, estimateRest, estimateWhole, type TimedRun } from '../../core/record/estimate';
import type { ClusterStore } from '../shared/record/cluster-store';
import { type RunStore, usualOf } from '../shared/record/run-store';
import type { Waiting } from '../shared/workflows/executions';
import { readStates } from '../shared/workflows/history';

export interface WorkDeps {
  sfn: SFNClient;
  store: ClusterStore;
  runs: RunStore;
  now?: () => Date;
}

/** The last runs that ended well of the workflows that people wait for. */
type Past = Readonly<Record<'wake' | 'sleep', readonly TimedRun[]>>;

/** One thousand events from the end: a state that polls writes three each time. */
const PAGES = 1;

/** The workflow that runs: who asked, which steps are under way, how long they usually take, how much longer it takes. */
export async function describeRunning(
  { sfn, runs, now = () => new Date() }: WorkDeps,
  { workflow, step, since, requestedBy, reason, owner }: Lease,
  known: Past,
) {
  const [past, { states, ended }] = await Promise.all([
    workflow === 'wake' || workflow === 'sleep' ? known[workflow] : runs.recent(workflow),
    readStates(sfn, owner, { pages: PAGES, newest: true }),
  ]);
  const usual = usualOf(past);
  const estimate = ended === undefined ? estimateRest(past, states, now().getTime()) : undefined;
  const underWay = states.filter(({ exitedAt }) => exitedAt === undefined);
  return {
    workflow,
    /** The step begun last; several may be under way side by side. */
    step,
    since,
    requestedBy,
    reason,
    execution: owner,
    /** How the execution ended without giving back the lease: the next workflow takes it over. */
    ended,
    usualSeconds: usual?.seconds,
    estimate,
    console: executionConsole(owner),
    states: underWay.map(({ name, enteredAt }) => ({
      name,
      since: new Date(enteredAt).toISOString(),
      usualSeconds: usual?.states[name],
    })),
  };
}

/** What waits for its turn, and behind what. Of several nobody knows which comes first. */
export function describeWaiting(
  queue: readonly Waiting[],
  running: { workflow: string; since: string; ended?: string | undefined; estimate?: Estimate | undefined } | undefined,
  past: Past,
) {
  const holder = running?.ended === undefined ? running : undefined;
  const alone = queue.length === 1;
  return queue.map((one) => ({
    ...one,
    behind: holder && { workflow: holder.workflow, since: holder.since },
    estimate: alone ? estimateAfter(holder?.estimate, estimateWhole(past[one.workflow])) : undefined,
  }));
}
