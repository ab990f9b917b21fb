import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { colors } from '../cli/terminal/colors';
import { CommandFailed, Interrupted } from '../cli/terminal/errors';
import { configFile, describeTarget, InvalidConfig, loadConfig } from '../lib/config/load';
import type { ClusterConfig } from '../core/config/schema';
import { cdk, resourceCount } from './run/cdk';
import { awsClients } from './run/checks';
import { ACCOUNT, type AwsEndpoint } from './run/environment';
import { type Emulator, startEmulator } from './run/emulator';
import { keptEndpoint, stopKept, writeKept } from './run/kept';
import { type Life, liveOnce, causeOf } from './run/life';
import { OUT, ROOT } from './run/paths';
import { describePlugin } from './run/plugin';
import { Progress } from '../cli/terminal/progress';
import { ensurePython } from './run/python';
import { checkTable, costTable, drivingGuide, workflowTable } from './run/report';

interface Options {
  config?: string;
  keep: boolean;
  verbose: boolean;
  json: boolean;
  auth: boolean;
  port: number;
  speedup: number;
  fault?: string;
}

/** What `local/out/run.json` holds. */
interface RunRecord extends Life {
  ok: boolean;
  emulator: { name: string; version: string; endpoint: string };
  /** Where the cluster's own API answers. */
  apiUrl: string;
  seconds: { setup: number; deploy: number; life: number; total: number };
}

async function up(options: Options): Promise<void> {
  const progress = new Progress(options.json ? process.stderr : process.stdout);
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => abort.abort(new Interrupted(signal)));
  }
  let emulator: Emulator | undefined;
  let kept = false;
  try {
    mkdirSync(OUT, { recursive: true });
    const config = loadConfig(options.config);
    progress.print(`On the embedded AWS, ${describeTarget(config, options.config)}`);
    const up = options.keep ? keptEndpoint() : undefined;
    if (up) throw new CommandFailed(`An embedded AWS was left up already, at ${up}`, 'Stop it first: make local-down.');
    const stopwatch = new Stopwatch();
    const aws = await setUp(options, config, progress, abort, (started) => (emulator = started));
    const setup = stopwatch.lap();
    const outputs = await deploy(aws, options, progress, abort.signal);
    const deployed = stopwatch.lap();
    progress.print(
      `\n${progress.color.dim(`Instances boot and waits pass ${String(options.speedup)} times faster than in life (SPEEDUP=… changes that).`)}`,
    );
    const life = await liveOnce(awsClients(aws), aws, config, progress, abort.signal);
    const lived = stopwatch.lap();
    const ok =
      life.workflows.length === 3 &&
      life.workflows.every(({ status }) => status === 'SUCCEEDED') &&
      life.checks.every((check) => check.ok);
    const plugin = await describePlugin(aws.endpoint);
    const record: RunRecord = {
      ok,
      emulator: { name: plugin.name, version: plugin.version, endpoint: aws.endpoint },
      apiUrl: apiUrl(aws, outputs),
      ...life,
      seconds: { setup, deploy: deployed, life: lived, total: stopwatch.total() },
    };
    writeFileSync(path.join(OUT, 'run.json'), `${JSON.stringify(record, null, 2)}\n`);
    progress.print(`\n${workflowTable(life.workflows)}\n\n${checkTable(life.checks)}\n\n${costTable(config)}`);
    if (options.verbose) progress.print(`\n${plugin.text}`);
    if (options.json) process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
    requireSuccess(life);
    if (options.keep && emulator) {
      kept = true;
      emulator.release();
      writeKept({ pid: emulator.pid, endpoint: aws.endpoint, tmpdir: emulator.tmpdir });
      progress.print(`\n${drivingGuide(aws, config.name, apiUrl(aws, outputs), ACCOUNT)}`);
    }
    progress.print(
      `\n${progress.color.green('✓')} A whole life in ${record.seconds.total.toFixed(1)} s; details in ${path.relative(ROOT, OUT)}/run.json`,
    );
  } finally {
    progress.stop();
    if (!kept) await emulator?.stop();
  }
}

async function setUp(
  options: Options,
  config: ClusterConfig,
  progress: Progress,
  abort: AbortController,
  onEmulator: (emulator: Emulator) => void,
): Promise<AwsEndpoint> {
  progress.heading('set up');
  const other = process.env.DROWSE_ENDPOINT;
  if (other) {
    progress.print(`  using the emulator at ${other} (DROWSE_ENDPOINT)`);
    return { endpoint: other, region: config.region };
  }
  progress.start('Python packages of the embedded AWS');
  const python = await ensurePython(['local/requirements.txt'], abort.signal);
  progress.done();
  progress.start('embedded AWS');
  const emulator = await startEmulator({ ...options, python, region: config.region, detached: options.keep });
  onEmulator(emulator);
  if (options.fault !== undefined) await setFault(emulator.endpoint, options.fault);
  void emulator.died.then((error) => abort.abort(error));
  progress.done(`embedded AWS at ${emulator.endpoint}`);
  return { endpoint: emulator.endpoint, region: config.region };
}

async function setFault(endpoint: string, body: string): Promise<void> {
  const answer = await fetch(`${endpoint}/_drowse/faults`, { method: 'POST', body });
  if (!answer.ok) {
    const { error } = (await answer.json()) as { error: string };
    throw new CommandFailed(`--fault ${body}: ${error}`, 'local/aws/drowse_aws/faults.py lists what may go wrong.');
  }
}

