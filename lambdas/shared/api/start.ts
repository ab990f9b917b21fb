import type { SFNClient } from '@aws-sdk/client-sfn';
import { executionConsole } from '../../../core/console';
import type { ClusterRecord, Lease } from '../../../core/record/cluster-record';
import { type Estimate, estimateAfter, estimateRest, estimateWhole } from '../../../core/record/estimate';
import { startBody } from '../../../core/api/bodies';
import { logger } from '../clients/logger';
import type { ClusterStore } from '../record/cluster-store';
import type { RunStore } from '../record/run-store';
import { isHolderOver, startOnce } from '../workflows/executions';
import { readStates } from '../workflows/history';
import { type ApiRequest, optionalBodyOf } from './api';

/** Requests within this time (ms) are one: a double click starts one execution. */
const TOGETHER_MS = 10_000;

/** What starts a workflow works with. */
export interface StartDeps {
  /** ARN of the state machine. */
  machineArn: string;
  sfn: SFNClient;
  store: ClusterStore;
  /** By what the estimate goes. */
  runs: Pick<RunStore, 'recent'>;
  now?: () => number;
}

/** What somebody asked for: the execution that does it, and what it waits for. */
interface Asked {
  workflow: 'wake' | 'sleep';
  execution: string;
  /** Of the workflow that has the cluster: this one if it is under way, or else what it waits for. */
  lease: Lease | undefined;
}

/** The cluster's record; the lease of an execution that died is not believed: nobody would wake the cluster then. */
export async function readLive({ sfn, store }: Pick<StartDeps, 'sfn' | 'store'>): Promise<ClusterRecord> {
  const record = await store.read();
  if (record.lease === undefined || !(await isHolderOver(sfn, record.lease))) return record;
  return { ...record, lease: undefined };
}

/** Starts a workflow in the name of the caller, for the reason that he gave. Returns ARN of the execution. */
export async function startRequested(
  { machineArn, sfn, now = Date.now }: StartDeps,
  request: ApiRequest,
): Promise<string> {
  const { reason: why } = await optionalBodyOf(request, startBody);
  const input = { requestedBy: request.caller, ...(why !== undefined && why !== '' && { reason: why }) };
  return startOnce(sfn, machineArn, `api-${Math.floor(now() / TOGETHER_MS)}`, input);
}

/** What a new execution waits for, if it has to. */
export function behind(lease: Lease | undefined): { behind?: { workflow: string; since: string } } {
  return lease ? { behind: { workflow: lease.workflow, since: lease.since } } : {};
}

/** How much longer it takes and where to see how far it is. Whoever comes by a link has no console. */
export async function outlook(deps: StartDeps, { caller }: Pick<ApiRequest, 'caller'>, asked: Asked) {
  const estimate = await estimateOf(deps, asked);
  const look = caller.startsWith('link:')
    ? { status: 'GET /link/status' }
    : { status: 'GET /status', console: executionConsole(asked.execution) };
  return { ...(estimate && { estimate }), look };
}

/** It is started already: what cannot be read of the past makes nothing of that undone. */
async function estimateOf(
  { sfn, runs, now = Date.now }: StartDeps,
  { workflow, execution, lease }: Asked,
): Promise<Estimate | undefined> {
  try {
    const whole = estimateWhole(lease?.owner === execution ? [] : await runs.recent(workflow));
    if (!lease) {
      return (
        whole && { secondsLeft: whole.seconds, secondsLeftAtMost: whole.secondsAtMost, runs: whole.runs, late: false }
      );
    }
    const [past, { states }] = await Promise.all([
      runs.recent(lease.workflow),
      readStates(sfn, lease.owner, { pages: 1, newest: true }),
    ]);
    const rest = estimateRest(past, states, now());
    return lease.owner === execution ? rest : estimateAfter(rest, whole);
  } catch (error) {
    logger.warn('No estimate', error as Error);
    return undefined;
  }
}
