import { at, list, type Manifest } from '../manifest';
import { containersOf } from '../check/workloads';
import { applyPatch } from '../patch';
import { workloadOf } from './extract';
import type { Source } from './sources';
import type { WorkloadFacts } from './schema';

/**
 * Workloads that no chart renders: operators make them of custom resources. What is fixed in an operator's source is looked up
 * there each time; a source that reads otherwise than it did is an error.
 */

type Pod = Record<string, unknown>;

/** What prometheus-operator makes of the Prometheus and Alertmanager objects that a chart renders. */
export function prometheusWorkloads(objects: readonly Manifest[], source: Source): WorkloadFacts[] {
  const args = objects
    .filter(({ kind }) => kind === 'Deployment')
    .flatMap(containersOf)
    .flatMap(({ args: each }) => list(each).map(String));
  const argument = (name: string) => args.find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3);
  const reloader = 'pkg/operator/config_reloader.go';
  const port = source.number(reloader, 'configReloaderPort');
  const initPort = source.number(reloader, 'initConfigReloaderPort');
  source.expect(reloader, /--listen-address=:%d/);

  source.expect(reloader, /--listen-address=%s:%d/);
  /** A port that is declared, or with `listenLocal` only listened on: on the loopback. */
  const local = (isLocal: unknown, name: string, number: number) =>
    isLocal === true
      ? { args: [`--${name}=127.0.0.1:${String(number)}`] }
      : { args: [`--${name}=:${String(number)}`], ports: [{ containerPort: number }] };
  const reloaderOf = (name: string, number: number, isLocal: unknown) => ({
    name,
    image: argument('prometheus-config-reloader'),
    ...local(isLocal, 'listen-address', number),
    resources: {
      requests: pair(argument('config-reloader-cpu-request'), argument('config-reloader-memory-request')),
      limits: pair(argument('config-reloader-cpu-limit'), argument('config-reloader-memory-limit')),
    },
  });
  const alertmanager = 'pkg/alertmanager/statefulset.go';
  source.expect(alertmanager, /if !a\.Spec\.ListenLocal \{\s+ports = append/);
  source.expect(alertmanager, /operator\.ListenLocal\(a\.Spec\.ListenLocal\)/);
  source.expect(alertmanager, /k8s\.MergePatchContainers\(defaultContainers, a\.Spec\.Containers\)/);
  const mesh = source.number(alertmanager, 'alertmanagerMeshPort');
  const kinds: Record<string, { prefix: string; web: number; ports: unknown[] }> = {
    Prometheus: {
      prefix: 'prometheus',
      web: Number(source.find('pkg/prometheus/common.go', /ContainerPort:\s*(\d+)/)),
      ports: [],
    },
    Alertmanager: {
      prefix: 'alertmanager',
      web: source.number(alertmanager, 'alertmanagerWebPort'),
      ports: ['TCP', 'UDP'].map((protocol) => ({ containerPort: mesh, protocol })),
    },
  };
  return objects.flatMap((object) => {
    const kind = kinds[object.kind];
    if (kind === undefined) return [];
    const spec = object.spec as Pod;
    const web = local(spec.listenLocal, 'web.listen-address', kind.web);
    const containers = [
      {
        name: kind.prefix,
        image: spec.image,
        ...web,
        ports: [...(web.ports ?? []), ...kind.ports],
        resources: spec.resources,
      },
      reloaderOf('config-reloader', port, spec.listenLocal),
    ];
    const made: Manifest = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { ...object.metadata, name: `${kind.prefix}-${object.metadata.name}` },
      spec: {
        replicas: spec.replicas,
        updateStrategy: { type: 'RollingUpdate' },
        template: {
          spec: {
            ...pick(spec, [
              'serviceAccountName',
              'hostNetwork',
              'nodeSelector',
              'tolerations',
              'affinity',
              'priorityClassName',
            ]),
            initContainers: [reloaderOf('init-config-reloader', initPort, false)],
            containers,
          },
        },
      },
    };
    // Containers of ours come on top, or change one of the operator's by its name.
    const patch = { spec: { template: { spec: { containers: list(spec.containers) } } } };
    const patched = list(spec.containers).length === 0 ? made : (applyPatch(made, patch, object.metadata.name) ?? made);
    return madeBy(patched, source);
  });
}

