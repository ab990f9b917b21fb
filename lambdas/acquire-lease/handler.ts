import type { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { automaticStart } from '../../core/schedule/requests';
import { stepFunctions } from '../shared/clients/clients';
import { STATES_OF, type Lease } from '../../core/record/cluster-record';
import type { ClusterStore } from '../shared/record/cluster-store';
import { type Leased, type Workflow, workflow, workflowRequest } from '../../core/record/contracts';
import { clusterStore } from '../shared/step/deps';
import { isHolderOver } from '../shared/workflows/executions';
import { step } from '../shared/step/step';
import { env } from './env';

const input = z.object({
  execution: z.string(),
  startedAt: z.iso.datetime(),
  workflow,
  request: workflowRequest,
});

/** Another workflow holds the cluster. */
export class ClusterBusy extends Error {
  override readonly name = 'ClusterBusy';
}

/** Another workflow holds the cluster, most often the opposite; this one was remembered, and starts when that ends. */
export class OppositeUnderWay extends Error {
  override readonly name = 'OppositeUnderWay';
}

interface Deps {
  store: ClusterStore;
  sfn: SFNClient;
  now?: () => number;
}

/**
 * Begins a workflow: only one at a time may change the cluster. A lease whose execution is over (stopped, or dead
 * before it could release) is taken over; a live one is not, however old. A child workflow runs under its parent's.
 * @throws OppositeUnderWay a wake that was asked for during a sleep, or a person's sleep during a wake, waits its turn;
 * either waits for what recover-pools has installed, and a schedule's start for any installation
 * @throws ClusterBusy any other that comes second
 */
export const acquireLease =
  ({ store, sfn, now = Date.now }: Deps) =>
  async ({ execution, startedAt, workflow, request }: z.output<typeof input>): Promise<Leased> => {
    const owner = request.lease ?? execution;
    const { requestedBy, reason } = request;
    const asked = { requestedBy, ...(reason !== undefined && { reason }) };
    const begun = { execution, lease: owner, workflow, ...asked, startedAt };
    if (request.lease !== undefined) {
      await store.renewLease(owner, workflow);
      return begun;
    }
    const { during: state, wanted: goal } = STATES_OF[workflow];
    // What is only tried again was asked for before.
    const isRetry = automaticStart(asked.requestedBy)?.kind === 'look-after';
    const wanted = { owner, workflow, ...asked, state, wanted: isRetry ? undefined : goal };
    if (await store.acquireLease(wanted)) return begun;

    const { lease } = await store.read();
    const deadOwner = lease && (await isHolderOver(sfn, lease, now())) ? lease.owner : undefined;
    if ((!lease || deadOwner) && (await store.acquireLease({ ...wanted, deadOwner }))) return begun;
    const holder = (await store.read()).lease ?? lease;
    const Busy = waits(wanted, holder, now()) ? OppositeUnderWay : ClusterBusy;
    throw new Busy(describeHolder(holder, now()));
  };

/** Workflows that put the cluster to sleep or wake it; the others leave it as it is, and are over soon. */
const CHANGES_STATE: ReadonlySet<Workflow> = new Set(['sleep', 'wake', 'bootstrap']);

/** A holder that makes no progress needs a person; nobody waits for it. */
function waits(wanted: { workflow: Workflow; requestedBy: string }, holder: Lease | undefined, now: number): boolean {
  if (!holder || isStuck(holder, now)) return false;
  // What recover-pools starts by itself turns nobody away.
  if (holder.workflow === 'install-platform' && holder.requestedBy.startsWith('capacity:')) return true;
  const automatic = automaticStart(wanted.requestedBy) !== undefined;
  // Nobody is there to start it again once the platform is installed, and the cluster would be billed all night.
  if (automatic && !CHANGES_STATE.has(holder.workflow)) return true;
  if (wanted.workflow === 'wake') return holder.workflow === 'sleep';
  return wanted.workflow === 'sleep' && !automatic && holder.workflow !== 'sleep' && CHANGES_STATE.has(holder.workflow);
}

function isStuck({ until }: Lease, now: number): boolean {
  return now > Date.parse(until);
}

function describeHolder(lease: Lease | undefined, now: number): string {
  if (!lease) return 'Another workflow took the cluster a moment ago; try again';
  const minutes = Math.floor((now - Date.parse(lease.since)) / 60_000);
  const stuck = isStuck(lease, now)
    ? '; it has made no progress for 15 minutes: stop that execution, then try again'
    : '';
  return `${lease.workflow} (started by ${lease.requestedBy} ${minutes} min ago, at ${lease.step}) holds the cluster: ${lease.owner}${stuck}`;
}

export const handler = step(
  {
    name: 'acquire-lease',
    input,
    env,
    deps: (env) => ({ store: clusterStore(env), sfn: stepFunctions() }),
  },
  acquireLease,
);
