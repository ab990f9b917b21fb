import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gpusOf, instanceTypeOf } from '../../../core/config/instance-types';
import { API_PORT } from '../../../core/config/names';
import type { ClusterConfig } from '../../../core/config/schema';
import { INGRESS_LABEL, labelsOfPool } from '../../node/node-data';
import { at, parseYaml } from '../manifest';
import { add, mebibytes, milliCpu, type Resources } from './capacity';
import type { SchedulerNode } from './scheduler';

/** Size of an instance type. */
export interface InstanceSize {
  cpus: number;
  memoryMiB: number;
}

/** Tells the size of an instance type; undefined of one that nobody knows. */
export type SizeOf = (instanceType: string, config: ClusterConfig) => InstanceSize | undefined;

/** The size of an instance type, by the configuration or the table of types. */
export function sizeOf(instanceType: string, config: ClusterConfig): InstanceSize | undefined {
  const type = instanceTypeOf(instanceType, config);
  return type && { cpus: type.vCpus, memoryMiB: type.memoryGiB * 1024 };
}

const USERDATA = path.join(__dirname, '..', '..', '..', 'userdata');

/** What kernel and firmware take of an instance's memory; Karpenter reckons with as much (its VM_MEMORY_OVERHEAD_PERCENT, 0.075). */
const KERNEL_SHARE = 0.075;

const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';

/** What was reckoned already, by size: asking Python takes a while. */
const RESERVED = new Map<string, Resources>();

/** What the kubelet keeps back of a node of a size, by the node scripts' own reckoning: their reservations and its eviction threshold. */
export function reservedOf({ cpus, memoryMiB }: InstanceSize): Resources {
  const key = `${String(cpus)} ${String(memoryMiB)}`;
  const known = RESERVED.get(key);
  if (known) return known;
  const script = `
import json
source = open(${JSON.stringify(path.join(USERDATA, 'lib', 'render.py'))}, encoding='utf-8').read()
exec(source[:source.rindex('main(')])
print(json.dumps(reserved(${String(cpus)}, ${String(memoryMiB)})))`;
  const kube: unknown = JSON.parse(execFileSync('python3', ['-c', script], { encoding: 'utf8' }));
  const template = readFileSync(path.join(USERDATA, 'templates', 'seat', 'kubeadm-init.yaml'), 'utf8');
  // The template's placeholders are not YAML: they are of no interest here.
  const kubelet = parseYaml(template.replaceAll(/\{\{ [^}]+ \}\}/g, 'x'), 'kubeadm-init.yaml').find(
    (document) => at(document, 'kind') === 'KubeletConfiguration',
  );
  const reserved = add(
    { cpu: milliCpu(at(kube, 'cpu')), memory: mebibytes(at(kube, 'memory')) },
    { cpu: milliCpu(at(kubelet, 'systemReserved', 'cpu')), memory: mebibytes(at(kubelet, 'systemReserved', 'memory')) },
    { cpu: 0, memory: mebibytes(at(kubelet, 'evictionHard', 'memory.available')) },
  );
  RESERVED.set(key, reserved);
  return reserved;
}

/** What pods may request of a node of a size. */
export function allocatableOf(size: InstanceSize): Resources {
  const reserved = reservedOf(size);
  return {
    cpu: size.cpus * 1000 - reserved.cpu,
    memory: Math.floor(size.memoryMiB * (1 - KERNEL_SHARE)) - reserved.memory,
  };
}

/**
 * The nodes of a configuration while it is awake: its seats, and each pool as large as wanted. Of a group that may get several
 * types the smallest counts; a type whose size is not known has room for everything.
 * @param extra nodes more in each pool, up to its maximum
 */
export function nodesOf(config: ClusterConfig, sizes: SizeOf, kubelet: readonly number[], extra = 0): SchedulerNode[] {
  const { controlPlane, pools, gpu } = config;
  const ports = kubelet.map((port) => ({ port, by: 'the kubelet' }));
  const seat = smallest(controlPlane.instanceTypes, config, sizes);
  const seats = Array.from({ length: controlPlane.seats }, (_, index): SchedulerNode => ({
    name: `seat ${String(index)}`,
    labels: { ...COMMON, [CONTROL_PLANE]: '', ...(controlPlane.ingress && { [INGRESS_LABEL]: 'true' }) },
    taints: [{ key: CONTROL_PLANE, effect: 'NoSchedule' }],
    allocatable: seat.allocatable,
    gpus: 0,
    ports,
  }));
  const workers = pools.flatMap((pool) => {
    const { allocatable, gpus } = smallest(pool.instanceTypes, config, sizes);
    return Array.from({ length: Math.min(pool.max, pool.desired + extra) }, (_, index): SchedulerNode => ({
      name: `${pool.name} ${String(index)}`,
      labels: { ...COMMON, ...labelsOfPool(pool) },
      taints: pool.taints,
      allocatable,
      gpus: gpus * Math.max(1, gpu.slices),
      // With three seats, a proxy in front of their API (userdata/lib/pool.sh).
      ports: controlPlane.seats > 1 ? [...ports, { port: API_PORT, by: 'the proxy of the API' }] : ports,
    }));
  });
  return [...seats, ...workers];
}

function smallest(
  types: readonly string[],
  config: ClusterConfig,
  sizes: SizeOf,
): { allocatable: Resources; gpus: number } {
  const all = types.map((type) => sizes(type, config));
  const gpus = Math.min(...types.map((type) => gpusOf(type, config)));
  const known = all.filter((size) => size !== undefined);
  if (known.length < all.length) return { allocatable: { cpu: Infinity, memory: Infinity }, gpus };
  const least = {
    cpus: Math.min(...known.map(({ cpus }) => cpus)),
    memoryMiB: Math.min(...known.map(({ memoryMiB }) => memoryMiB)),
  };
  return { allocatable: allocatableOf(least), gpus };
}

/** Labels that every kubelet sets. */
const COMMON = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' };
