import type { ClusterRecord, Wanted } from './cluster-record';
import type { ClusterState } from './contracts';

const MEANT: Readonly<Record<ClusterState, Wanted['state']>> = {
  asleep: 'asleep',
  sleeping: 'asleep',
  'sleep-failed': 'asleep',
  waking: 'awake',
  awake: 'awake',
  'awake-degraded': 'awake',
  'wake-failed': 'awake',
};

/**
 * What the cluster is to be. Records from before it was kept tell by their state; undefined of a cluster that was never
 * bootstrapped.
 */
export function intentOf({
  wanted,
  state,
  since,
}: Pick<ClusterRecord, 'wanted' | 'state' | 'since'>): Wanted | undefined {
  if (wanted) return wanted;
  return since === undefined ? undefined : { state: MEANT[state], since, by: 'unknown' };
}
