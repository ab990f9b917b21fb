import { Command, InvalidArgumentError } from 'commander';
import { InvalidConfig } from '../../lib/config/load';
import { colors } from '../terminal/colors';
import { CommandFailed, Interrupted } from '../terminal/errors';
import { type AppOptions, deployApp } from './app';

const pc = colors(process.stderr);

/** The deployment of the app, as a program of its own. */
export function command(): Command {
  return new Command('app-deploy')
    .description('Builds the app’s image, pushes it, and has the cluster run it; goes back if that fails')
    .option('--config <file>', 'configuration of the cluster (default: cluster.yaml)', process.env.DROWSE_CONFIG)
    .option('--image <repository>', 'registry and repository to push to (default: app.image of the configuration)')
    .option('--context <name>', 'context of the kubeconfig (default: the current one)')
    .option('--timeout <seconds>', 'how long the new image may take to get ready', seconds, 600)
    .option('--dry-run', 'print each command instead of running it', false)
    .action(async (options: AppOptions) => {
      await deployApp(options);
    });
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
