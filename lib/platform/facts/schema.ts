import { readdirSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { InvalidManifest, readYaml } from '../manifest';

/**
 * What a chart really makes of our values. One file for each Helm release of the tree stands in `releases/`, written by
 * `make platform-render` and by nothing else; {@link readFacts} reads them.
 */

/** Folder of the generated files. */
export const RELEASES = path.join(__dirname, 'releases');
/** What runs on nodes without a chart: Kubernetes' own, and Flux. Generated, too. */
export const SYSTEM = path.join(__dirname, 'system.yaml');

const quantities = z.record(z.string(), z.string());
const toleration = z.strictObject({
  key: z.string().optional(),
  operator: z.enum(['Exists', 'Equal']).optional(),
  value: z.string().optional(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
  tolerationSeconds: z.number().optional(),
});
const requirement = z.strictObject({
  key: z.string(),
  operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt']),
  values: z.array(z.string()).optional(),
});
const port = z.strictObject({
  port: z.int(),
  /** Port of the host that the container asks for without its pod being on the host's network. */
  hostPort: z.int().optional(),
  protocol: z.enum(['TCP', 'UDP', 'SCTP']).default('TCP'),
});
const container = z.strictObject({
  name: z.string(),
  /** Runs before the others and ends. */
  init: z.boolean().default(false),
  image: z.string(),
  /** Asks the image's registry at each start, though the image is on the node. */
  alwaysPulls: z.boolean().default(false),
  /** Declared ports: on the host's network the scheduler counts each as a port of the host. */
  ports: z.array(port).default([]),
  /** Ports that its arguments, environment or probes name, and that it does not declare. */
  listens: z.array(z.int()).default([]),
  requests: quantities.default({}),
  limits: quantities.default({}),
});
const workload = z.strictObject({
  kind: z.enum(['Deployment', 'DaemonSet', 'StatefulSet', 'Job', 'CronJob']),
  namespace: z.string(),
  name: z.string(),
  /** The operator that makes it of a custom resource; absent if the chart renders it. */
  madeBy: z.string().optional(),
  replicas: z.int().default(1),
  /** Pods where their number follows that of nodes: for up to so many nodes, so many pods. */
  replicasByNodes: z.record(z.string(), z.int()).default({}),
  hostNetwork: z.boolean().default(false),
  /** What of it goes beyond Pod Security's `baseline`. */
  privileges: z.array(z.string()).default([]),
  serviceAccount: z.string().default('default'),
  priorityClass: z.string().optional(),
  runtimeClass: z.string().optional(),
  /** How an update replaces pods: `Recreate`, or `RollingUpdate` with what may be missing or too many. */
  strategy: z.string().optional(),
  nodeSelector: z.record(z.string(), z.string()).default({}),
  /** Required node affinity: alternatives, each a list of requirements that must all hold. */
  nodeAffinity: z.array(z.array(requirement)).default([]),
  tolerations: z.array(toleration).default([]),
  /** True if two pods of it must not share a node. */
  apart: z.boolean().default(false),
  containers: z.array(container),
});

const factsSchema = z.strictObject({
  release: z.string(),
  chart: z.strictObject({
    name: z.string(),
    /** Version that was rendered. */
    version: z.string(),
    /** Version that platform/base/charts.yaml pinned then. */
    pinned: z.string(),
    /** Where the chart came from. */
    source: z.string(),
    /** SHA-256 over the packaged chart's files. */
    digest: z.string(),
  }),
  /** Sources of operators that were read, by name, with version and origin. */
  operators: z.record(z.string(), z.string()).default({}),
  renderedWith: z.string(),
  renderedOn: z.string(),
  /** SHA-256 of what of the tree went into this: values, post-renderers, objects of operators. */
  inputs: z.string(),
  /** Value keys that we set, and each of which changes what is rendered. */
  values: z.array(z.string()),
  /** Value keys that we set and that change nothing: faults. */
  idle: z.array(z.string()).default([]),
  workloads: z.array(workload).default([]),
  webhooks: z
    .array(z.strictObject({ kind: z.string(), name: z.string(), webhook: z.string(), failurePolicy: z.string() }))
    .default([]),
  disruptionBudgets: z
    .array(z.strictObject({ namespace: z.string(), name: z.string(), allows: z.string() }))
    .default([]),
  /** Every image that is pulled; `{tag}` stands for one that follows the Kubernetes minor. */
  images: z.array(z.string()).default([]),
  definitions: z.array(z.string()).default([]),
  /** Bytes of the Secret in which Helm keeps the release; Kubernetes takes at most 1,048,576. */
  releaseBytes: z.int(),
});

/** What one release of the tree makes in a cluster. */
export type ReleaseFacts = z.infer<typeof factsSchema>;
/** The same with defaults left out, as it is written. */
export type ReleaseFactsInput = z.input<typeof factsSchema>;
/** A workload that a chart or an operator makes. */
export type WorkloadFacts = z.infer<typeof workload>;
/** The same with defaults left out. */
export type WorkloadInput = z.input<typeof workload>;
/** A container of it. */
export type ContainerFacts = z.infer<typeof container>;
/** A toleration as Kubernetes writes it. */
export type Toleration = z.infer<typeof toleration>;
/** A requirement of node affinity. */
export type Requirement = z.infer<typeof requirement>;

/** Checks a workload, and fills in its defaults. */
export function parseWorkload(value: WorkloadInput): WorkloadFacts {
  return workload.parse(value);
}

/** Checks the facts of a release, and fills in their defaults; `file` only names them in errors. */
export function parseFacts(value: unknown, file: string): ReleaseFacts {
  const parsed = factsSchema.safeParse(value);
  if (!parsed.success) throw new InvalidManifest(`${file}: ${z.prettifyError(parsed.error)}; run make platform-render`);
  return parsed.data;
}

/**
 * The facts of every release, by its name.
 * @throws InvalidManifest naming a file that is not as `make platform-render` writes it
 */
export function readFacts(folder = RELEASES): Record<string, ReleaseFacts> {
  return Object.fromEntries(
    readdirSync(folder)
      .filter((file) => file.endsWith('.yaml'))
      .sort()
      .map((file) => {
        const facts = parseFacts(readYaml(path.join(folder, file))[0], file);
        if (`${facts.release}.yaml` !== file) throw new InvalidManifest(`${file}: is of release ${facts.release}`);
        return [facts.release, facts];
      }),
  );
}

const systemSchema = z.strictObject({
  /** Where each project's sources were read, with their version. */
  sources: z.record(z.string(), z.string()),
  /** SHA-256 of what of the tree went into this: the patches of Flux. */
  inputs: z.string(),
  /** Ports of the kubelet, which is no pod. */
  kubelet: z.array(z.int()),
  /** Ports that programs listen on by default and no object names, by workload. */
  defaults: z.record(z.string(), z.array(z.int())),
  /** Static pods of a seat. */
  seat: z.array(workload),
  /** kube-proxy and CoreDNS, as kubeadm makes them. */
  addons: z.array(workload),
  /** Flux's controllers, with the patches of platform/flux. */
  flux: z.array(workload),
});
/** What runs on nodes without any chart. */
export type SystemFacts = z.infer<typeof systemSchema>;

/** Reads {@link SYSTEM}. @throws InvalidManifest if it is not as `make platform-render` writes it */
export function readSystem(): SystemFacts {
  const parsed = systemSchema.safeParse(readYaml(SYSTEM)[0]);
  if (!parsed.success)
    throw new InvalidManifest(`${SYSTEM}: ${z.prettifyError(parsed.error)}; run make platform-render`);
  return parsed.data;
}

/** True if another version was rendered than the one that is pinned; `v1.2.3` is `1.2.3`. */
export function isBeside({ chart }: Pick<ReleaseFacts, 'chart'>): boolean {
  return chart.version.replace(/^v/, '') !== chart.pinned.replace(/^v/, '');
}
