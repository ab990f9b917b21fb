import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import type { ClusterConfig } from '../../core/config/schema';
import { loadConfig } from '../../lib/config/load';
import { cdk } from '../../local/run/cdk';
import { type AwsClients, awsClients } from '../../local/run/checks';
import type { AwsEndpoint } from '../../local/run/environment';
import { type Emulator, startEmulator } from '../../local/run/emulator';
import { OUT, ROOT } from '../../local/run/paths';
import type { Progress } from '../../cli/terminal/progress';
import { ensurePython } from '../../local/run/python';
import { fillCache } from '../cache/fill';
import { pruneCache } from '../cache/prune';
import { sweepLeftovers } from './leftovers';
import { requireHost, thisHost } from './requirements';
import { Room, writeCacheFile } from './room';

/** How much faster than AWS what is only simulated passes: load balancers, hooks, instances that are pending. */
const SPEEDUP = 50;
/** How much faster workflows wait: real nodes boot in seconds, and the bounds of waits must still hold. */
const WAIT_SPEEDUP = 5;

/** A lab that is up: the app deployed on an embedded AWS whose instances are real. */
export interface Session {
  config: ClusterConfig;
  at: AwsEndpoint;
  aws: AwsClients;
  room: Room;
  emulator: Emulator;
  /** Whether the platform is there, or seats alone. */
  platform: boolean;
  /** Aborted when somebody asks the run to end. */
  signal: AbortSignal;
  /** Paths of the programs, by name. */
  programs: Readonly<Record<string, string>>;
  /** Seconds that each part of the setting up took. */
  seconds: { cache: number; start: number; deploy: number; bake: number };
  /** After a beginning with an older version (`from`): deploys the configuration's own. Nodes take it at their next boot. */
  upgrade?: () => Promise<void>;
}

export interface SessionOptions {
  /** The cluster's configuration file. */
  config: string;
  /** True lets the embedded AWS live on after this process. */
  keep: boolean;
  port: number;
  /** False does without Flux: seats come up, and no platform. */
  platform: boolean;
  /** Version of Kubernetes with which the cluster begins, where it is to be upgraded to the configuration's. */
  from?: string;
}

/**
 * Sets up a lab: cache, embedded AWS, deployment, images.
 * @param onEmulator called as soon as there is something to stop
 * @throws CommandFailed, InvalidConfig
 */
export async function openSession(
  options: SessionOptions,
  progress: Progress,
  abort: AbortController,
  onEmulator: (emulator: Emulator) => void,
): Promise<Session> {
  requireHost(thisHost());
  const wanted = path.resolve(ROOT, options.config);
  const file = options.from === undefined ? wanted : withVersion(wanted, options.from);
  const config = loadConfig(file);
  progress.heading('set up');
  for (const what of sweepLeftovers()) progress.print(`  removed ${what}`);
  let since = Date.now();
  const lap = () => {
    const seconds = (Date.now() - since) / 1000;
    since = Date.now();
    return seconds;
  };
  progress.start('cache');
  const newest = loadConfig(wanted).kubernetes.version;
  const versions: [string, ...string[]] = options.from === undefined ? [newest] : [options.from, newest];
  const { cache, programs } = await fillCache(versions, options.platform, abort.signal, {
    step: (text) => progress.update(`cache: ${text}`),
    note: (text) => progress.print(`  ${text}`),
  });
  progress.done('cache');
  for (const what of pruneCache()) progress.print(`  removed ${what} of the cache, unused for long`);
  const seconds = { cache: lap(), start: 0, deploy: 0, bake: 0 };
  progress.start('embedded AWS');
  const python = await ensurePython(['local/requirements.txt'], abort.signal);
  const emulator = await startEmulator({
    python,
    region: config.region,
    port: options.port,
    speedup: SPEEDUP,
    waitSpeedup: WAIT_SPEEDUP,
    detached: options.keep,
    auth: false,
    lab: writeCacheFile(cache),
  });
  onEmulator(emulator);
  void emulator.died.then((error) => abort.abort(error));
  const at = { endpoint: emulator.endpoint, region: config.region };
  progress.done(`embedded AWS at ${emulator.endpoint}`);
  seconds.start = lap();
  await deploy(at, file, progress, abort.signal);
  seconds.deploy = lap();
  const room = new Room(emulator.endpoint);
  const bake = async (changed: ClusterConfig) => {
    progress.start('images of the nodes');
    await room.bake(changed, cache, (what) => progress.update(`baking the ${what}`));
    progress.done();
  };
  await bake(config);
  seconds.bake = lap();
  const { platform } = options;
  const session: Session = {
    config,
    at,
    aws: awsClients(at),
    room,
    emulator,
    platform,
    signal: abort.signal,
    programs,
    seconds,
  };
  if (options.from !== undefined) {
    session.upgrade = async () => {
      session.config = loadConfig(wanted);
      await deploy(at, wanted, progress, abort.signal);
      await bake(session.config);
    };
  }
  return session;
}

/** The same configuration with another version of Kubernetes. */
function withVersion(file: string, version: string): string {
  const other = path.join(OUT, 'lab-from.yaml');
  const document = parse(readFileSync(file, 'utf8')) as { kubernetes?: object };
  mkdirSync(OUT, { recursive: true });
  writeFileSync(other, stringify({ ...document, kubernetes: { ...document.kubernetes, version } }));
  return other;
}

async function deploy(at: AwsEndpoint, file: string, progress: Progress, signal: AbortSignal): Promise<void> {
  const cli = cdk(at, file, [], signal);
  progress.start('cdk synth, bootstrap, deploy');
  // Another run's app must not be taken for this one.
  rmSync(path.join(ROOT, 'local', 'out', 'cdk.out'), { recursive: true, force: true });
  await cli.synth(() => undefined);
  await cli.bootstrap();
  await cli.deploy((line) => {
    const resource = /\|\s*(?:CREATE|UPDATE)_COMPLETE\s*\|\s*(\S+)/.exec(line)?.[1];
    if (resource) progress.update(`cdk deploy: ${resource}`);
  });
  progress.done('cdk deploy');
}
