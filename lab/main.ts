import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { colors } from '../cli/terminal/colors';
import { CommandFailed, Interrupted } from '../cli/terminal/errors';
import { findProgram } from '../cli/terminal/programs';
import { InvalidConfig } from '../lib/config/load';
import { ACCOUNT, awsVariables } from '../local/run/environment';
import type { Emulator } from '../local/run/emulator';
import { keptEndpoint, stopKept, writeKept } from '../local/run/kept';
import { OUT, ROOT } from '../local/run/paths';
import { Progress } from '../cli/terminal/progress';
import { RECIPES } from './binaries/recipes';
import { fillCache } from './cache/fill';
import { asRoot, giveToCaller } from './run/caller';
import { proveFaults } from './run/faults';
import { bootSeats, Life, LifeBroken, liveOnce } from './run/life';
import { Recorder, type LabRecord } from './run/recorder';
import { sweepLeftovers } from './run/leftovers';
import { requireHost, thisHost } from './run/requirements';
import { measured } from './run/times';
import { openSession, type Session, type SessionOptions } from './run/session';

type Options = Omit<SessionOptions, 'platform'>;

async function up(options: Options): Promise<void> {
  await run({ ...options, platform: true }, liveOnce, ({ seconds }) => `A whole life in ${seconds.life.toFixed(1)} s`);
}

/** Boots the seats and nothing else: no platform, so no Flux has to be built. */
async function boot(options: Options): Promise<void> {
  await run({ ...options, platform: false }, bootSeats, ({ seconds }) => `The seats in ${seconds.life.toFixed(1)} s`);
}

/** Everything that the lab proves: a life, then faults; one part after the other in the same lab. */
async function test({ seed, ...options }: SessionOptions & { seed: number }): Promise<void> {
  console.log(`seed ${String(seed)}`);
  const part = (life: Life) => proveFaults(life, seed);
  await run(options, part, ({ checks, seconds }) => `${String(checks.length)} checks in ${seconds.life.toFixed(1)} s`);
}

/** Runs a part of a life in a lab of its own, and says what came of it. */
async function run(
  options: SessionOptions,
  part: (life: Life) => Promise<void>,
  passed: (record: LabRecord) => string,
): Promise<void> {
  const kept = keptEndpoint();
  if (kept) {
    throw new CommandFailed(`An embedded AWS was left up already, at ${kept}`, `Stop it first: ${asRoot('lab-down')}.`);
  }
  await withSession(options, async (session, progress) => {
    const recorder = new Recorder(session, progress);
    const record = await live(new Life(session, recorder, progress), part);
    requireSuccess(record, recorder);
    progress.print(`\n${progress.color.green('✓')} ${passed(record)}; times in local/out/lab.json`);
    if (options.keep) progress.print(`\n${drivingGuide(session)}`);
  });
}

/** A life that broke off still has its times and checks written. */
async function live(life: Life, part: (life: Life) => Promise<void>): Promise<LabRecord> {
  try {
    await part(life);
  } catch (error) {
    await life.recorder.close();
    throw error;
  }
  return life.recorder.close();
}

/** Aborts when somebody presses Ctrl-C, or the process is asked to end. */
function interruption(): AbortController {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => abort.abort(new Interrupted(signal)));
  }
  return abort;
}

/** Sets a lab up, does something in it, and leaves nothing behind unless it is to be kept. */
async function withSession(
  options: SessionOptions,
  use: (session: Session, progress: Progress) => Promise<void>,
): Promise<void> {
  const progress = new Progress(process.stdout);
  const abort = interruption();
  let emulator: Emulator | undefined;
  let kept = false;
  try {
    const session = await openSession(options, progress, abort, (started) => (emulator = started));
    await use(session, progress);
    if (options.keep && emulator) {
      kept = true;
      emulator.release();
      writeKept({ pid: emulator.pid, endpoint: emulator.endpoint, tmpdir: emulator.tmpdir });
    }
  } finally {
    progress.stop();
    if (!kept) {
      await emulator?.stop();
      sweepLeftovers();
    }
    giveToCaller(OUT);
  }
}

function requireSuccess(record: LabRecord, recorder: Recorder): void {
  if (record.ok) return;
  const lines = recorder.failed.map(({ what, found }) => `${what}: found ${found}`);
  throw new CommandFailed(
    `${String(lines.length)} checks failed:\n  ${lines.join('\n  ')}`,
    'See local/out/lab.json and local/out/emulator.log.',
  );
}

