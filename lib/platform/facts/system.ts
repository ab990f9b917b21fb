import { createHash } from 'node:crypto';
import path from 'node:path';
import { patchAll } from '../kustomize';
import { parseYaml, readYaml, toManifest, type Manifest } from '../manifest';
import { patchSchema } from '../patch';
import { PLATFORM } from '../paths';
import { workloadOf } from './extract';
import { sorted } from './inputs';
import type { Source } from './sources';
import { parseWorkload, type SystemFacts, type WorkloadFacts } from './schema';

/** The projects whose sources say it. */
export const SYSTEM_PROJECTS = ['kubernetes', 'source-controller', 'kustomize-controller', 'helm-controller'] as const;
/** One of them. */
export type SystemProject = (typeof SYSTEM_PROJECTS)[number];

const PORTS = 'pkg/cluster/ports/ports.go';
const CONSTANTS = 'cmd/kubeadm/app/constants/constants.go';
const STATIC = 'cmd/kubeadm/app/phases/controlplane/manifests.go';
const ETCD = 'cmd/kubeadm/app/phases/etcd/local.go';
const DNS = 'cmd/kubeadm/app/phases/addons/dns/manifests.go';
const PROXY = 'cmd/kubeadm/app/phases/addons/proxy/manifests.go';

/** Reads what Kubernetes and Flux say of themselves. @param patches of platform/flux/patches/kustomization.yaml */
export function systemFacts(
  sources: Readonly<Record<SystemProject, Source>>,
  patches: string,
): Omit<SystemFacts, 'sources' | 'inputs'> {
  const { kubernetes } = sources;
  const component = (name: string, variable: string, port: number) =>
    staticPod(name, [port], {
      cpu: kubernetes.find(
        STATIC,
        new RegExp(`kubeadmconstants\\.${variable}: staticpodutil[^]*?ComponentResources\\("(\\d+m)"\\)`),
      ),
    });
  kubernetes.expect(PROXY, /hostNetwork: true/);
  kubernetes.expect(PROXY, /tolerations:\n\s+- operator: Exists/);
  kubernetes.expect(DNS, /- key: CriticalAddonsOnly\n\s+operator: Exists/);
  kubernetes.expect(DNS, /- key: \{\{ \.ControlPlaneTaintKey \}\}\n\s+effect: NoSchedule/);
  return {
    kubelet: [kubernetes.number(PORTS, 'KubeletPort'), kubernetes.number(PORTS, 'KubeletHealthzPort')],
    defaults: { 'aws-cloud-controller-manager': [kubernetes.number(PORTS, 'CloudControllerManagerPort')] },
    seat: [
      component('kube-apiserver', 'KubeAPIServer', kubernetes.number(CONSTANTS, 'KubeAPIServerPort')),
      component(
        'kube-controller-manager',
        'KubeControllerManager',
        kubernetes.number(CONSTANTS, 'KubeControllerManagerPort'),
      ),
      component('kube-scheduler', 'KubeScheduler', kubernetes.number(CONSTANTS, 'KubeSchedulerPort')),
      staticPod(
        'etcd',
        ['EtcdListenClientPort', 'EtcdListenPeerPort', 'EtcdMetricsPort'].map((name) =>
          kubernetes.number(CONSTANTS, name),
        ),
        {
          cpu: kubernetes.find(ETCD, /ResourceCPU:\s+resource\.MustParse\("(\w+)"\)/),
          memory: kubernetes.find(ETCD, /ResourceMemory:\s+resource\.MustParse\("(\w+)"\)/),
        },
      ),
    ],
    addons: [
      parseWorkload({
        kind: 'DaemonSet',
        namespace: 'kube-system',
        name: 'kube-proxy',
        hostNetwork: true,
        privileges: ['hostNetwork', 'hostPath', 'privileged'],
        tolerations: [{ operator: 'Exists' }],
        containers: [
          {
            name: 'kube-proxy',
            image: 'kube-proxy',
            listens: [kubernetes.number(PORTS, 'ProxyStatusPort'), kubernetes.number(PORTS, 'ProxyHealthzPort')],
          },
        ],
      }),
      parseWorkload({
        kind: 'Deployment',
        namespace: 'kube-system',
        name: 'coredns',
        replicas: kubernetes.number('cmd/kubeadm/app/phases/addons/dns/dns.go', 'coreDNSReplicas'),
        tolerations: [
          { key: 'CriticalAddonsOnly', operator: 'Exists' },
          { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' },
        ],
        containers: [
          {
            name: 'coredns',
            image: 'coredns',
            requests: {
              cpu: kubernetes.find(DNS, /requests:\n\s+cpu: (\w+)/),
              memory: kubernetes.find(DNS, /requests:\n\s+cpu: \w+\n\s+memory: (\w+)/),
            },
          },
        ],
      }),
    ],
    flux: fluxWorkloads(
      (['source-controller', 'kustomize-controller', 'helm-controller'] as const).map((name) => sources[name]),
      patches,
    ),
  };
}

function fluxWorkloads(sources: readonly Source[], patches: string): WorkloadFacts[] {
  const file = 'config/manager/deployment.yaml';
  const deployments = sources.map((source) => toManifest(parsed(source.text(file)), source.name));
  const kustomization = parsed(patches) as { patches: unknown[] };
  const patched = kustomization.patches.reduce<Manifest[]>(
    (current, patch) => patchAll(current, patchSchema.parse(patch), 'platform/flux/patches'),
    deployments.map((each) => ({ ...each, metadata: { ...each.metadata, namespace: 'flux-system' } })),
  );
  return patched.flatMap((each) => workloadOf(each, 'flux-system') ?? []);
}

function staticPod(name: string, ports: readonly number[], requests: Record<string, string>): WorkloadFacts {
  return parseWorkload({
    kind: 'DaemonSet',
    namespace: 'kube-system',
    name,
    hostNetwork: true,
    privileges: ['hostNetwork', 'hostPath'],
    nodeSelector: { 'node-role.kubernetes.io/control-plane': '' },
    tolerations: [{ operator: 'Exists' }],
    containers: [{ name, image: name, ports: ports.map((port) => ({ port })), requests }],
  });
}

function parsed(text: string): unknown {
  return parseYaml(text, 'a source')[0];
}

/** The patches of Flux, which go into what is known of it. */
export const FLUX_PATCHES = path.join(PLATFORM, 'flux', 'patches', 'kustomization.yaml');

/** Digest of what of the tree goes into {@link systemFacts}. */
export function systemInputs(): string {
  return createHash('sha256')
    .update(sorted(readYaml(FLUX_PATCHES)[0]))
    .digest('hex');
}
