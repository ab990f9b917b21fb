import { spawn } from 'node:child_process';
import path from 'node:path';
import { CommandFailed, Interrupted } from '../terminal/errors';

/** The clone that this command is of. */
export const ROOT = path.join(__dirname, '..', '..');
/** Programs of its packages. */
const BIN = path.join(ROOT, 'node_modules', '.bin');

let attended = 0;

/** True while a program has the terminal to itself. */
export function isAttending(): boolean {
  return attended > 0;
}

interface ChildOptions {
  cwd?: string;
  env?: Readonly<Record<string, string>>;
  /** True: what it writes to its output goes to the error output, as the output is for the answer alone. */
  quietOutput?: boolean;
  /** Ends it when this aborts. */
  ends?: AbortSignal;
  /** What to do if it cannot be started. */
  remedy: string;
}

/**
 * Runs a program that has the terminal to itself, with the packages' own programs before the others. Ctrl-C reaches it from the
 * terminal, as it does this command: it ends in its own way, and this command after it.
 * @returns its exit code
 * @throws CommandFailed if it cannot be started
 */
export function attend(
  program: string,
  args: readonly string[],
  { cwd, env = {}, quietOutput = false, ends, remedy }: ChildOptions,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, PATH: `${BIN}${path.delimiter}${process.env.PATH ?? ''}`, ...env },
    stdio: ['inherit', quietOutput ? process.stderr : 'inherit', 'inherit'],
  });
  // Ctrl-C is the child's, which has it from the terminal, however often; what was sent to this process alone is passed on.
  const stay = (): void => undefined;
  const pass = (): void => {
    if (signal.reason instanceof Interrupted && signal.reason.signal !== 'SIGINT') child.kill(signal.reason.signal);
  };
  const end = (): void => void child.kill('SIGTERM');
  ends?.addEventListener('abort', end, { once: true });
  process.on('SIGINT', stay);
  attended += 1;
  signal.addEventListener('abort', pass, { once: true });
  return new Promise<number>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'ENOENT' ? 'it was not found' : error.message;
      reject(new CommandFailed(`${program} cannot be started: ${why}`, remedy));
    });
    child.once('exit', (code, by) => resolve(code ?? (by === 'SIGINT' ? 130 : 1)));
  }).finally(() => {
    ends?.removeEventListener('abort', end);
    process.off('SIGINT', stay);
    attended -= 1;
    signal.removeEventListener('abort', pass);
  });
}
