import type { Requirement, Toleration, WorkloadFacts } from '../facts/schema';
import { add, mebibytes, milliCpu, type Resources } from './capacity';

/**
 * Kubernetes' scheduler in small: does every pod find a node? Looks at what makes a pod wait for ever: requests, ports of the
 * host, selectors and required affinity, taints. Preferences only decide which node takes a pod.
 */

/** A node as the scheduler sees it. */
export interface SchedulerNode {
  name: string;
  labels: Readonly<Record<string, string>>;
  taints: readonly { key: string; value?: string; effect: string }[];
  /** Capacity without what the kubelet keeps back. */
  allocatable: Resources;
  /** GPUs that the device plugin offers. */
  gpus: number;
  /** Ports of the host that no pod holds: the kubelet's, a proxy's. */
  ports: readonly { port: number; by: string }[];
}

/** A pod that finds no node, and each node's reason. */
export interface Unplaced {
  pod: string;
  reasons: string[];
}

/** What is on a node after scheduling. */
export interface Placed {
  node: SchedulerNode;
  pods: WorkloadFacts[];
}

/** The port of a host that a pod takes. */
export interface HostPort {
  port: number;
  protocol: string;
}

/** How many pods a node takes; the kubelet's default. */
const MAX_PODS = 110;

/**
 * Places every pod of these workloads. DaemonSets first, as their pods may go nowhere else; then those with the fewest nodes
 * to go to, and of these the largest.
 */
export function schedule(
  nodes: readonly SchedulerNode[],
  workloads: readonly WorkloadFacts[],
): { placed: Placed[]; unplaced: Unplaced[] } {
  const placed = nodes.map((node): Placed => ({ node, pods: [] }));
  const unplaced: Unplaced[] = [];
  const daemons = workloads.filter(({ kind }) => kind === 'DaemonSet');
  for (const daemon of daemons) {
    for (const place of placed.filter(({ node }) => whyNever(node, daemon) === undefined)) {
      const reason = whyNotNow(place, daemon);
      if (reason === undefined) place.pods.push(daemon);
      else unplaced.push({ pod: keyOf(daemon), reasons: [`${place.node.name}: ${reason}`] });
    }
  }
  const eligible = (pod: WorkloadFacts) => nodes.filter((node) => whyNever(node, pod) === undefined).length;
  const pods = workloads
    .filter(({ kind }) => kind !== 'DaemonSet')
    .flatMap((workload) => Array.from({ length: replicasOf(workload, nodes.length) }, () => workload))
    .map((pod) => ({ pod, choices: eligible(pod), size: requestsOf(pod) }))
    .sort((a, b) => a.choices - b.choices || b.size.memory - a.size.memory || b.size.cpu - a.size.cpu);
  for (const { pod } of pods) {
    const reasons = placed.map((place) => ({ place, reason: whyNever(place.node, pod) ?? whyNotNow(place, pod) }));
    const [best] = reasons.filter(({ reason }) => reason === undefined).sort((a, b) => free(b.place) - free(a.place));
    if (best) best.place.pods.push(pod);
    else
      unplaced.push({
        pod: keyOf(pod),
        reasons: reasons.map(({ place, reason }) => `${place.node.name}: ${String(reason)}`),
      });
  }
  return { placed, unplaced };
}

/** Why a node never takes a pod, whatever else is on it; undefined if it may. */
export function whyNever(node: SchedulerNode, pod: WorkloadFacts): string | undefined {
  const label = Object.entries(pod.nodeSelector).find(([key, value]) => node.labels[key] !== value);
  if (label) return `has no label ${label[0]}=${label[1]}`;
  if (pod.nodeAffinity.length > 0 && !pod.nodeAffinity.some((term) => term.every((each) => holds(node.labels, each)))) {
    return 'does not meet its node affinity';
  }
  const taint = node.taints.find(
    (each) => each.effect !== 'PreferNoSchedule' && !pod.tolerations.some((toleration) => tolerates(toleration, each)),
  );
  return taint && `has the taint ${taint.key}=${taint.value ?? ''}:${taint.effect}`;
}

/** Why a node takes no such pod beside those that it has; undefined if it does. */
export function whyNotNow({ node, pods }: Placed, pod: WorkloadFacts): string | undefined {
  if (pods.length >= MAX_PODS) return `has ${String(MAX_PODS)} pods`;
  const key = keyOf(pod);
  if (pod.apart && pods.some((other) => keyOf(other) === key)) return 'has one of its pods already';
  const wanted = hostPortsOf(pod);
  const holder = pods.find((other) => hostPortsOf(other).some((taken) => wanted.some((port) => isSame(taken, port))));
  if (holder) {
    const port = wanted.find((each) => hostPortsOf(holder).some((taken) => isSame(taken, each)));
    return `port ${String(port?.port)} is ${keyOf(holder)}'s`;
  }
  const used = add(...pods.map(requestsOf));
  const request = requestsOf(pod);
  if (used.cpu + request.cpu > node.allocatable.cpu) {
    return `${String(node.allocatable.cpu - used.cpu)}m of CPU are left, of ${String(request.cpu)}m`;
  }
  if (used.memory + request.memory > node.allocatable.memory) {
    return `${String(Math.floor(node.allocatable.memory - used.memory))} MiB are left, of ${String(request.memory)} MiB`;
  }
  const gpus = pods.reduce((sum, other) => sum + gpusOf(other), 0);
  return gpus + gpusOf(pod) > node.gpus ? `${String(node.gpus - gpus)} GPUs are left` : undefined;
}

