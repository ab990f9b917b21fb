import * as z from 'zod';

/**
 * What the workflows hand from step to step, typed once. A workflow's state is one object: each step reads the fields
 * that it needs (by picking from these schemas) and its result is put under a field of its own.
 */

/** The workflows that hold the lease. */
export const workflow = z.enum(['bootstrap', 'wake', 'sleep', 'install-platform', 'restore-etcd']);
export type Workflow = z.infer<typeof workflow>;

/** What a cluster can be. `waking` covers bootstrap too. */
export const clusterState = z.enum([
  'asleep',
  'waking',
  'awake',
  'awake-degraded',
  'sleeping',
  'sleep-failed',
  'wake-failed',
]);
export type ClusterState = z.infer<typeof clusterState>;

/** Input of a workflow, by whoever starts it. */
export const workflowRequest = z.object({
  /** Who asked, for the record: `schedule:<name>`, `api`, `cli`, `local`, or a person's name. */
  requestedBy: z.string().default('console'),
  /** Set by a parent workflow that already holds the lease: the ARN of its execution. */
  lease: z.string().optional(),
});

/** The state of every workflow after AcquireLease. */
export const leased = z.object({
  /** ARN of this execution. */
  execution: z.string(),
  /** ARN of the execution that holds the lease: this one, or its parent. */
  lease: z.string(),
  workflow,
  requestedBy: z.string(),
  /** UTC ISO time. */
  startedAt: z.iso.datetime(),
});
export type Leased = z.infer<typeof leased>;

/** Input of the workflows that hold no lease, once the first state has read it. */
export const unleased = z.object({
  /** ARN of this execution. */
  execution: z.string(),
  workflow: z.enum(['snapshot-etcd', 'handle-node-loss']),
});

/** Result of snapshot-etcd: what the script says that it stored. */
export const snapshot = z.object({
  /** Key of the snapshot in the cluster's bucket. */
  key: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  /** etcd's revision at that moment. */
  revision: z.number(),
  at: z.string(),
});
/** Its result when there is nothing to save, and why. */
export const skipped = z.object({ skipped: z.string() });

/** Number of nodes of a group. */
export const groupSize = z.object({ min: z.int(), desired: z.int(), max: z.int() });
export type GroupSize = z.infer<typeof groupSize>;

/** A pool that could not be brought to its size, and why. */
export const degradedPool = z.object({ pool: z.string(), reason: z.string() });
export type DegradedPool = z.infer<typeof degradedPool>;

/** What CheckPrerequisites leaves: what does not stop a wake, and somebody should know. */
export const prerequisites = z.object({ warnings: z.array(z.string()) });

/** What a failed Task leaves under `$.failure` by its Catch. */
export const failure = z.object({ Error: z.string(), Cause: z.string().default('') });

/** NotificationMetadata of the launch lifecycle hook. */
export const launchMetadata = z.object({
  role: z.enum(['seat', 'pool']),
  pool: z.string().optional(),
  ingress: z.boolean(),
});

/** The state of join-node: which instance is launching, and how to answer the hook that holds it. */
export const launch = z.object({
  execution: z.string(),
  instanceId: z.string(),
  group: z.string(),
  hook: z.string(),
  token: z.string(),
  metadata: launchMetadata,
});
export type Launch = z.infer<typeof launch>;
