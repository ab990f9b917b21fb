import { at, list, nameOf, type Manifest } from '../manifest';
import type { ReleaseFacts, WorkloadFacts } from '../facts/schema';

/** The pod template's spec of a kind that makes pods; undefined for any other. */
export function podSpecOf(manifest: Manifest): Record<string, unknown> | undefined {
  const path = {
    Pod: ['spec'],
    CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
    Deployment: ['spec', 'template', 'spec'],
    DaemonSet: ['spec', 'template', 'spec'],
    StatefulSet: ['spec', 'template', 'spec'],
    Job: ['spec', 'template', 'spec'],
  }[manifest.kind];
  return path && (at(manifest, ...path) as Record<string, unknown> | undefined);
}

/** A pod's containers, those that run first included. */
export function containersOf(manifest: Manifest): Record<string, unknown>[] {
  const spec = podSpecOf(manifest);
  return [...list(spec?.initContainers), ...list(spec?.containers)] as Record<string, unknown>[];
}

/** Every image that is pulled: of our own pods, but for those of workloads that are held at none, and of the charts as rendered. */
export function imagesOf(
  manifests: readonly Manifest[],
  facts: readonly ReleaseFacts[],
  tagOf: (chart: string) => string,
): string[] {
  const ours = manifests
    .filter((manifest) => at(manifest, 'spec', 'replicas') !== 0)
    .flatMap((manifest) => containersOf(manifest).flatMap(({ image }) => (typeof image === 'string' ? [image] : [])));
  const charts = facts.flatMap(({ chart, images }) =>
    images.map((image) => (image.includes('{tag}') ? image.replace('{tag}', tagOf(chart.name)) : image)),
  );
  return [...new Set([...ours, ...charts])].sort();
}

/** What is wrong with an image's name: it must say the registry and a tag or digest that does not move. */
export function imageProblems(image: string): string[] {
  const [reference = '', digest] = image.split('@', 2);
  const tag = /:([\w][\w.-]*)$/.exec(reference.slice(reference.lastIndexOf('/')))?.[1];
  const problems: string[] = [];
  if (digest === undefined && tag === undefined) problems.push(`${image}: neither tag nor digest`);
  if (digest === undefined && tag !== undefined && /^(latest|main|master|stable|edge|nightly)$/.test(tag)) {
    problems.push(`${image}: the tag ${tag} moves`);
  }
  if (!/^[a-z0-9-]+\.[a-z0-9.-]+(:\d+)?\//.test(image)) problems.push(`${image}: names no registry`);
  return problems;
}

/** Containers whose image is asked for at its registry at each start: a wake would depend on that registry. */
export function pullProblems(workloads: readonly WorkloadFacts[]): string[] {
  return workloads.flatMap(({ kind, namespace, name, containers }) =>
    containers
      .filter(({ alwaysPulls }) => alwaysPulls)
      .map((container) => `${kind} ${namespace}/${name}, container ${container.name}: imagePullPolicy is Always`),
  );
}

/** What of a pod goes beyond Pod Security's `baseline`, in words; empty for one that stays within it. */
export function privilegesOf(manifest: Manifest): string[] {
  const spec = podSpecOf(manifest);
  if (!spec) return [];
  const found: string[] = [];
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) if (spec[field] === true) found.push(field);
  if (list(spec.volumes).some((volume) => at(volume, 'hostPath') !== undefined)) found.push('hostPath');
  for (const container of containersOf(manifest)) {
    if (at(container, 'securityContext', 'privileged') === true) found.push('privileged');
    if (list(at(container, 'securityContext', 'capabilities', 'add')).length > 0) found.push('capabilities');
    if (list(container.ports).some((port) => at(port, 'hostPort') !== undefined)) found.push('hostPort');
  }
  return found;
}

/** Pods of ours without requests or limits, as lines. Partial objects, of which Flux owns some fields only, need neither. */
export function unboundedPods(manifests: readonly Manifest[]): string[] {
  return manifests
    .filter(({ metadata }) => metadata.annotations?.['kustomize.toolkit.fluxcd.io/prune'] !== 'disabled')
    .flatMap((manifest) =>
      containersOf(manifest).flatMap((container) => {
        const where = `${nameOf(manifest)}, container ${String(container.name)}`;
        return [
          ['requests', 'cpu'],
          ['requests', 'memory'],
          ['limits', 'memory'],
        ].flatMap((path) =>
          at(container, 'resources', ...path) === undefined ? [`${where}: no ${path.join('.')}`] : [],
        );
      }),
    );
}
