import type { ClusterConfig } from '../../../core/config/schema';
import { workloadOf } from '../facts/extract';
import type { ReleaseFacts, SystemFacts, WorkloadFacts } from '../facts/schema';

import type { Manifest } from '../manifest';
import type { Tree } from '../tree';
import { releasesOf } from './flux';
import { nodesOf, type SizeOf } from './nodes';
import { portCollisions } from './ports';
import { keyOf, schedule, stuckUpdates } from './scheduler';

/**
 * Everything with pods that runs in a cluster with this tree: Kubernetes' own, Flux, the charts', operators' and ours. Examples
 * are not in it.
 * @param manifests every object of the tree's layers, with values put in
 */
export function workloadsOf(
  manifests: readonly Manifest[],
  facts: Readonly<Record<string, ReleaseFacts>>,
  system: SystemFacts,
): WorkloadFacts[] {
  const charts = releasesOf(manifests).flatMap(({ metadata }) => facts[metadata.name]?.workloads ?? []);
  const ours = manifests.flatMap((manifest) => workloadOf(manifest, 'default') ?? []);
  const base = [...system.seat, ...system.addons, ...system.flux, ...charts];
  // Of CoreDNS the tree owns some fields only.
  const amended = base.map((workload) => {
    const own = ours.find((each) => keyOf(each) === keyOf(workload));
    if (own === undefined) return workload;
    const containers = workload.containers.map((container) => ({
      ...container,
      requests: { ...container.requests, ...own.containers.find(({ name }) => name === container.name)?.requests },
    }));
    return { ...workload, containers };
  });
  const known = new Set(base.map(keyOf));
  return [...amended, ...ours.filter((workload) => !known.has(keyOf(workload)))];
}

/**
 * Pods that would wait for ever on the nodes of a configuration, also after Cluster Autoscaler has added what its pools allow; updates
 * that would never end; and ports of a host that two want.
 */
export function placementProblems(
  config: ClusterConfig,
  { layers }: Tree,
  workloads: readonly WorkloadFacts[],
  system: SystemFacts,
  sizeOf: SizeOf,
): string[] {
  let { placed, unplaced } = schedule(nodesOf(config, sizeOf, system.kubelet), workloads);
  if (unplaced.length > 0) {
    ({ placed, unplaced } = schedule(nodesOf(config, sizeOf, system.kubelet, unplaced.length), workloads));
  }
  const waiting = unplaced.map(({ pod, reasons }) => {
    const layer = layers.find(({ healthChecks }) => healthChecks.includes(pod))?.name;
    const who = layer === undefined ? '' : `, and layer ${layer} waits for it`;
    return `${pod} finds no node${who}: ${[...new Set(reasons)].join('; ') || 'there is none'}`;
  });
  // As large as its pools may be: what is not there today may be tomorrow.
  const all = nodesOf(config, sizeOf, system.kubelet, 1);
  return [...new Set(waiting), ...stuckUpdates(placed, workloads), ...portCollisions(all, workloads, system.defaults)];
}