/**
 * Ports of the host that a pod takes, as the scheduler counts: those that it asks for, and on the host's network all that its
 * containers declare. Containers that run before the others and end do not count.
 */
export function hostPortsOf({ hostNetwork, containers }: WorkloadFacts): HostPort[] {
  return containers
    .filter(({ init }) => !init)
    .flatMap(({ ports }) =>
      ports.flatMap(({ port, hostPort, protocol }) => {
        const taken = hostNetwork ? (hostPort ?? port) : hostPort;
        return taken === undefined ? [] : [{ port: taken, protocol }];
      }),
    );
}

/** What a pod requests: its containers together, or the largest of those that run first. */
export function requestsOf({ containers }: WorkloadFacts): Resources {
  const of = (init: boolean) =>
    containers
      .filter((each) => each.init === init)
      .map(({ requests }) => ({ cpu: milliCpu(requests.cpu ?? '0'), memory: mebibytes(requests.memory ?? '0') }));
  const [first, together] = [of(true), add(...of(false))];
  return {
    cpu: Math.max(together.cpu, ...first.map(({ cpu }) => cpu)),
    memory: Math.max(together.memory, ...first.map(({ memory }) => memory)),
  };
}

/** GPUs that a pod asks for. */
export function gpusOf({ containers }: WorkloadFacts): number {
  return containers.reduce((sum, { requests, limits }) => sum + Number(limits[GPU] ?? requests[GPU] ?? 0), 0);
}

const GPU = 'nvidia.com/gpu';

/**
 * Workloads on ports of their hosts whose next update would never end: the new pod has to come before the old one may go, and no node
 * has its ports free.
 */
export function stuckUpdates(placed: readonly Placed[], workloads: readonly WorkloadFacts[]): string[] {
  return workloads
    .filter((workload) => hostPortsOf(workload).length > 0 && waitsForNew(workload))
    .filter((workload) => placed.some(({ pods }) => pods.some((pod) => keyOf(pod) === keyOf(workload))))
    .filter((workload) =>
      workload.kind === 'DaemonSet'
        ? true
        : placed.every((place) => (whyNever(place.node, workload) ?? whyNotNow(place, workload)) !== undefined),
    )
    .map(
      (workload) =>
        `${keyOf(workload)} can't be updated: its new pod waits for the ports of the old one (${String(workload.strategy)})`,
    );
}

/** True if an update takes no pod away before a new one is ready; Kubernetes rounds what may be missing down. */
function waitsForNew({ kind, strategy = '', replicas }: WorkloadFacts): boolean {
  if (kind === 'DaemonSet') return /\bmaxUnavailable 0\b/.test(strategy);
  if (kind !== 'Deployment' || strategy.startsWith('Recreate')) return false;
  const [, number, percent] = /\bmaxUnavailable (\d+)(%?)/.exec(strategy) ?? ['', '25', '%'];
  return Math.floor(percent === '%' ? (Number(number) * replicas) / 100 : Number(number)) === 0;
}

/** `Kind namespace/name`. */
export function keyOf({ kind, namespace, name }: Pick<WorkloadFacts, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace}/${name}`;
}

/** Pods of a workload in a cluster of so many nodes. */
export function replicasOf({ replicas, replicasByNodes }: WorkloadFacts, nodes: number): number {
  const step = Object.entries(replicasByNodes)
    .map(([most, count]) => ({ most: Number(most), count }))
    .sort((a, b) => a.most - b.most)
    .find(({ most }) => nodes <= most);
  return step?.count ?? replicas;
}

function free({ node, pods }: Placed): number {
  const used = add(...pods.map(requestsOf));
  return Math.min(1 - used.cpu / node.allocatable.cpu, 1 - used.memory / node.allocatable.memory);
}

function isSame(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol;
}

function tolerates(toleration: Toleration, taint: { key: string; value?: string; effect: string }): boolean {
  if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false;
  if (toleration.key === undefined) return toleration.operator === 'Exists';
  if (toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
}

function holds(labels: Readonly<Record<string, string>>, { key, operator, values = [] }: Requirement): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return Number(value) > Number(values[0]);
    case 'Lt':
      return Number(value) < Number(values[0]);
  }
}
