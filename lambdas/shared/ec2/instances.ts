import { type EC2Client, type Filter, type Instance, paginateDescribeInstances } from '@aws-sdk/client-ec2';
import { TAG } from '../../../core/config/names';
import { phaseOf, phaseTimeOf } from '../../../core/record/phases';

/** An instance of the cluster, as EC2 and its own tags describe it. */
export interface NodeInstance {
  id: string;
  /** Instance type, for example `t3.medium`. */
  type: string;
  role: 'seat' | 'pool';
  /** Index of the seat; undefined for a pool's node. */
  seat: string | undefined;
  pool: string | undefined;
  ingress: boolean;
  /** EC2's state: `pending`, `running`, `shutting-down`, `stopping`, `stopped`, `terminated`. */
  state: string;
  /** How far the node says that it has come, by a word of the list; `booting` until it says otherwise. */
  phase: string;
  /** Since when, as the node says (UTC ISO time). */
  phaseAt: string | undefined;
  /** When it was started last (epoch ms). */
  startedAt: number;
  publicIp: string | undefined;
}

/** EC2 states in which an instance runs or is about to. */
export const LIVE_STATES = ['pending', 'running'];
/** EC2 states in which an instance exists, billed or on its way out. */
export const PRESENT_STATES = ['pending', 'running', 'shutting-down', 'stopping', 'stopped'];

/** The instances of a cluster in the given EC2 states, found by tag. */
export async function describeNodes(
  client: EC2Client,
  cluster: string,
  states: readonly string[],
): Promise<NodeInstance[]> {
  return find(client, [
    { Name: `tag:${TAG.cluster}`, Values: [cluster] },
    { Name: 'instance-state-name', Values: [...states] },
  ]);
}

/** One instance of a cluster; undefined if EC2 has forgotten it. */
export async function describeNode(client: EC2Client, cluster: string, id: string): Promise<NodeInstance | undefined> {
  const [node] = await find(client, [
    { Name: `tag:${TAG.cluster}`, Values: [cluster] },
    { Name: 'instance-id', Values: [id] },
  ]);
  return node;
}

async function find(client: EC2Client, Filters: Filter[]): Promise<NodeInstance[]> {
  const nodes: NodeInstance[] = [];
  const input = { Filters };
  for await (const page of paginateDescribeInstances({ client }, input)) {
    nodes.push(...(page.Reservations ?? []).flatMap(({ Instances }) => (Instances ?? []).map(toNode)));
  }
  return nodes;
}

/** Instances as people want to read of them: `i-1 (gpu, running, joining), …`. */
export function listNodes(nodes: readonly NodeInstance[]): string {
  return nodes
    .map(({ id, pool, seat, state, phase }) => `${id} (${pool ?? `seat ${seat ?? '?'}`}, ${state}, ${phase})`)
    .join(', ');
}

/** The seats that say that they are ready. */
export function readySeats(nodes: readonly NodeInstance[]): NodeInstance[] {
  return nodes.filter(({ role, state, phase }) => role === 'seat' && state === 'running' && phase === 'ready');
}

/** True for an ingress node that serves, or can from one moment to the next. */
export function canServe({ ingress, state, phase }: NodeInstance): boolean {
  return ingress && state === 'running' && phase === 'ready';
}

function toNode(instance: Instance): NodeInstance {
  const tags = new Map((instance.Tags ?? []).map(({ Key, Value }) => [Key, Value]));
  return {
    id: instance.InstanceId ?? '',
    type: instance.InstanceType ?? 'unknown',
    role: tags.get(TAG.role) === 'seat' ? 'seat' : 'pool',
    seat: tags.get(TAG.seat),
    pool: tags.get(TAG.pool),
    ingress: tags.get(TAG.ingress) === 'true',
    state: instance.State?.Name ?? 'pending',
    phase: phaseOf(tags.get(TAG.phase)),
    phaseAt: phaseTimeOf(tags.get(TAG.phaseAt)),
    startedAt: instance.LaunchTime?.getTime() ?? 0,
    publicIp: instance.PublicIpAddress,
  };
}
