import { didYouMean } from './did-you-mean';
import type { Problem, Surroundings } from './problem';
import type { ClusterConfig, PoolConfig } from './schema';

/** Pools without which an example could never show what it is for. */
const NEEDS: Readonly<Record<string, { what: string; fits: (pool: PoolConfig) => boolean }>> = {
  'queue-executor': {
    what: 'a pool with labels: { workload-type: executor } (see examples/node-pools.yaml)',
    fits: ({ labels }) => labels['workload-type'] === 'executor',
  },
  doze: {
    what: 'a GPU pool with min: 0 that does not carry the ingress (see examples/infra-app-gpu.yaml)',
    fits: ({ gpu, min, ingress }) => gpu && min === 0 && !ingress,
  },
};

/** Examples that are turned on must be there, and have the nodes that they are about. */
export function checkExamples({ platform, pools }: ClusterConfig, { platform: { examples } }: Surroundings): Problem[] {
  // Of a repository of the user's own, only Flux sees the folders.
  const known = platform.source === 'bucket' ? examples : platform.examples;
  return platform.examples.flatMap((name, index): Problem[] => {
    const path = ['platform', 'examples', index];
    if (!known.includes(name)) {
      const meant = didYouMean(name, known);
      const remedy = meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`;
      return [{ path, message: `${name}: no such folder below platform/examples; ${remedy}` }];
    }
    if (platform.examples.indexOf(name) < index) return [{ path, message: `${name}: name each example once` }];
    const needs = NEEDS[name];
    if (needs === undefined || pools.some(needs.fits)) return [];
    return [{ path, message: `${name}: it needs ${needs.what}; add one, or leave the example out` }];
  });
}
