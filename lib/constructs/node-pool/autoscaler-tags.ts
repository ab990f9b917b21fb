import { gpusOf, type OwnTypes } from '../../../core/config/instance-types';
import type { PoolConfig } from '../../../core/config/schema';
import { labelsOfPool } from '../../node';

const NODE_TEMPLATE = 'k8s.io/cluster-autoscaler/node-template';

/**
 * Tags by which Cluster Autoscaler finds the group, and knows what a node of it would be while it has none: without
 * them it cannot scale from zero. They must match what the kubelet registers (autoscaler#5278), and it looks at the
 * first instance type only.
 */
export function autoscalerTags(
  { name: cluster, ...types }: OwnTypes & { name: string },
  pool: PoolConfig,
): Record<string, string> {
  const [first = ''] = pool.instanceTypes;
  return {
    'k8s.io/cluster-autoscaler/enabled': 'true',
    [`k8s.io/cluster-autoscaler/${cluster}`]: 'owned',
    ...prefixed('label', labelsOfPool(pool)),
    ...prefixed('taint', Object.fromEntries(pool.taints.map(({ key, value, effect }) => [key, `${value}:${effect}`]))),
    ...prefixed('resources', {
      'ephemeral-storage': `${String(pool.diskGiB)}Gi`,
      ...(pool.gpu && { 'nvidia.com/gpu': String(gpusOf(first, types)) }),
    }),
  };
}

function prefixed(kind: 'label' | 'taint' | 'resources', values: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [`${NODE_TEMPLATE}/${kind}/${key}`, value]));
}
