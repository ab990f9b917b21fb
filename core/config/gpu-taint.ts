import type { PoolConfig } from './schema';

const GPU_TAINT = 'nvidia.com/gpu';

/**
 * Keeps nodes with GPUs for what asks for a GPU, wherever everything else has another place: a pool without GPUs that
 * takes any pod. Where there is none, as on a cluster of one worker, everything shares them.
 */
export function taintGpuPools(pools: readonly PoolConfig[]): PoolConfig[] {
  const hasOtherPlace = pools.some(
    (pool) => !pool.gpu && pool.taints.every(({ effect }) => effect === 'PreferNoSchedule'),
  );
  return pools.map((pool) => {
    if (!pool.gpu || !hasOtherPlace || pool.taints.some(({ key }) => key === GPU_TAINT)) return pool;
    return { ...pool, taints: [...pool.taints, { key: GPU_TAINT, value: 'true', effect: 'NoSchedule' }] };
  });
}
