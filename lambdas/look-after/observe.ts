import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { CARE_MINUTES, type Seen, type SeenNode } from '../../core/decisions/look-after';
import type { ClusterRecord } from '../../core/record/cluster-record';
import { intentOf } from '../../core/record/intent';
import { parseJson } from '../../core/parse-json';
import { readElasticIp } from '../shared/ec2/elastic-ip';
import { describeGroups, type Group } from '../shared/ec2/groups';
import { describeNodes, type NodeInstance, PRESENT_STATES } from '../shared/ec2/instances';
import { describeApiLoadBalancer } from '../shared/ec2/load-balancer';
import { listens } from '../shared/ec2/make-load-balancer';
import { isHolderOver, runningExecutions } from '../shared/workflows/executions';
import type { CareDeps } from './deps';
import { viewSchedules } from './missed';

/** For so long (ms) after it fell asleep the whole cluster is looked at each time: a late step may start something. */
const SETTLING_MS = 30 * 60_000;
/** After that, so often (ms), unless something runs. */
const ASLEEP_EVERY_MS = 2 * 3600_000;

/** Input of join-node, as far as it says whom it lets in. */
const joinInput = z.preprocess(parseJson, z.object({ detail: z.object({ EC2InstanceId: z.string() }) }));

/**
 * What is, by the record and by AWS. Of a cluster that sleeps undisturbed AWS is asked one thing, whether an instance of it runs,
 * and the rest only now and then; of what is not looked at, nothing is amiss.
 * @param full asks everything in any case
 */
export async function observe(deps: CareDeps, record: ClusterRecord, full: boolean): Promise<Seen> {
  const now = new Date((deps.now ?? Date.now)());
  const { lease, state, failure, care } = record;
  const [over, schedules] = await Promise.all([
    lease && isHolderOver(deps.sfn, lease, now.getTime()),
    viewSchedules(deps, record, now),
  ]);
  const instances = await describeNodes(deps.ec2, deps.cluster, PRESENT_STATES);
  const asks = full || isDue(record, now.getTime()) || instances.some(({ state }) => state !== 'stopped');
  const aws = asks ? await observeAws(deps, record, instances) : NOTHING;
  return {
    now: now.getTime(),
    intent: intentOf(record),
    state,
    since: Date.parse(record.since ?? now.toISOString()),
    lease: lease && { owner: lease.owner, workflow: lease.workflow, over: over === true },
    failure: failure && { workflow: failure.workflow, error: failure.error, at: Date.parse(failure.at) },
    drainedAt: record.drainedAt,
    degraded: (record.degraded ?? []).length > 0,
    ...schedules,
    ...aws,
    wantsBalancer: deps.apiAccess === 'load-balancer',
    tries: care?.tries ?? {},
  };
}

type OfAws = Pick<Seen, 'groups' | 'nodes' | 'address' | 'balancer' | 'recovering'>;
const NOTHING: OfAws = { groups: [], nodes: [], address: undefined, balancer: undefined, recovering: false };

/** A cluster that sleeps as it should is left alone most of the time. */
function isDue({ state, since = '', lease, wanted }: ClusterRecord, now: number): boolean {
  if (state !== 'asleep' || lease || wanted?.state === 'awake') return true;
  return now - Date.parse(since) < SETTLING_MS || now % ASLEEP_EVERY_MS < CARE_MINUTES * 60_000;
}

async function observeAws(deps: CareDeps, record: ClusterRecord, instances: readonly NodeInstance[]): Promise<OfAws> {
  const { cluster, autoScaling, ec2, elasticIpId } = deps;
  const [groups, address, balancer, recovering] = await Promise.all([
    describeGroups(autoScaling, cluster),
    readElasticIp(ec2, elasticIpId),
    observeBalancer(deps),
    record.degraded ? runningExecutions(deps.sfn, deps.machines['recover-pools']) : [],
  ]);
  const held = groups.some(({ instances }) => instances.some(({ lifecycle }) => lifecycle === 'Pending:Wait'));
  const joining = held ? await findJoining(deps) : new Set<string>();
  return {
    groups: groups.map(({ name, role, current, configured }) => ({
      name,
      role,
      desired: current.desired,
      max: current.max,
      configuredMax: configured.max,
    })),
    nodes: instances.map((instance) => toSeen(instance, groups, joining)),
    address: { holder: address.holder },
    balancer,
    recovering: recovering.length > 0,
  };
}

async function observeBalancer({ cluster, loadBalancing, apiAccess }: CareDeps): Promise<Seen['balancer']> {
  const found = await describeApiLoadBalancer(loadBalancing, cluster);
  return found && { listens: apiAccess === 'tunnel' || (await listens(loadBalancing, found)) };
}

function toSeen(
  { id, role, ingress, state, phase, phaseAt, startedAt }: NodeInstance,
  groups: readonly Group[],
  joining: ReadonlySet<string>,
): SeenNode {
  const group = groups.find(({ instances }) => instances.some((own) => own.id === id));
  const { lifecycle = '' } = group?.instances.find((own) => own.id === id) ?? {};
  // A node that was stopped still says what it said before.
  const since = Math.max(startedAt, phaseAt === undefined ? 0 : Date.parse(phaseAt));
  return { id, role, ingress, group: group?.name, state, lifecycle, phase, since, joining: joining.has(id) };
}

/** The instances that a join-node execution is about to let in. */
async function findJoining(deps: CareDeps): Promise<ReadonlySet<string>> {
  const inputs = await Promise.all(
    (await runningExecutions(deps.sfn, deps.machines['join-node'])).map(async ({ execution }) => {
      const { input } = await deps.sfn.send(new DescribeExecutionCommand({ executionArn: execution }));
      return joinInput.safeParse(input);
    }),
  );
  return new Set(inputs.flatMap(({ success, data }) => (success ? [data.detail.EC2InstanceId] : [])));
}