async function deploy(aws: AwsEndpoint, options: Options, progress: Progress, signal: AbortSignal) {
  progress.heading('deploy');
  const cli = cdk(aws, configFile(options.config), options.auth ? ['synthesizer=cli'] : [], signal);
  // One after the other: side by side they would double the run's peak of memory.
  progress.start('cdk synth');
  await cli.synth((line) => {
    if (line.startsWith('Warning: ')) progress.print(`    ${line}`);
    else if (line.startsWith('Bundling ')) progress.update(`cdk synth: ${line}`);
  });
  progress.done('cdk synth');
  progress.start('cdk bootstrap');
  await cli.bootstrap();
  progress.done();
  progress.start('cdk deploy');
  const all = String(resourceCount());
  let done = 0;
  const outputs = await cli.deploy((line) => {
    if (options.verbose) progress.print(progress.color.dim(`    ${line}`));
    const resource = /\|\s*(?:CREATE|UPDATE)_COMPLETE\s*\|\s*(\S+)/.exec(line)?.[1];
    if (!resource) return;
    done += 1;
    progress.update(`cdk deploy: ${String(done)} of ${all} resources, ${resource}`);
  });
  progress.done(`cdk deploy: ${Object.keys(outputs).join(', ')}`);
  return outputs;
}

function apiUrl({ endpoint }: AwsEndpoint, outputs: Record<string, Record<string, string>>): string {
  const id = Object.values(outputs).find((stack) => stack.ApiId !== undefined)?.ApiId ?? '';
  return `${endpoint}/_aws/execute-api/${id}/$default`;
}

function requireSuccess({ workflows, checks }: Life): void {
  const failed = workflows.find(({ status }) => status !== 'SUCCEEDED');
  if (failed) {
    throw new CommandFailed(
      `The workflow ${failed.name} ended as ${failed.status}: ${failed.error ?? 'no error name'}: ${causeOf(failed)}`,
      'The states above show where; run again with VERBOSE=1 for the deploy log and see local/out/emulator.log.',
    );
  }
  const wrong = checks.filter(({ ok }) => !ok);
  if (wrong.length > 0) {
    const lines = wrong.map(
      ({ after, what, expected, found }) => `after ${after}, ${what}: expected ${expected}, found ${found}`,
    );
    throw new CommandFailed(
      `${String(wrong.length)} checks failed:\n  ${lines.join('\n  ')}`,
      'Each is read from the APIs of the embedded AWS; the workflow above left it so.',
    );
  }
}

/** Seconds between laps, and in all. */
class Stopwatch {
  private readonly startedAt = Date.now();
  private lapAt = this.startedAt;

  lap(): number {
    const now = Date.now();
    const seconds = (now - this.lapAt) / 1000;
    this.lapAt = now;
    return seconds;
  }

  total(): number {
    return (Date.now() - this.startedAt) / 1000;
  }
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Use a number above 0.');
  return value;
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('Use a port from 1 to 65535, or 0 for a free one.');
  return value;
}

function fail(error: unknown): void {
  // What was under way at an interrupt ends with an AbortError of its own kind; the reason is what counts.
  const reason = error instanceof Error && error.name === 'AbortError' ? error.cause : error;
  if (reason instanceof Interrupted) {
    console.error(`\n${reason.message}: everything was stopped and removed.`);
    process.exitCode = reason.exitCode;
    return;
  }
  process.exitCode = 1;
  const pc = colors(process.stderr);
  if (reason instanceof CommandFailed) {
    const log = reason.details ? `\n${pc.dim(reason.details)}` : '';
    console.error(`\n${pc.red('✗')} ${reason.message}${log}\n${reason.remedy}`);
  } else if (reason instanceof InvalidConfig) {
    console.error(`\n${pc.red('✗')} ${reason.message}\nCorrect the file, then run the command again.`);
    process.exitCode = 2;
  } else {
    console.error(reason);
  }
}

const program = new Command('local')
  .description('Runs a whole life of the cluster (bootstrap, sleep, wake) on an embedded AWS, without an account.')
  .showHelpAfterError();
program
  .command('up', { isDefault: true })
  .description('deploy the app on the embedded AWS and run bootstrap, sleep and wake')
  .option('--config <file>', 'configuration of the cluster (default: cluster.yaml)', process.env.DROWSE_CONFIG)
  .option('--keep', 'leave the embedded AWS up, and print how to drive it', false)
  .option('--verbose', 'show the deploy log, and which parts of the embedded AWS are patched or only stubs', false)
  .option('--json', 'print run.json on stdout, and the progress on stderr', false)
  .option('--auth', 'let the embedded AWS enforce IAM on every call', false)
  .option('--port <number>', 'port of the embedded AWS on 127.0.0.1; 0 takes a free one', port, 0)
  .option('--speedup <factor>', 'how much faster than life instances boot and waits pass', positive, 50)
  .option('--fault <json>', 'what goes wrong in the embedded AWS (local/aws/drowse_aws/faults.py)')
  .action(up);
program
  .command('down')
  .description('stop the embedded AWS that --keep left up')
  .action(async () => console.log(await stopKept()));

program.parseAsync().catch(fail);
