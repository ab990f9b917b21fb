import type { SFNClient } from '@aws-sdk/client-sfn';
import type * as z from 'zod';
import type { LinkStatus } from '../../core/api/link-answer';
import { describeCost, type ratesEnv } from '../../core/cost/rates';
import type { Link } from '../../core/links/link';
import type { FailureRecord, Lease } from '../../core/record/cluster-record';
import { estimateRest, estimateWhole, quantile, type TimedRun } from '../../core/record/estimate';
import type { PastRun } from '../../core/record/past-run';
import { failureInWords, STEP_IN_WORDS, whoAsked } from '../../core/words';
import type { ClusterStore } from '../shared/record/cluster-store';
import type { HistoryStore } from '../shared/record/history-store';
import type { RunStore } from '../shared/record/run-store';
import type { ScheduleStatus } from '../shared/record/schedule-status';
import { findWaiting } from '../shared/workflows/executions';
import { readStates, type StateRun } from '../shared/workflows/history';

/** A wake writes some hundred events. */
const PAGES = 1;
/** Runs that the page shows. */
const RUNS = 10;

export interface ViewDeps {
  cluster: string;
  sfn: SFNClient;
  store: ClusterStore;
  runs: RunStore;
  history: HistoryStore;
  schedule: () => Promise<ScheduleStatus>;
  rates: z.output<typeof ratesEnv>['RATES'];
  machines: Readonly<Record<'wake' | 'sleep', string>>;
  appUrl: string;
  now?: () => Date;
}

/** All that a link may see, in one look. */
export async function readView(deps: ViewDeps, link: Link): Promise<LinkStatus> {
  const { cluster, store, runs, history, now = () => new Date(), appUrl, rates } = deps;
  const [record, past, schedule, wakes] = await Promise.all([
    store.read(),
    history.recent(),
    deps.schedule(),
    runs.recent('wake'),
  ]);
  const { state, since, lease, failure, degraded = [], unreachable } = record;
  const at = now();
  const [running, waiting] = await Promise.all([
    lease && describeRunning(deps, lease, lease.workflow === 'wake' ? wakes : undefined, at.getTime()),
    findWaiting(deps.sfn, deps.machines, lease?.owner),
  ]);
  const usualWake = estimateWhole(wakes);
  return {
    cluster,
    state,
    ...(since !== undefined && { since }),
    now: at.toISOString(),
    person: link.name,
    rights: [...link.rights],
    expiresAt: link.expiresAt,
    ...(running && { running }),
    waiting: (['wake', 'sleep'] as const).filter((one) => waiting.some(({ workflow }) => workflow === one)),
    ...(usualWake && { usualWake }),
    ...(failure && { failure: describeFailure(failure) }),
    missing: degraded.map(({ pool }) => pool),
    appAnswers: unreachable === undefined,
    ...(appUrl !== '' && { appUrl }),
    schedule,
    cost: describeCost(rates, { runs: past, state, running: lease, now: at }),
    runs: past.slice(0, RUNS).map(describeRun),
  };
}

async function describeRunning(
  { sfn, runs }: ViewDeps,
  { owner, workflow, since, requestedBy, reason }: Lease,
  known: TimedRun[] | undefined,
  now: number,
): Promise<NonNullable<LinkStatus['running']>> {
  const [{ states, ended }, past] = await Promise.all([
    readStates(sfn, owner, { pages: PAGES, newest: true }),
    known ?? runs.recent(workflow),
  ]);
  const estimate = ended === undefined ? estimateRest(past, states, now) : undefined;
  return {
    workflow,
    since,
    by: whoAsked(requestedBy),
    ...(reason !== undefined && { reason }),
    cutOff: ended !== undefined,
    steps: states.filter(({ name }) => name in STEP_IN_WORDS).map((one) => describeStep(one, past)),
    ...(estimate && { estimate }),
  };
}

function describeStep({ name, enteredAt, exitedAt }: StateRun, past: readonly TimedRun[]) {
  const usual = past.flatMap(({ states }) => states.filter((one) => one.name === name).map(({ seconds }) => seconds));
  return {
    name,
    words: STEP_IN_WORDS[name] ?? name,
    since: new Date(enteredAt).toISOString(),
    ...(exitedAt !== undefined && { seconds: (exitedAt - enteredAt) / 1000 }),
    ...(usual.length > 0 && { usualSeconds: quantile(usual, 0.5) }),
  };
}

function describeFailure(failure: FailureRecord) {
  const { workflow, error, at } = failure;
  const { step, advice } = failureInWords(failure);
  return { workflow, words: step, error, at, advice };
}

function describeRun({ workflow, startedAt, endedAt, requestedBy, reason, outcome, step }: PastRun) {
  return {
    workflow,
    startedAt,
    seconds: (Date.parse(endedAt) - Date.parse(startedAt)) / 1000,
    by: whoAsked(requestedBy),
    ...(reason !== undefined && { reason }),
    outcome,
    ...(step !== undefined && { words: STEP_IN_WORDS[step] ?? step }),
  };
}
