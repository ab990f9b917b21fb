import type { EC2Client } from '@aws-sdk/client-ec2';
import type { Wanted } from '../../../core/record/cluster-record';
import type { ClusterState, Leased } from '../../../core/record/contracts';
import { describeRunningCost } from '../ec2/running-cost';
import type { HistoryStore } from '../record/history-store';
import { describeFailure, failureId } from './describe-failure';
import { notify, type NotifyDeps } from './notify';

export interface TellFailureDeps {
  cluster: string;
  ec2: EC2Client;
  history: Pick<HistoryStore, 'record'>;
  notify: NotifyDeps;
  /** USD an hour by instance type. */
  prices: Readonly<Record<string, number>>;
  now?: () => number;
}

/** A workflow that failed while it had the cluster. */
export interface FailedRun {
  run: Pick<Leased, 'startedAt' | 'requestedBy' | 'reason'>;
  failure: Parameters<typeof describeFailure>[0]['failure'];
  /** State of the cluster from now on; undefined if it stays as it was. */
  state: ClusterState | undefined;
  /** What the cluster is to be. */
  wanted: Wanted | undefined;
}

/** Keeps a failed run among those of the past, and tells people of it, once. */
export async function tellFailure(deps: TellFailureDeps, { run, failure, state, wanted }: FailedRun): Promise<void> {
  const now = (deps.now ?? Date.now)();
  const { workflow, step, error } = failure;
  const { startedAt, requestedBy, reason } = run;
  const endedAt = new Date(now).toISOString();
  await deps.history.record({ workflow, startedAt, endedAt, requestedBy, reason, outcome: 'failed', step, error });
  const cost = await describeRunningCost(deps.ec2, deps.cluster, deps.prices);
  const news = describeFailure({ cluster: deps.cluster, leased: run, failure, state, cost, now });
  await notify(deps.notify, failureId(failure, wanted), news);
}
