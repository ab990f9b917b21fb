import * as z from 'zod';
import { clusterState, degradedPool, groupSize, workflow, type ClusterState, type Workflow } from './contracts';

/**
 * How far the holder of the lease has come. In the table beside the lease, as `progress`, and there exactly as long as it: every
 * step of a workflow writes it, and only those that take and give back the lease may write that.
 */
const progress = z.object({
  /** ARN of the execution that holds the lease. */
  owner: z.string(),
  /** UTC ISO time until which it holds without further progress. */
  until: z.string(),
  /** The step begun last. */
  step: z.string(),
});
export type Progress = z.infer<typeof progress>;

/** The lease: which execution may change the cluster, and how far it has come. */
const lease = progress.extend({
  workflow,
  requestedBy: z.string(),
  /** Why, in the words of whoever asked. */
  reason: z.string().optional(),
  /** UTC ISO time at which the workflow took it. */
  since: z.string(),
});
export type Lease = z.infer<typeof lease>;

/** How a failed workflow ended. */
export const failureRecord = z.object({
  workflow,
  /** State of the state machine that failed. */
  step: z.string(),
  /** Name of the error. */
  error: z.string(),
  cause: z.string(),
  /** `retryable`, `needs-a-person` or `configuration`; missing in records of earlier versions. */
  class: z.enum(['retryable', 'needs-a-person', 'configuration']).optional(),
  at: z.string(),
  execution: z.string(),
  /** CloudWatch log group of what failed. */
  log: z.string().optional(),
  /** What to do about it: an entry of the runbook. */
  runbook: z.string().optional(),
});
export type FailureRecord = z.infer<typeof failureRecord>;

/** The newest snapshot that was verified in the bucket. */
const snapshotRecord = z.object({
  key: z.string(),
  /** When it was taken, UTC ISO. */
  at: z.string(),
  bytes: z.number(),
  sha256: z.string(),
});
export type SnapshotRecord = z.infer<typeof snapshotRecord>;

/** How snapshot-etcd failed last; gone with the next that succeeds as a whole. */
const snapshotFailure = failureRecord.omit({ workflow: true }).extend({
  workflow: z.string(),
  /** Execution of the first failure in a row: of the others nobody is told. */
  first: z.string().optional(),
});

export type SnapshotFailure = z.infer<typeof snapshotFailure>;

/** What the cluster is to be, whatever it is: who asked last, and when. */
const wanted = z.object({
  state: z.enum(['asleep', 'awake']),
  /** UTC ISO time. */
  since: z.string(),
  /** `requestedBy` of whoever asked. */
  by: z.string(),
});
export type Wanted = z.infer<typeof wanted>;

/** How often something was tried again, when last (UTC ISO), and whether a person was told that it does not help. */
const tries = z.object({ count: z.int(), at: z.string(), told: z.boolean().optional() });
export type Tries = z.infer<typeof tries>;

/** What look-after has tried, by what it was about. Each change is one conditional write: only on what was seen. */
const care = z.object({
  version: z.int(),
  /** Identifies the write. */
  by: z.string().optional(),
  tries: z.record(z.string(), tries),
});
export type Care = z.infer<typeof care>;

/** The execution that gave the lease back last. */
const lastRun = z.object({ execution: z.string(), ok: z.boolean(), at: z.string() });

/** All that is known of a cluster: one item, so that each change of state and lease is one conditional write. */
export const clusterRecord = z.object({
  state: clusterState.default('asleep'),
  since: z.string().optional(),
  /** Missing in records of earlier versions: see `intentOf`. */
  wanted: wanted.optional(),
  care: care.optional(),
  /** Since when nodes may be cordoned (UTC ISO): drained by a sleep that has not ended well. */
  drainedAt: z.string().optional(),
  lease: lease.optional(),
  /** What the cluster was before the workflow that has it, and since when. */
  beforeState: clusterState.optional(),
  beforeSince: z.string().optional(),
  /** Sizes of pools by name at the last sleep; gone once a wake has brought them back. */
  sizes: z.record(z.string(), groupSize).optional(),
  failure: failureRecord.optional(),
  last: lastRun.optional(),
  /** Pools without which the last wake ended, and why. */
  degraded: z.array(degradedPool).optional(),
  /** Execution of recover-pools that saw them come up. */
  recoveredBy: z.string().optional(),
  /** Pools that the workflow under way lacks instances for, and why. */
  shortages: z.array(degradedPool).optional(),
  /** The same of seats. */
  seatShortages: z.array(degradedPool).optional(),
  /** Why the app could not be seen from outside at the end of the last wake. */
  unreachable: z.string().optional(),
  /** Until when the app's certificate holds, as the last wake has seen it (UTC ISO). */
  certificateUntil: z.string().optional(),
  /** ARN of the API's load balancer that was deleted last; AWS may list it for a while. */
  deletedLoadBalancer: z.string().optional(),
  /** What the last wake's pre-checks found that did not stop it. */
  warnings: z.array(z.string()).optional(),
  /** When the platform was last seen installed and healthy. */
  platformAt: z.string().optional(),
  snapshot: snapshotRecord.optional(),
  snapshotFailure: snapshotFailure.optional(),
});
export type ClusterRecord = z.infer<typeof clusterRecord>;

export const commandRecord = z.object({ commandId: z.string(), instanceId: z.string(), sentAt: z.number() });
/** A Run Command that a workflow sent and still waits for; `sentAt` in epoch ms. */
export type CommandRecord = z.infer<typeof commandRecord>;

/** Workflows that change the cluster's state: what they are asked for, and the state while they run and after they end or fail. */
export const STATES_OF: Readonly<
  Record<Workflow, { wanted?: Wanted['state']; during?: ClusterState; after?: ClusterState; failed?: ClusterState }>
> = {
  bootstrap: { wanted: 'awake', during: 'waking', after: 'awake', failed: 'wake-failed' },
  wake: { wanted: 'awake', during: 'waking', after: 'awake', failed: 'wake-failed' },
  sleep: { wanted: 'asleep', during: 'sleeping', after: 'asleep', failed: 'sleep-failed' },
  'install-platform': {},
  'restore-etcd': {},
};

/** The record as the cluster's item of the table has it: the lease's progress is kept beside the lease. */
export function recordOf(item: object | undefined): ClusterRecord {
  const { lease, progress, ...rest } = (item ?? {}) as { lease?: object; progress?: object };
  return clusterRecord.parse({ ...rest, ...(lease && { lease: { ...progress, ...lease } }) });
}
