import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { CommandFailed, tail } from '../../cli/terminal/errors';
import { ACCOUNT } from './environment';
import { BIN, OUT, ROOT } from './paths';

const LOG = path.join(OUT, 'emulator.log');
const READY_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 4_000;

export interface EmulatorOptions {
  python: string;
  region: string;
  /** 0: a free one. */
  port: number;
  /** Divides the simulated durations of boots, commands and load balancers. */
  speedup: number;
  /** True lets it live on after this process (make local KEEP=1). */
  detached: boolean;
  /** True enforces IAM on every call. */
  auth: boolean;
  /** Divides Wait and Retry intervals of workflows; default: the speed-up. */
  waitSpeedup?: number;
  /** Document of the lab's cache: instances are real then (see lab/). */
  lab?: string;
}

/** A running embedded AWS. */
export interface Emulator {
  endpoint: string;
  pid: number;
  tmpdir: string;
  /** Settles with the reason if it ends by itself. */
  died: Promise<CommandFailed>;
  stop: () => Promise<void>;
  /** Lets it live on without this process. */
  release: () => void;
}

/**
 * Starts the embedded AWS on 127.0.0.1. It ends with this process, unless `detached`.
 * @throws CommandFailed it could not start, with the reason from its log
 */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const tmpdir = mkdtempSync(path.join(os.tmpdir(), 'drowse-local-'));
  const log = newLog();
  const child = spawn(options.python, ['-m', 'drowse_aws', '--port', String(options.port)], {
    cwd: ROOT,
    // The end of its stdin ends the emulator: even a SIGKILL of this process leaves none behind.
    // Its log goes straight into the file: one that is left up has nobody to read a pipe.
    stdio: [options.detached ? 'ignore' : 'pipe', 'pipe', log],
    detached: options.detached,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PYTHONPATH: path.join(ROOT, 'local', 'aws'),
      PYTHONDONTWRITEBYTECODE: '1',
      DROWSE_SPEEDUP: String(options.speedup),
      SFN_WAIT_SCALE: String(1 / (options.waitSpeedup ?? options.speedup)),
      ...(options.lab !== undefined && { DROWSE_NODES: 'real', DROWSE_LAB: options.lab }),
      DROWSE_NODE: path.join(BIN, 'node'),
      DROWSE_ACCOUNT: ACCOUNT,
      DROWSE_TMPDIR: tmpdir,
      DROWSE_AUTH: String(options.auth),
      DROWSE_WARM_LAMBDAS: process.env.DROWSE_WARM_LAMBDAS,
      AWS_REGION: options.region,
    },
  });
  closeSync(log);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const cleanUp = () => rmSync(tmpdir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  const stop = async () => {
    await stopProcess(child, exited);
    cleanUp();
  };
  const died = exited.then(() => diedError(child));
  try {
    const { port } = await Promise.race([readReadyLine(child), died.then((error) => Promise.reject(error))]);
    return {
      endpoint: `http://127.0.0.1:${String(port)}`,
      pid: child.pid ?? 0,
      tmpdir,
      died,
      stop,
      release: () => {
        child.stdout?.destroy();
        child.unref();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A file of its own for each run, so that one that was left up goes on in its own. */
function newLog(): number {
  mkdirSync(path.dirname(LOG), { recursive: true });
  rmSync(LOG, { force: true });
  return openSync(LOG, 'a');
}

async function readReadyLine(child: ChildProcess): Promise<{ port: number }> {
  if (!child.stdout) throw new Error('The emulator has no stdout');
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const seconds = String(READY_WITHIN_MS / 1000);
      reject(
        new CommandFailed(
          `The embedded AWS did not answer within ${seconds} s`,
          `See ${path.relative(ROOT, LOG)}.`,
          readLog(),
        ),
      );
    }, READY_WITHIN_MS);
    lines.once('line', (line) => {
      clearTimeout(timer);
      lines.close();
      resolve(JSON.parse(line) as { port: number });
    });
    lines.once('close', () => clearTimeout(timer));
  });
}

async function stopProcess(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
  await exited;
  clearTimeout(timer);
}

function diedError(child: ChildProcess): CommandFailed {
  const how = child.signalCode ?? `exit code ${String(child.exitCode)}`;
  const log = readLog();
  if (child.exitCode === 3)
    return new CommandFailed(tail(log, 1), 'Choose another port with PORT=…, or leave it out for a free one.');
  return new CommandFailed(
    `The embedded AWS ended by itself (${how})`,
    `Run the command again; if it happens twice, report it with ${path.relative(ROOT, LOG)}.`,
    log,
  );
}

function readLog(): string {
  try {
    return tail(readFileSync(LOG, 'utf8'));
  } catch {
    return ''; // The log is a help, not a need: another run may have removed it for its own.
  }
}
