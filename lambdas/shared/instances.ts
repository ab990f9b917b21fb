import { type EC2Client, type Filter, type Instance, paginateDescribeInstances } from '@aws-sdk/client-ec2';
import { TAG } from '../../lib/config/names';

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
  /** The node's own word on how far it has come; `booting` until it says otherwise. */
  phase: string;
  /** Since when, as the node says (UTC ISO time). */
  phaseAt: string | undefined;
  publicIp: string | undefined;
}

/** EC2 states in which an instance runs or is about to. */
export const LIVE_STATES = ['pending', 'running'];
/** EC2 states in which an instance exists, billed or on its way out. */
export const PRESENT_STATES = ['pending', 'running', 'shutting-down', 'stopping', 'stopped'];

/** Prefix of the phase of a node that gave up; the reason follows. */
export const FAILED = 'failed:';

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

/** A seat that is ready to run commands, or undefined. */
export function readySeat(nodes: readonly NodeInstance[]): NodeInstance | undefined {
  return nodes.find(({ role, state, phase }) => role === 'seat' && state === 'running' && phase === 'ready');
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
    phase: tags.get(TAG.phase) ?? 'booting',
    phaseAt: tags.get(TAG.phaseAt),
    publicIp: instance.PublicIpAddress,
  };
}