function drivingGuide({ at, config, programs }: Session): string {
  const kubectl = findProgram('kubectl') === undefined ? (programs.kubectl ?? 'kubectl') : 'kubectl';
  const variables = Object.entries(awsVariables(at)).map(([name, value]) => `export ${name}=${value}`);
  return [
    `The cluster ${config.name} is up (account ${ACCOUNT}).`,
    '',
    `  export KUBECONFIG=${path.relative(process.cwd(), path.join(OUT, 'lab.kubeconfig'))}`,
    `  ${kubectl} get nodes`,
    '',
    'The embedded AWS, for the AWS CLI:',
    ...variables.map((line) => `  ${line}`),
    '',
    `Stop it with ${asRoot('lab-down')}.`,
  ].join('\n');
}

async function cache(options: { kubernetes: string }): Promise<void> {
  requireHost(thisHost());
  await fillCache([options.kubernetes], true, interruption().signal, { step: console.log, note: console.log });
}

function giveToTwin(): void {
  const record = JSON.parse(readFileSync(path.join(OUT, 'lab.json'), 'utf8')) as LabRecord;
  const { kubernetes, seats, boots } = record;
  const file = path.join(ROOT, 'sim', 'measured.json');
  writeFileSync(file, `${JSON.stringify({ kubernetes, seats, ...measured(boots) }, null, 2)}\n`);
  console.log(readFileSync(file, 'utf8'));
}

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('Use a port from 1 to 65535, or 0 for a free one.');
  return value;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Use a whole number.');
  return Number(text);
}

function fail(error: unknown): void {
  const reason = error instanceof Error && error.name === 'AbortError' ? error.cause : error;
  const pc = colors(process.stderr);
  process.exitCode = 1;
  if (reason instanceof Interrupted) {
    console.error(`\n${reason.message}: everything was stopped and removed.`);
    process.exitCode = reason.exitCode;
  } else if (reason instanceof CommandFailed) {
    const log = reason.details ? `\n${pc.dim(reason.details)}` : '';
    console.error(`\n${pc.red('✗')} ${reason.message}${log}\n${reason.remedy}`);
  } else if (reason instanceof LifeBroken) {
    console.error(`\n${pc.red('✗')} ${reason.message}\nSee local/out/lab.json and local/out/emulator.log.`);
  } else if (reason instanceof InvalidConfig) {
    console.error(`\n${pc.red('✗')} ${reason.message}\nCorrect the file, then run the command again.`);
    process.exitCode = 2;
  } else {
    console.error(reason);
  }
}

const program = new Command('lab')
  .description('Runs the cluster on an embedded AWS whose instances are real: containers with systemd and Kubernetes.')
  .showHelpAfterError();
program
  .command('up', { isDefault: true })
  .description('bootstrap, write objects, sleep, wake, and look whether they are there')
  .option('--config <file>', 'configuration of the cluster', path.join('lab', 'clusters', 'one-seat.yaml'))
  .option('--keep', 'leave the lab up, and print a kubeconfig', false)
  .option('--port <number>', 'port of the embedded AWS on 127.0.0.1; 0 takes a free one', port, 0)
  .action(up);
program
  .command('boot')
  .description('boot the seats, without a platform: the quickest way to try node scripts')
  .option('--config <file>', 'configuration of the cluster', path.join('lab', 'clusters', 'one-seat.yaml'))
  .option('--keep', 'leave the lab up, and print a kubeconfig', false)
  .option('--port <number>', 'port of the embedded AWS on 127.0.0.1; 0 takes a free one', port, 0)
  .action(boot);
program
  .command('test')
  .description('the life, then faults: reboots, power cuts, lost instances and volumes, restore')
  .option('--config <file>', 'configuration of the cluster', path.join('lab', 'clusters', 'one-seat.yaml'))
  .option('--keep', 'leave the lab up afterwards', false)
  .option('--port <number>', 'port of the embedded AWS on 127.0.0.1; 0 takes a free one', port, 0)
  .option('--seed <number>', 'of the moments and orders that are random', wholeNumber, Math.floor(Math.random() * 1e6))
  .option('--from <version>', 'of Kubernetes with which the cluster begins, before it is upgraded')
  .option('--no-platform', 'seats alone, without Flux and workflows')
  .action(test);
program
  .command('measure')
  .description("give the twin what the last life showed: local/out/lab.json into the repository's sim/measured.json")
  .action(giveToTwin);
program
  .command('down')
  .description('stop the lab that --keep left up')
  .action(async () => {
    console.log(await stopKept());
    sweepLeftovers();
  });
program
  .command('cache')
  .description('build what machines start from, and nothing else')
  .option('--kubernetes <version>', 'version of Kubernetes', RECIPES.kubelet.version)
  .action(cache);

process.chdir(ROOT);
program.parseAsync().catch(fail);
