import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import { describeGroupsOf, type Group } from './groups';
import { describeNodes, LIVE_STATES, type NodeInstance } from './instances';

/** Nodes that are not there, as `reconcile-platform` is told: all those of pools, those with GPUs, or none of either. */
export type MissingNodes = 'none' | 'gpu' | 'workers';

/** True for a node of this group that the cluster can use. */
export function isReady({ id, state, phase }: NodeInstance, { instances }: Group): boolean {
  const serves = instances.some((own) => own.id === id && own.lifecycle === 'InService');
  return serves && state === 'running' && phase === 'ready';
}

/**
 * Which nodes the cluster has to do without for now: those of pools that are below their size, by the same measure as a
 * degraded wake. What a pool without GPUs should carry may have no other place, so it counts as all workers.
 */
export async function findMissingNodes(
  { autoScaling, ec2 }: { autoScaling: AutoScalingClient; ec2: EC2Client },
  cluster: string,
): Promise<MissingNodes> {
  const nodes = await describeNodes(ec2, cluster, LIVE_STATES);
  const pools = (await describeGroupsOf(autoScaling, cluster, 'pool')).map((group) => ({
    ...group,
    ready: nodes.filter((node) => isReady(node, group)).length,
  }));
  const short = pools.filter(({ ready, current }) => ready < current.desired);
  if (short.length === 0) return 'none';
  const onlyGpus = short.every(({ gpu }) => gpu) && pools.some(({ ready }) => ready > 0);
  return onlyGpus ? 'gpu' : 'workers';
}
