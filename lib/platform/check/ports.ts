import type { WorkloadFacts } from '../facts/schema';
import { hostPortsOf, keyOf, whyNever, type SchedulerNode } from './scheduler';

/** Who takes a port of a host. */
interface Taken {
  port: number;
  protocol: string;
  by: string;
}

/**
 * Two that take one port of the same host. The second of them never starts, or waits for ever if the scheduler knows of the port:
 * nothing of it shows before both are installed. Looks at ports that are declared, and at those that arguments, environment,
 * probes or a program's own default name.
 * @param defaults ports that programs listen on without any object saying so, by workload
 */
export function portCollisions(
  nodes: readonly SchedulerNode[],
  workloads: readonly WorkloadFacts[],
  defaults: Readonly<Record<string, readonly number[]>> = {},
): string[] {
  const found = nodes.flatMap((node) => {
    const onNode = workloads.filter((workload) => whyNever(node, workload) === undefined);
    const taken: Taken[] = [
      ...node.ports.map(({ port, by }) => ({ port, protocol: 'TCP', by })),
      ...onNode.flatMap((workload) => portsOf(workload, defaults)),
    ];
    return taken.flatMap((one, index) =>
      taken
        .slice(index + 1)
        .filter((other) => other.port === one.port && other.protocol === one.protocol && other.by !== one.by)
        .map((other) => `port ${String(one.port)}/${one.protocol} of a host is ${one.by}'s and ${other.by}'s`),
    );
  });
  return [...new Set(found)].sort();
}

function portsOf(workload: WorkloadFacts, defaults: Readonly<Record<string, readonly number[]>>): Taken[] {
  const by = keyOf(workload);
  const declared = hostPortsOf(workload);
  if (!workload.hostNetwork) return declared.map((each) => ({ ...each, by }));
  const others = [...workload.containers.flatMap(({ listens }) => listens), ...(defaults[workload.name] ?? [])];
  return [...declared, ...others.map((port) => ({ port, protocol: 'TCP' }))].map((each) => ({ ...each, by }));
}
