/** Path of a field, for example `['pools', 0, 'max']`. */
export type Path = readonly (string | number)[];

/** One thing that is wrong: where, what was found there, and what is allowed. */
export interface Problem {
  /** Path of the field, for example `['pools', 0, 'max']`. */
  path: (string | number)[];
  /** What is wrong and what to write instead. */
  message: string;
}

/** What a configuration can choose below `platform/`, by the names of the folders. */
export interface PlatformFolders {
  /** What `platform.overlay` can be. */
  overlays: readonly string[];
  /** Overlays that leave the layer `monitoring` out. */
  withoutMonitoring: readonly string[];
  /** What `platform.examples` can list. */
  examples: readonly string[];
}

/** What rules ask beside the configuration itself. */
export interface Surroundings {
  now: Date;
  platform: PlatformFolders;
}
