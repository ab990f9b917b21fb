import * as z from 'zod';
import { errorInWords } from '../../core/decisions/error-words';
import { type ClusterState, degradedPool, failure, leased, prerequisites } from '../../core/record/contracts';
import { NO_BALANCER } from '../shared/ec2/make-load-balancer';
import { readFailure } from '../shared/news/failures';
import { inWords, type Notification } from '../shared/news/notify';

/**
 * A step's result, or what its Catch left where the workflow went on without. What looks like neither is not told:
 * news must never be the reason why a success is not recorded.
 */
const orFailure = <Result extends z.ZodType>(result: Result) => z.union([failure, result]).optional().catch(undefined);

/** What the steps of a workflow left that somebody should hear of. */
export const workflowEnd = leased.extend({
  /** What WaitForNodes left: pools that could not be brought up; everything else is. */
  nodes: z.object({ degraded: z.array(degradedPool) }).optional(),
  prerequisites: prerequisites.optional().catch(undefined),
  /** What CreateLoadBalancer left, or why it could not. */
  started: z
    .object({ loadBalancer: orFailure(z.looseObject({})) })
    .optional()
    .catch(undefined),
  /** What ProbeApp saw from outside. */
  probe: orFailure(z.object({ status: z.int().optional() })),
  drain: orFailure(
    z.object({ stuck: z.array(z.object({ pod: z.string(), reason: z.string() })), stuckPods: z.int().optional() }),
  ),
  snapshot: orFailure(z.object({ skipped: z.string().optional() })),
  /** What RestoreEtcd did. */
  restored: z
    .object({ key: z.string(), at: z.string(), replaced: z.string(), dryRun: z.boolean() })
    .optional()
    .catch(undefined),
});
type WorkflowEnd = z.output<typeof workflowEnd>;

/** How people are told of a workflow that went well, as far as it did. `now` in epoch ms. */
export function describeSuccess(
  cluster: string,
  end: WorkflowEnd,
  state: ClusterState | undefined,
  now: number,
): Notification {
  const { workflow, requestedBy, startedAt, nodes } = end;
  const degraded = nodes?.degraded ?? [];
  const without = degraded.length > 0 ? ` without ${degraded.map(({ pool }) => pool).join(', ')}` : '';
  const paragraphs = [
    `${workflow} of cluster ${cluster}, asked for by ${requestedBy}, took ${inWords(now - Date.parse(startedAt))}.`,
    ...degraded.map(({ pool, reason }) => `Pool ${pool} is not up. ${reason}`),
    ...(degraded.length > 0
      ? ['It is tried again in the background, and you hear of it. What else to do: docs/runbook.md#awake-degraded']
      : []),
    ...describeProbe(end),
    ...warningsOf(end).map((warning) => `Warning: ${warning}`),
    ...describeOmissions(end),
    ...describeRestore(end),
  ];
  const subject = state === undefined ? `${cluster}: ${workflow} is done` : `${cluster} is ${state}${without}`;
  return { subject, text: paragraphs.join('\n\n') };
}

/** What did not stop a wake, and somebody should know. */
export function warningsOf({ prerequisites, started }: WorkflowEnd): string[] {
  const warnings = prerequisites?.warnings ?? [];
  const failed = failure.safeParse(started?.loadBalancer);
  if (!failed.success) return warnings;
  const { error, cause } = readFailure(failed.data);
  const why = cause === '' ? error : `${error}: ${cause}`;
  return [...warnings, `${NO_BALANCER} (${why}); ${adviseOnBalancer(why)}`];
}

/** What helps where AWS refuses a load balancer; the words only make the advice better. */
const BALANCER_ADVICE: readonly [pattern: RegExp, advice: string][] = [
  [/TooMany/, 'delete another, or ask for a larger quota in Service Quotas'],
  [/OperationNotPermitted/, 'a new account has to ask AWS Support for load balancers'],
  [
    /CreateServiceLinkedRole/,
    'make the role once: aws iam create-service-linked-role --aws-service-name elasticloadbalancing.amazonaws.com',
  ],
  [/InvalidSubnet|SubnetNotFound|SecurityGroup|TargetGroup/, 'deploy again, which puts the network right'],
  [/LoadBalancerStillThere|Duplicate/, 'look at it in the EC2 console, and delete it'],
];

function adviseOnBalancer(why: string): string {
  const [, advice] = BALANCER_ADVICE.find(([pattern]) => pattern.test(why)) ?? [];
  return [
    ...(advice === undefined ? [] : [advice]),
    'the next wake tries again, and docs/runbook.md#no-api-load-balancer says how to reach the API without it',
  ].join('; ');
}

/** Everything runs, and nobody sees it. */
function describeProbe({ probe }: WorkflowEnd): string[] {
  if (!probe || !('Error' in probe)) return [];
  const { error } = readFailure(probe);
  return [`The app is not reachable. ${errorInWords(error)}.`, `What to do: docs/runbook.md#${error.toLowerCase()}`];
}

/** What a restore replaced by what; then it is wake's turn. */
function describeRestore({ restored }: WorkflowEnd): string[] {
  if (!restored) return [];
  const { key, at, replaced, dryRun } = restored;
  if (dryRun) return [`Nothing was changed: the snapshot of ${at} (${key}) could be restored.`];
  const lost = `What was written to the cluster after ${at} is lost.`;
  return [`The snapshot of ${at} (${key}) took the place of ${replaced}. ${lost} Start wake now.`];
}

/** What a sleep went on without. */
function describeOmissions({ workflow, drain, snapshot }: WorkflowEnd): string[] {
  const told: string[] = [];
  // Without an API the sleep does not come as far.
  if (workflow === 'sleep' && snapshot === undefined) {
    told.push('etcd was not saved: no seat could be asked. The state volumes have what it had.');
  }
  if (drain && 'Error' in drain) told.push(`The nodes were not drained (${drain.Error}).`);
  else if (drain) {
    for (const { pod, reason } of drain.stuck) told.push(`${nameOf(pod)} ended with its node: ${whyStuck(reason)}`);
    const unnamed = (drain.stuckPods ?? 0) - drain.stuck.length;
    if (unnamed > 0) told.push(`${unnamed} more pods ended with their nodes`);
  }
  if (snapshot && 'Error' in snapshot) {
    told.push(`etcd was not saved (${snapshot.Error}): docs/runbook.md#${snapshot.Error.toLowerCase()}`);
  } else if (snapshot?.skipped !== undefined) {
    told.push(`etcd was not saved: ${snapshot.skipped}.`);
  }
  return told;
}

/** Namespace and name, as Kubernetes allows them. */
const POD = /^[a-z0-9-]{1,63}\/[a-z0-9.-]{1,253}$/;
/** What userdata/commands/drain-nodes.sh says of a pod; a finalizer's name is the cluster's. */
const WHY_STUCK =
  /^(still terminating|its disruption budget forbids it|not evicted in time|waits for the finalizer [\w./, -]+)$/;

/** A seat has written this: what is no name of a pod is not told. */
function nameOf(pod: string): string {
  return POD.test(pod) ? pod : 'a pod';
}

function whyStuck(reason: string): string {
  return WHY_STUCK.test(reason) ? reason : 'the log of drain-nodes says why';
}
