import path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { Command, InvalidArgumentError } from 'commander';
import { InvalidConfig, loadConfig } from '../../lib/config/load';
import { Cluster } from './cluster';
import { deploy } from './deploy';
import { colors } from '../terminal/colors';
import { CommandFailed, Interrupted } from '../terminal/errors';
import { toBucket, toGit } from './publish';
import { Shell } from './shell';

const pc = colors(process.stderr);
const ROOT = path.resolve(__dirname, '..', '..');

interface Options {
  config: string;
  image?: string;
  context?: string;
  timeout: number;
  dryRun: boolean;
}

/** The command line behind `make app-deploy`. */
export function command(): Command {
  return new Command('app-deploy')
    .description('Builds the app’s image, pushes it, and has the cluster run it; goes back if that fails')
    .option('--config <file>', 'configuration of the cluster', 'cluster.yaml')
    .option('--image <repository>', 'registry and repository to push to (default: app.image of the configuration)')
    .option('--context <name>', 'context of the kubeconfig (default: the current one)')
    .option('--timeout <seconds>', 'how long the new image may take to get ready', seconds, 600)
    .option('--dry-run', 'print each command instead of running it', false)
    .action(async (options: Options) => {
      await main(options);
    });
}

async function main({ config: file, image, context, timeout, dryRun }: Options): Promise<void> {
  const config = loadConfig(file);
  const repository = image ?? config.app.image;
  if (repository === undefined) {
    throw new CommandFailed(
      'There is no registry to push to',
      `Set app.image in ${file}, for example 123456789012.dkr.ecr.${config.region}.amazonaws.com/ghibli, or give --image.`,
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
    print: (line) => console.log(line),
    cwd: ROOT,
    env: process.env,
    signal: interruption.signal,
  });
  const fromGit = config.platform.source === 'git';
  const cluster = new Cluster(shell, context, fromGit ? 'GitRepository' : 'Bucket');
  const running = await deploy({
    shell,
    cluster,
    publish: fromGit ? toGit : toBucket(ROOT, cluster, (region) => new S3Client({ region })),
    root: ROOT,
    repository,
    model: config.app.model,
    rolloutSeconds: timeout,
    now: () => new Date(),
    step: dryRun ? (_title, task) => task() : showStep,
    warn: (message) => note(pc.yellow(message)),
  });
  if (dryRun) return;
  note(pc.green(`${running} runs${config.app.domain === undefined ? '' : `: https://${config.app.domain}`}`));
  process.off('SIGINT', interrupt);
  process.off('SIGTERM', interrupt);
}

async function showStep<T>(title: string, task: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  note(`${pc.cyan('•')} ${title} …`);
  const result = await task();
  note(`${pc.green('✓')} ${title} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  return result;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('use a whole number of seconds');
  return value;
}

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

function report(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof CommandFailed) {
    if (error.details !== '') note(pc.dim(error.details));
    note(`${pc.red('✗')} ${error.message}`);
    note(error.remedy);
    return 1;
  }
  note(
    error instanceof InvalidConfig
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error),
  );
  return 1;
}

if (require.main === module) {
  command()
    .parseAsync()
    .then(
      () => process.exit(0),
      (error: unknown) => process.exit(report(error)),
    );
}
