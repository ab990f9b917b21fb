import { at, list, type Manifest } from '../manifest';
import { podSpecOf, privilegesOf } from '../check/workloads';
import { parseWorkload, type ReleaseFactsInput, type WorkloadFacts, type WorkloadInput } from './schema';

/** What facts say of rendered objects; pure. Objects without a namespace are in the release's. */
export function factsOf(
  objects: readonly Manifest[],
  namespace: string,
): Pick<ReleaseFactsInput, 'webhooks' | 'disruptionBudgets' | 'images' | 'definitions'> & {
  workloads: WorkloadFacts[];
} {
  const workloads = objects
    .filter((object) => !isFarewell(object))
    .flatMap((object) => workloadOf(object, namespace) ?? [])
    .sort((a, b) => order(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`));
  return {
    workloads,
    webhooks: objects
      .filter(({ kind }) => kind.endsWith('WebhookConfiguration'))
      .flatMap(({ kind, metadata, webhooks }) =>
        list(webhooks).map((webhook) => ({
          kind,
          name: metadata.name,
          webhook: String(at(webhook, 'name')),
          // The API server's own default.
          failurePolicy: textOr(at(webhook, 'failurePolicy'), 'Fail'),
        })),
      ),
    disruptionBudgets: objects
      .filter(({ kind }) => kind === 'PodDisruptionBudget')
      .map((budget) => ({
        namespace: budget.metadata.namespace ?? namespace,
        name: budget.metadata.name,
        allows: ['maxUnavailable', 'minAvailable']
          .filter((field) => at(budget, 'spec', field) !== undefined)
          .map((field) => `${field}: ${String(at(budget, 'spec', field))}`)
          .join(', '),
      })),
    images: imagesOfWorkloads(workloads),
    definitions: objects
      .filter(({ kind }) => kind === 'CustomResourceDefinition')
      .map(({ metadata }) => metadata.name)
      .sort(order),
  };
}

/** Every image of some workloads, once. */
export function imagesOfWorkloads(workloads: readonly WorkloadFacts[]): string[] {
  return [...new Set(workloads.flatMap(({ containers }) => containers.map(({ image }) => image)))].sort(order);
}

/** The facts of one object that makes pods; undefined for any other. */
export function workloadOf(object: Manifest, namespace: string): WorkloadFacts | undefined {
  const spec = podSpecOf(object);
  if (spec === undefined || object.kind === 'Pod') return undefined;
  const { kind, metadata } = object;
  const replicas = at(object, 'spec', 'replicas');
  const strategy = strategyOf(object);
  const input: WorkloadInput = {
    kind: kind as WorkloadInput['kind'],
    namespace: metadata.namespace ?? namespace,
    name: metadata.name,
    replicas: typeof replicas === 'number' ? replicas : 1,
    hostNetwork: spec.hostNetwork === true,
    privileges: [...new Set(privilegesOf(object))],
    serviceAccount: textOr(spec.serviceAccountName, 'default'),
    ...(typeof spec.priorityClassName === 'string' &&
      spec.priorityClassName !== '' && { priorityClass: spec.priorityClassName }),
    ...(typeof spec.runtimeClassName === 'string' && { runtimeClass: spec.runtimeClassName }),
    ...(strategy !== undefined && { strategy }),
    nodeSelector: (spec.nodeSelector ?? {}) as Record<string, string>,
    nodeAffinity: list(
      at(spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms'),
    ).map((term) => list(at(term, 'matchExpressions'))) as NonNullable<WorkloadInput['nodeAffinity']>,
    tolerations: list(spec.tolerations) as NonNullable<WorkloadInput['tolerations']>,
    apart: list(at(spec, 'affinity', 'podAntiAffinity', 'requiredDuringSchedulingIgnoredDuringExecution')).length > 0,
    containers: [
      ...list(spec.initContainers).map((each) => ({
        ...containerOf(each),
        init: at(each, 'restartPolicy') !== 'Always',
      })),
      ...list(spec.containers).map(containerOf),
    ],
  };
  return parseWorkload(input);
}

/** Helm makes it only when the release goes, or is tested. */
function isFarewell({ metadata }: Manifest): boolean {
  const hooks = (metadata.annotations?.['helm.sh/hook'] ?? '').split(',').map((hook) => hook.trim());
  return hooks.every((hook) => /^(pre-delete|post-delete|pre-rollback|post-rollback|test.*)$/.test(hook));
}

function strategyOf(object: Manifest): string | undefined {
  const strategy = at(object, 'spec', 'strategy') ?? at(object, 'spec', 'updateStrategy');
  const type = at(strategy, 'type');
  if (typeof type !== 'string') return undefined;
  const rolling = Object.entries((at(strategy, 'rollingUpdate') ?? {}) as Record<string, unknown>).sort(([a], [b]) =>
    order(a, b),
  );
  return [type, ...rolling.map(([field, value]) => `${field} ${String(value)}`)].join(', ');
}

function containerOf(container: unknown): WorkloadInput['containers'][number] {
  const ports = list(at(container, 'ports')).map((port) => ({
    port: Number(at(port, 'containerPort')),
    ...(at(port, 'hostPort') !== undefined && { hostPort: Number(at(port, 'hostPort')) }),
    ...(at(port, 'protocol') !== undefined && { protocol: String(at(port, 'protocol')) as 'TCP' | 'UDP' | 'SCTP' }),
  }));
  const declared = new Set(ports.map(({ port }) => port));
  return {
    name: String(at(container, 'name')),
    image: String(at(container, 'image')),
    alwaysPulls: at(container, 'imagePullPolicy') === 'Always',
    ports,
    listens: listensOf(container).filter((port) => !declared.has(port)),
    requests: quantitiesOf(at(container, 'resources', 'requests')),
    limits: quantitiesOf(at(container, 'resources', 'limits')),
  };
}

/** An argument such as `--metrics-addr=127.0.0.1:9281`, `--http-endpoint=:3301`, `--port=80`. */
const ARGUMENT = /^--?[\w.-]*(?:addr|address|port|bind|listen|endpoint)=(?:[^/\s]*:)?(\d{2,5})$/i;
/** An environment variable that names a port, such as `PROBES_SERVER_PORT`. */
const VARIABLE = /(?:^|_)(?:PORT|ADDR|ADDRESS|LISTEN)$/;

/** Ports that a container is told to listen on, or is asked at by its probes. */
function listensOf(container: unknown): number[] {
  const words = [...list(at(container, 'command')), ...list(at(container, 'args'))].map(String);
  const said = words.flatMap((word) => ARGUMENT.exec(word)?.[1] ?? []);
  const set = list(at(container, 'env')).flatMap((variable) =>
    VARIABLE.test(String(at(variable, 'name')))
      ? (/^(?:[^/\s]*:)?(\d{2,5})$/.exec(String(at(variable, 'value')))?.[1] ?? [])
      : [],
  );
  const asked = ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((probe) =>
    ['httpGet', 'tcpSocket', 'grpc'].flatMap((way) => {
      const port = at(container, probe, way, 'port');
      return typeof port === 'number' ? [port] : [];
    }),
  );
  return [...new Set([...said, ...set, ...asked].map(Number))].filter((port) => port > 0).sort((a, b) => a - b);
}

function quantitiesOf(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries((value ?? {}) as Record<string, unknown>).map(([name, quantity]) => [name, String(quantity)]),
  );
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
