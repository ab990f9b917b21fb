/** What the cluster's scripts would find and change, as far as the workflows can tell. */
export interface InCluster {
  /** Names of the Node objects. */
  nodes: Set<string>;
  /** Those of them that take no pods. */
  cordoned: Set<string>;
  platform: { installs: number; at: string | undefined };
  /** Folders of the sets in the bucket, oldest first. */
  snapshots: string[];
  /** How much it is used, as measure-activity finds out; null for what it can't. */
  activity: Record<'requests' | 'gpuPercent' | 'jobs' | 'pods', number | null>;
}
