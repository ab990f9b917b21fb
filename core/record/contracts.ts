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

/** Why somebody asked, in his own words: one short line. */
export const reason = z
  .string()
  .max(120)
  // Control characters would make several lines of it in a log or a mail.
  .transform((text) => text.replace(/\p{C}/gu, ' ').trim())
  .optional();

/** Input of a workflow, by whoever starts it. */
export const workflowRequest = z.object({
  /** Who asked, for the record: `schedule:<name>`, `api`, `cli`, `local`, or a person's name. */
  requestedBy: z.string().default('console'),
  reason: reason.catch(undefined),
  /** Set by a parent workflow that already holds the lease: the ARN of its execution. */
  lease: z.string().optional(),
});

/** What a schedule or the catch-up adds to its request. */
export const scheduledStart = z.object({
  /** UTC ISO instant of the event; anything else (an engine that does not fill it in) counts as none. */
  scheduledAt: z.iso.datetime().optional().catch(undefined),
});

/** The state of every workflow after AcquireLease. */
export const leased = z.object({
  /** ARN of this execution. */
  execution: z.string(),
  /** ARN of the execution that holds the lease: this one, or its parent. */
  lease: z.string(),
  workflow,
  requestedBy: z.string(),
  reason: reason.catch(undefined),
  /** UTC ISO time. */
  startedAt: z.iso.datetime(),
});
export type Leased = z.infer<typeof leased>;

/** Input of the workflows that hold no lease, once the first state has read it. */
export const unleased = z.object({
  /** ARN of this execution. */
  execution: z.string(),
  workflow: z.enum(['snapshot-etcd', 'handle-node-loss', 'recover-pools']),
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

/** Input of restore-etcd, by the person who starts it. Without any field it is a rehearsal with the newest snapshot. */
export const restoreRequest = z.object({
  /** Index of the seat whose volume is to be rebuilt, or on which to rehearse. */
  seat: z.int().min(0).max(2).default(0),
  /** `latest`, or the key or the folder of a snapshot in the bucket. */
  key: z.string().default('latest'),
  /** True: download, check and rebuild beside the volume, change nothing. */
  dryRun: z.boolean().default(true),
  /** Name of the cluster: without it nothing is restored. */
  confirm: z.string().optional(),
});

/** Result of check-restore: what is to be done where. */
export const restore = z.object({
  seat: z.int(),
  instanceId: z.string(),
  key: z.string(),
  /** When the snapshot was taken: what was written since is lost. */
  at: z.string(),
  dryRun: z.boolean(),
  /** What the snapshot takes the place of. */
  replaces: z.string(),
});

/** A node that is gone or going, although nobody of us ended it. */
export const lostNode = z.object({
  instanceId: z.string(),
  role: z.enum(['seat', 'pool']),
  pool: z.string().optional(),
  seat: z.string().optional(),
  ingress: z.boolean(),
  /** `interrupted`: Spot takes it in two minutes; `terminated`: it has ended. */
  what: z.enum(['interrupted', 'terminated']),
  /** In AWS's words. */
  cause: z.string(),
  /** When AWS said so, UTC ISO. */
  at: z.string(),
});
export type LostNode = z.infer<typeof lostNode>;

/** Number of nodes of a group. */
export const groupSize = z.object({ min: z.int(), desired: z.int(), max: z.int() });
export type GroupSize = z.infer<typeof groupSize>;

/** A pool that could not be brought to its size, and why. */
export const degradedPool = z.object({ pool: z.string(), reason: z.string() });
export type DegradedPool = z.infer<typeof degradedPool>;

/** The state of recover-pools between two looks: `up` when all pools are, `over` when there is nothing to do any more. */
export const recovery = z.object({ next: z.enum(['wait', 'up', 'over']).optional(), waitSeconds: z.int() });
export type Recovery = z.infer<typeof recovery>;

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

/** A join token that this execution had minted, and the how-manieth it is. */
export const mintedToken = z.object({ at: z.iso.datetime(), round: z.number().int().positive() });

/** The state of join-node: which instance is launching, and how to answer the hook that holds it. */
export const launch = z.object({
  execution: z.string(),
  instanceId: z.string(),
  group: z.string(),
  hook: z.string(),
  token: z.string(),
  metadata: launchMetadata,
  /** Once there is one. */
  minted: mintedToken.optional(),
});
export type Launch = z.infer<typeof launch>;
