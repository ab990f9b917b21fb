import * as z from 'zod';
import type { Problem } from './problem';
import type { ClusterConfig } from './schema';

/** What the seats say that they brought the cluster to (`/drowse/<cluster>/running`, written by `userdata/lib/seat.sh`). */
export const runningClusterSchema = z.strictObject({
  /** Release without a `v`, for example `1.36.3`. */
  kubernetes: z.string().regex(/^1\.\d+\.\d+$/),
  podCidr: z.string(),
  serviceCidr: z.string(),
  seats: z.union([z.literal(1), z.literal(3)]),
});

/** What a deploy finds: undefined or empty where there is nothing yet. */
export interface RunningCluster {
  readonly running: z.infer<typeof runningClusterSchema> | undefined;
  /** Sizes of the state volumes that exist. */
  readonly stateVolumesGiB: readonly number[];
}

/** Which fields ask for what cannot be made of the cluster that runs, with the way where there is one. */
export function impossibleChanges(config: ClusterConfig, { running, stateVolumesGiB }: RunningCluster): Problem[] {
  const problems: Problem[] = [];
  const { kubernetes, controlPlane } = config;
  const largest = Math.max(0, ...stateVolumesGiB);
  if (controlPlane.stateVolumeGiB < largest) {
    const message = `${String(controlPlane.stateVolumeGiB)} is less than the ${String(largest)} GiB that the volume has: volumes only grow. Write ${String(largest)} or more`;
    problems.push({ path: ['controlPlane', 'stateVolumeGiB'], message });
  }
  if (running === undefined) return problems;
  const [now, wanted] = [minorOf(running.kubernetes), minorOf(kubernetes.version)];
  if (wanted < now) {
    const message = `${kubernetes.version} is older than the ${running.kubernetes} that runs: etcd's data cannot go back. Write 1.${String(now)}.x`;
    problems.push({ path: ['kubernetes', 'version'], message });
  } else if (wanted > now + 1) {
    const message = `${kubernetes.version} skips a minor after the ${running.kubernetes} that runs: first deploy 1.${String(now + 1)}.x and wake the cluster with it, then go on`;
    problems.push({ path: ['kubernetes', 'version'], message });
  }
  for (const field of ['podCidr', 'serviceCidr'] as const) {
    if (kubernetes[field] === running[field]) continue;
    const message = `${kubernetes[field]} is not the ${running[field]} that the cluster has for life. Write ${running[field]}; other networks need another cluster`;
    problems.push({ path: ['kubernetes', field], message });
  }
  if (controlPlane.seats < running.seats) {
    const message = `${String(controlPlane.seats)} is less than the ${String(running.seats)} that the cluster has: what is left would have no quorum. Write ${String(running.seats)}`;
    problems.push({ path: ['controlPlane', 'seats'], message });
  }
  return problems;
}

function minorOf(version: string): number {
  return Number(version.split('.')[1]);
}
