import type { SFNClient } from '@aws-sdk/client-sfn';
import type { ClusterRecord, Lease } from '../../../core/record/cluster-record';
import { startBody } from '../../../core/api/bodies';
import type { ClusterStore } from '../record/cluster-store';
import { isHolderOver, startOnce } from '../workflows/executions';
import { type ApiRequest, optionalBodyOf } from './api';

/** Requests within this time (ms) are one: a double click starts one execution. */
const TOGETHER_MS = 10_000;

/** What starts a workflow works with. */
export interface StartDeps {
  /** ARN of the state machine. */
  machineArn: string;
  sfn: SFNClient;
  store: ClusterStore;
  now?: () => number;
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
