import type { ChartFacts, Workload } from '../charts';
import { at, type Manifest } from '../manifest';
import { releasesOf } from './flux';

/** CPU in thousandths of a core, memory in MiB. */
export interface Resources {
  cpu: number;
  memory: number;
}

const UNITS: Readonly<Record<string, number>> = { '': 1 / 2 ** 20, Ki: 1 / 2 ** 10, Mi: 1, Gi: 2 ** 10, Ti: 2 ** 20 };

/** A Kubernetes quantity of CPU as thousandths of a core. */
export function milliCpu(quantity: unknown): number {
  const text = String(quantity);
  return text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000;
}

/** A Kubernetes quantity of memory as MiB; binary units only, as our manifests have. */
export function mebibytes(quantity: unknown): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(\w*)$/.exec(String(quantity)) ?? [];
  const factor = UNITS[unit ?? ''];
  if (number === undefined || factor === undefined) throw new Error(`${String(quantity)} is no quantity of memory`);
  return Number(number) * factor;
}

/** What one pod of a chart's workload requests. */
export function requestsOf(workload: Workload, values: unknown): Resources {
  const parts = workload.containers.map((container) => {
    const requests: unknown =
      typeof container === 'string' ? at(valueAt(values, container), 'requests') : container.requests;
    const [cpu, memory] = [at(requests, 'cpu'), at(requests, 'memory')];
    if (cpu === undefined || memory === undefined) {
      throw new Error(`${workload.name}: ${JSON.stringify(container)} has no requests for CPU and memory`);
    }
    return { cpu: milliCpu(cpu), memory: mebibytes(memory) };
  });
  return add(...parts);
}

/** Values may have keys with dots in them, so the longest key that fits goes first. */
function valueAt(values: unknown, path: string): unknown {
  if (path === '') return values;
  if (typeof values !== 'object' || values === null) return undefined;
  const key = Object.keys(values)
    .filter((name) => path === name || path.startsWith(`${name}.`))
    .sort((a, b) => b.length - a.length)[0];
  return key === undefined ? undefined : valueAt(at(values, key), path.slice(key.length + 1));
}

/** The sum of some resources. */
export function add(...parts: readonly Resources[]): Resources {
  return parts.reduce((a, b) => ({ cpu: a.cpu + b.cpu, memory: a.memory + b.memory }), { cpu: 0, memory: 0 });
}

/** What the charts' pods request on a node of which these places are true. */
export function platformRequests(
  manifests: readonly Manifest[],
  facts: Readonly<Record<string, ChartFacts>>,
  places: readonly Workload['on'][],
): Resources {
  const parts = releasesOf(manifests).flatMap((release) => {
    const workloads = facts[String(at(release, 'spec', 'chartRef', 'name'))]?.workloads ?? [];
    return workloads
      .filter(({ on }) => places.includes(on))
      .map((workload) => {
        const { cpu, memory } = requestsOf(workload, at(release, 'spec', 'values'));
        return { cpu: cpu * workload.pods, memory: memory * workload.pods };
      });
  });
  return add(...parts);
}