/** What tigera-operator makes of the Installation. */
export function calicoWorkloads(installation: Manifest, source: Source): WorkloadFacts[] {
  const [node, typha, controllers] = [
    'pkg/render/node.go',
    'pkg/render/typha.go',
    'pkg/render/kubecontrollers/kube-controllers.go',
  ] as const;
  const health = source.number('pkg/controller/installation/core_controller.go', 'felixHealthPort');
  source.expect(node, /Tolerations:\s+rmeta\.TolerateAll/);
  source.expect(node, /HostNetwork:\s+true/);
  source.expect(typha, /tolerations := rmeta\.TolerateAll/);
  source.expect(typha, /HostNetwork:\s+true/);
  source.expect(typha, /return cfg\.FelixHealthPort - 1/);
  source.expect(controllers, /rmeta\.TolerateCriticalAddonsAndControlPlane/);
  const meta = 'pkg/render/common/meta/meta.go';
  source.expect(
    meta,
    /TolerateAll = \[\]corev1\.Toleration\{\s*TolerateCriticalAddonsOnly,\s*\{\s*Effect:\s+corev1\.TaintEffectNoSchedule,\s*Operator:\s+corev1\.TolerationOpExists/,
  );
  source.expect(meta, /Key:\s+"node-role\.kubernetes\.io\/control-plane",\s*Effect:\s+corev1\.TaintEffectNoSchedule/);
  const critical = { key: 'CriticalAddonsOnly', operator: 'Exists' };
  const all = [critical, { effect: 'NoSchedule', operator: 'Exists' }, { effect: 'NoExecute', operator: 'Exists' }];
  const onSeats = [critical, { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' }];
  const image = (name: string) =>
    `quay.io/calico/${name}:${source.find('pkg/components/calico.go', new RegExp(`Version:\\s+"([^"]+)",\\s+Image:\\s+"${name}",`))}`;

  const maxUnavailable = Number(source.find(typha, /maxUnavailable := intstr\.FromInt\((\d+)\)[^}]*maxSurge/));
  const maxSurge = source.find(typha, /maxSurge := intstr\.FromString\("([^"]+)"\)/);

  const spec = installation.spec as Pod;
  const make = (kind: string, name: string, overrides: unknown, strategy: Pod, pod: Pod, container: Pod): Manifest => {
    const own = list(at(overrides, 'spec', 'template', 'spec', 'containers')).find((each) => at(each, 'name') === name);
    return {
      apiVersion: 'apps/v1',
      kind,
      metadata: { name, namespace: 'calico-system' },
      spec: {
        ...strategy,
        template: {
          spec: { ...pod, containers: [{ name, resources: at(own, 'resources'), ...container }] },
        },
      },
    };
  };
  const made = [
    make(
      'DaemonSet',
      'calico-node',
      spec.calicoNodeDaemonSet,
      { updateStrategy: spec.nodeUpdateStrategy },
      {
        hostNetwork: true,
        serviceAccountName: 'calico-node',
        priorityClassName: 'system-node-critical',
        tolerations: all,
        volumes: [{ name: 'lib-modules', hostPath: { path: '/lib/modules' } }],
        initContainers: [{ name: 'install-cni', image: image('cni') }],
      },
      {
        image: image('node'),
        livenessProbe: { httpGet: { port: health } },
        securityContext: { privileged: true },
      },
    ),
    make(
      'Deployment',
      'calico-typha',
      spec.typhaDeployment,
      { strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } } },
      {
        hostNetwork: true,
        serviceAccountName: 'calico-typha',
        priorityClassName: 'system-cluster-critical',
        tolerations: list(spec.controlPlaneTolerations).length > 0 ? spec.controlPlaneTolerations : all,
        affinity: spec.typhaAffinity,
      },
      {
        image: image('typha'),
        ports: [{ containerPort: source.number(typha, 'TyphaPort') }],
        livenessProbe: { httpGet: { port: health - 1 } },
      },
    ),
    make(
      'Deployment',
      'calico-kube-controllers',
      spec.calicoKubeControllersDeployment,
      { strategy: { type: 'Recreate' } },
      {
        serviceAccountName: 'calico-kube-controllers',
        priorityClassName: 'system-cluster-critical',
        nodeSelector: spec.controlPlaneNodeSelector,
        tolerations: [...list(spec.controlPlaneTolerations), ...onSeats],
      },
      { image: image('kube-controllers') },
    ),
  ];
  const scale = 'pkg/common/autoscale.go';
  const [one, two] = [
    source.find(scale, /nodes <= (\d+) \{[^}]*typhas = 1\b/),
    source.find(scale, /nodes <= (\d+) \{[^}]*typhas = 2\b/),
  ];
  source.expect(scale, /typhas < 3 \{[^}]*typhas = 3\b/);
  const most = source.number(scale, 'maxNodesPerTypha');
  const replicasByNodes = { [one]: 1, [two]: 2, [String(most)]: 3 };
  return made
    .flatMap((each) => madeBy(each, source))
    .map((each) => (each.name === 'calico-typha' ? { ...each, replicasByNodes } : each));
}

function madeBy(made: Manifest, source: Source): WorkloadFacts[] {
  const workload = workloadOf(made, made.metadata.namespace ?? 'default');
  return workload === undefined ? [] : [{ ...workload, madeBy: source.name }];
}

function pair(cpu?: string, memory?: string): Record<string, string> {
  const given = { cpu, memory };
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '0'),
  );
}

function pick(spec: Pod, fields: readonly string[]): Pod {
  return Object.fromEntries(fields.filter((field) => spec[field] !== undefined).map((field) => [field, spec[field]]));
}
