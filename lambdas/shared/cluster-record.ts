import * as z from 'zod';
import { clusterState, degradedPool, groupSize, workflow, type ClusterState, type Workflow } from './contracts';

/** The lease: which execution may change the cluster, and how far it has come. */
const lease = z.object({
  /** ARN of the execution that holds it. */
  owner: z.string(),
  workflow,
  requestedBy: z.string(),
  /** UTC ISO time at which the workflow took it. */
  since: z.string(),
  /** UTC ISO time until which it holds without further progress. */
  until: z.string(),
  /** The step begun last. */
  step: z.string(),
});
export type Lease = z.infer<typeof lease>;

/** How a failed workflow ended. */
const failureRecord = z.object({
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
const snapshotFailure = failureRecord.omit({ workflow: true }).extend({ workflow: z.string() });

export type SnapshotFailure = z.infer<typeof snapshotFailure>;

/** The execution that gave the lease back last. */
const lastRun = z.object({ execution: z.string(), ok: z.boolean(), at: z.string() });

/** All that is known of a cluster: one item, so that each change of state and lease is one conditional write. */
export const clusterRecord = z.object({
  state: clusterState.default('asleep'),
  since: z.string().optional(),
  lease: lease.optional(),
  /** Sizes of pools by name at the last sleep; gone once a wake has brought them back. */
  sizes: z.record(z.string(), groupSize).optional(),
  failure: failureRecord.optional(),
  last: lastRun.optional(),
  /** Pools without which the last wake ended, and why. */
  degraded: z.array(degradedPool).optional(),
  /** Pools that the workflow under way lacks instances for, and why. */
  shortages: z.array(degradedPool).optional(),
  /** Why the app could not be seen from outside at the end of the last wake. */
  unreachable: z.string().optional(),
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

/** Workflows that change the cluster's state, and what it is while they run, after they end, and after they fail. */
export const STATES_OF: Readonly<
  Record<Workflow, { during?: ClusterState; after?: ClusterState; failed?: ClusterState }>
> = {
  bootstrap: { during: 'waking', after: 'awake', failed: 'wake-failed' },
  wake: { during: 'waking', after: 'awake', failed: 'wake-failed' },
  sleep: { during: 'sleeping', after: 'asleep', failed: 'sleep-failed' },
  'install-platform': {},
  'restore-etcd': {},
};
