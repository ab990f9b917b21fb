import path from 'node:path';
import { describeTarget, loadConfig } from '../../lib/config/load';
import { Cluster } from './cluster';
import { deploy } from './deploy';
import { colors } from '../terminal/colors';
import { CommandFailed, Interrupted } from '../terminal/errors';
import { toGit, toStack } from './publish';
import { Shell } from './shell';
import { namesOf } from '../../core/config/names';
import { dnsSuffixOf } from '../../core/facts/regions';

const pc = colors(process.stderr);
const ROOT = path.resolve(__dirname, '..', '..');
const BIN = path.join(ROOT, 'node_modules', '.bin');

export interface AppOptions {
  config?: string;
  image?: string;
  context?: string;
  timeout: number;
  dryRun: boolean;
}

/**
 * Builds the app's image, pushes it, and has the cluster run it; goes back if that fails.
 * @param print takes the lines of a dry run
 * @returns the image
 * @throws CommandFailed; Interrupted
 */
export async function deployApp(
  { config: file, image, context, timeout, dryRun }: AppOptions,
  print: (line: string) => void = console.log,
): Promise<string> {
  const config = loadConfig(file);
  note(`App of ${describeTarget(config, file)}`);
  const repository = image ?? config.app.image;
  if (repository === undefined) {
    throw new CommandFailed(
      'There is no registry to push to',
      `Set app.image in ${file ?? 'cluster.yaml'}, for example 123456789012.dkr.ecr.${config.region}.${dnsSuffixOf(config.region)}/ghibli, or give --image.`,
    );
  }
  const interruption = new AbortController();
  const interrupt = (signal: NodeJS.Signals) => {
    // The second one means it.
    if (interruption.signal.aborted) process.exit(new Interrupted(signal).exitCode);
    note(pc.yellow('Interrupted: cleaning up (once more to leave at once) …'));
    interruption.abort(new Interrupted(signal));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const shell = new Shell({
    dryRun,
    print,
    cwd: ROOT,
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}${path.delimiter}${BIN}` },
    signal: interruption.signal,
  });
  const fromGit = config.platform.source === 'git';
  const cluster = new Cluster(shell, context, fromGit);
  const running = await deploy({
    shell,
    cluster,
    publish: fromGit ? toGit : toStack(namesOf(config.name).clusterStack, file),
    root: ROOT,
    repository,
    model: config.app.model,
    rolloutSeconds: timeout,
    now: () => new Date(),
    step: dryRun ? (_title, task) => task() : showStep,
    warn: (message) => note(pc.yellow(message)),
  });
  process.off('SIGINT', interrupt);
  process.off('SIGTERM', interrupt);
  if (!dryRun) {
    note(pc.green(`${running} runs${config.app.domain === undefined ? '' : `: https://${config.app.domain}`}`));
  }
  return running;
}

async function showStep<T>(title: string, task: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  note(`${pc.cyan('•')} ${title} …`);
  const result = await task();
  note(`${pc.green('✓')} ${title} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  return result;
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}
