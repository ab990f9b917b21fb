import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Emulator, startEmulator } from '../../local/run/emulator';
import { BIN, ROOT } from '../../local/run/paths';

/** How `local/main.ts` ended. */
export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface LocalRun {
  ended: Promise<Ended>;
  /** Folder for temporary files, of this run alone. */
  folder: string;
  kill: (signal: NodeJS.Signals) => void;
  /** Resolves when the progress shows a text. */
  shown: (text: string) => Promise<void>;
}

/** Runs the local command as a person would, but for the terminal. */
export function runLocal(args: readonly string[], env: NodeJS.ProcessEnv = {}): LocalRun {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'drowse-test-'));
  const child = spawn(path.join(BIN, 'node'), ['--import', 'tsx', 'local/main.ts', ...args], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1', TMPDIR: folder, ...env },
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    listeners.forEach((listener) => listener());
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    listeners.forEach((listener) => listener());
  });
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  const shown = async (text: string): Promise<void> => {
    await Promise.race([
      new Promise<void>((resolve) => {
        const look = () => (stdout + stderr).includes(text) && resolve();
        listeners.add(look);
        look();
      }),
      ended.then(() => {
        throw new Error(`It ended without showing "${text}":\n${stdout}\n${stderr}`);
      }),
    ]);
  };
  return { ended, folder, kill: (signal) => child.kill(signal), shown };
}

/** An embedded AWS of the test's own, to prepare faults on before a run uses it. */
export function startOwnEmulator(auth = false): Promise<Emulator> {
  const python = path.join(ROOT, '.venv', 'bin', 'python');
  return startEmulator({ python, region: 'us-east-1', port: 0, speedup: 50, detached: false, auth });
}

/** What a run left: processes that have its folder in their environment or command line, and files in the folder. */
export function leftBy({ folder }: LocalRun): string[] {
  const files = readdirSync(folder).filter((name) => name.startsWith('drowse-'));
  return [...processesOf(folder).map((pid) => `process ${String(pid)}`), ...files];
}

/** Processes that have a folder in their environment or command line. */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return ['environ', 'cmdline'].some((file) => readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(folder));
      } catch {
        return false; // It ended while we looked.
      }
    })
    .map(Number);
}

/** Deletes a run's folder. */
export function forget({ folder }: LocalRun): void {
  rmSync(folder, { recursive: true, force: true });
}
