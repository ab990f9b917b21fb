import type { ReleaseFacts } from '../facts/schema';
import { nameOf, type Manifest } from '../manifest';
import { keyOf } from './scheduler';
import { privilegesOf } from './workloads';

const CALLS_AWS = 'uses the host network, where the metadata service answers';

/** Pods that go beyond Pod Security's `baseline`, ours and the charts', and why they may. */
export const PRIVILEGED: Readonly<Record<string, string>> = {
  'Job flux-system/flux-installer': 'uses the host network: there is no pod network yet',
  'Deployment tigera-operator/tigera-operator':
    'uses the host network, so that it can work before there is a pod network',
  'DaemonSet calico-system/calico-node': 'writes the host’s routes, rules and network plugin',
  'Deployment calico-system/calico-typha':
    'uses the host network, as the nodes’ agents reach it before they have made one',
  'DaemonSet kube-system/aws-cloud-controller-manager': CALLS_AWS,
  'Deployment kube-system/ebs-csi-controller': CALLS_AWS,
  'DaemonSet kube-system/ebs-csi-node': 'mounts disks for other pods',
  'DaemonSet kube-system/ebs-csi-node-windows': 'mounts disks for other pods; there is no such node',
  'Deployment kube-system/cluster-autoscaler': CALLS_AWS,
  'Deployment kube-system/aws-node-termination-handler': CALLS_AWS,
  'DaemonSet gpu/nvidia-device-plugin': 'registers devices through the kubelet’s sockets on the host',
  'DaemonSet gpu/nvidia-device-plugin-mps-control-daemon':
    'shares memory with those who share a GPU; no node has its label',
  'DaemonSet gpu/dcgm-exporter': 'the driver gives its profiling counters to CAP_SYS_ADMIN only',
  'DaemonSet ingress/nginx-ingress-controller': 'binds ports 80 and 443 of its node, to which the Elastic IP points',
  'StatefulSet monitoring/alertmanager-monitoring-alertmanager': `${CALLS_AWS}, to publish to the topic`,
  'DaemonSet monitoring/node-exporter': 'reads the host’s processes, disks and network',
};

/** Pods that go beyond the baseline without a reason. */
export function privilegeProblems(manifests: readonly Manifest[], facts: readonly ReleaseFacts[]): string[] {
  return [...privilegedAmong(manifests, facts)]
    .filter(([name]) => !(name in PRIVILEGED))
    .map(
      ([name, privileges]) => `${name}: ${privileges.join(', ')} without a reason in lib/platform/check/privileges.ts`,
    );
}

/** What goes beyond the baseline: each pod's `Kind namespace/name`, and how. */
export function privilegedAmong(manifests: readonly Manifest[], facts: readonly ReleaseFacts[]): Map<string, string[]> {
  const ours = manifests.map((manifest) => [nameOf(manifest), privilegesOf(manifest)] as const);
  const charts = facts.flatMap(({ workloads }) => workloads.map((each) => [keyOf(each), each.privileges] as const));
  return new Map(
    [...ours, ...charts].filter(([, privileges]) => privileges.length > 0).map(([name, all]) => [name, [...all]]),
  );
}
