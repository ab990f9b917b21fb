import { regionOf } from '../facts/regions';
import type { ClusterConfig, WrittenConfig } from './schema';

/** Root disk of a pool that says none (GiB). The public GPU image fills about 50 GiB by itself. */
const DISK_GIB = { gpu: 100, other: 50 };
/** How many zones are used where the configuration names none. */
const ZONES = 3;

/** Fills in what follows from other fields where the configuration does not say it. */
export function complete(written: WrittenConfig): ClusterConfig {
  return {
    ...written,
    zones: written.zones ?? (regionOf(written.region)?.likelyZones ?? ['a', 'b', 'c']).slice(0, ZONES),
    pools: written.pools.map((pool) => ({
      ...pool,
      min: pool.min ?? (pool.ingress ? Math.min(1, pool.max) : 0),
      diskGiB: pool.diskGiB ?? (pool.gpu ? DISK_GIB.gpu : DISK_GIB.other),
    })),
  };
}
