import type { PastRun } from '../record/past-run';
import type { ClusterState, Workflow } from '../record/contracts';

/** What a cluster costs (USD an hour), as its configuration says. */
export interface Rates {
  awakePerHour: number;
  asleepPerHour: number;
}

/** What is known of the cluster at the moment of the bill. */
export interface BilledLife {
  /** Runs of this month and of the one before, in any order. */
  runs: readonly PastRun[];
  /** The state now. */
  state: ClusterState;
  /** The workflow that runs now, if any. */
  running?: { workflow: Workflow; since: string } | undefined;
  now: Date;
}

/** The bill of this month so far, by the hours that the record shows, at list prices. */
export interface MonthBill {
  /** UTC ISO time from which hours are counted: the first of the month, or when the cluster was first started. */
  from: string;
  to: string;
  awakeHours: number;
  asleepHours: number;
  usd: number;
  /** What it would have cost without a sleep. */
  alwaysOnUsd: number;
  savedUsd: number;
}

const HOUR_MS = 3_600_000;
const STARTS: ReadonlySet<Workflow> = new Set(['wake', 'bootstrap']);

/**
 * The bill of this month so far. Instances are counted from the moment at which a wake began until a sleep had ended them: a
 * failed wake runs on, a failed sleep too.
 */
export function monthBill({ runs, state, running, now }: BilledLife, rates: Rates): MonthBill {
  const changes = changesOf(runs, running);
  const monthStart = Date.UTC(now.getUTCFullYear(), now.getUTCMonth());
  const first = changes[0]?.at;
  const end = now.getTime();
  // Whoever has no record yet was made before the record was, or never started.
  const from = first === undefined ? (state === 'asleep' ? end : monthStart) : Math.max(monthStart, first);
  let awake = first === undefined ? state !== 'asleep' : first < monthStart && lastBefore(changes, monthStart);
  let since = from;
  let awakeMs = 0;
  for (const { at, up } of changes.filter(({ at }) => at >= from && at <= end)) {
    if (awake) awakeMs += at - since;
    [awake, since] = [up, at];
  }
  if (awake) awakeMs += end - since;
  const awakeHours = awakeMs / HOUR_MS;
  const asleepHours = (end - from) / HOUR_MS - awakeHours;
  const usd = awakeHours * rates.awakePerHour + asleepHours * rates.asleepPerHour;
  const alwaysOnUsd = (awakeHours + asleepHours) * rates.awakePerHour;
  return {
    from: new Date(from).toISOString(),
    to: now.toISOString(),
    awakeHours,
    asleepHours,
    usd,
    alwaysOnUsd,
    savedUsd: alwaysOnUsd - usd,
  };
}

/** When instances began to run, and when none did any more, in order. */
function changesOf(runs: readonly PastRun[], running: BilledLife['running']): { at: number; up: boolean }[] {
  const past = runs.flatMap(({ workflow, startedAt, endedAt, outcome }) => {
    if (STARTS.has(workflow)) return [{ at: Date.parse(startedAt), up: true }];
    const slept = workflow === 'sleep' && outcome !== 'failed';
    return slept ? [{ at: Date.parse(endedAt), up: false }] : [];
  });
  const now = running && STARTS.has(running.workflow) ? [{ at: Date.parse(running.since), up: true }] : [];
  return [...past, ...now].sort((a, b) => a.at - b.at);
}

function lastBefore(changes: readonly { at: number; up: boolean }[], time: number): boolean {
  return changes.findLast(({ at }) => at < time)?.up === true;
}
