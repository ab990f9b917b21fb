import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { CommandFailed } from '../terminal/errors';

const TAIL_LINES = 20;

/** Runs commands, or only prints them. */
export class Shell {
  constructor(
    private readonly options: {
      dryRun: boolean;
      print: (line: string) => void;
      /** Folder in which commands run. */
      cwd: string;
      env: NodeJS.ProcessEnv;
      signal: AbortSignal;
    },
  ) {}

  get dryRun(): boolean {
    return this.options.dryRun;
  }

  get signal(): AbortSignal {
    return this.options.signal;
  }

  /** The same shell, for cleaning up after an interruption. */
  withSignal(signal: AbortSignal): Shell {
    return new Shell({ ...this.options, signal });
  }

  /** Says what a command can't say because it isn't one; only a dry run shows it. */
  note(line: string): void {
    if (this.dryRun) this.options.print(`+ ${line}`);
  }

  /**
   * Runs a command that changes something, and gives its output.
   * @param remedy what to do if it fails
   * @param live shows what it writes to stderr while it runs
   * @throws CommandFailed
   */
  async run(command: string, args: readonly string[], remedy: string, { live = false } = {}): Promise<string> {
    this.note([command, ...args.map(quote)].join(' '));
    return this.dryRun ? '' : this.read(command, args, remedy, { live });
  }

  /** Runs a command that asks for something here, in a dry run, too. See {@link run}. */
  async read(command: string, args: readonly string[], remedy: string, { live = false } = {}): Promise<string> {
    const { signal } = this.options;
    signal.throwIfAborted();
    const { code, stdout, stderr } = await start(command, args, this.options, live);
    signal.throwIfAborted();
    if (code === 0) return stdout.trim();
    const details = [stdout, stderr].filter(Boolean).join('\n').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
    throw new CommandFailed(`${[command, ...args.slice(0, 2)].join(' ')} failed: ${reason(code)}`, remedy, details);
  }
}

/** Runs a command to its end; the code is undefined if it could not be started, null if it was ended by a signal. */
async function start(
  command: string,
  args: readonly string[],
  { cwd, env, signal }: { cwd: string; env: NodeJS.ProcessEnv; signal: AbortSignal },
  live: boolean,
) {
  const child = spawn(command, args, { cwd, env, signal, stdio: ['ignore', 'pipe', 'pipe'] });
  if (live) child.stderr.pipe(process.stderr, { end: false });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const code = await new Promise<number | null | undefined>((resolve) => {
    // An abort comes here, too, and the caller sees it from the signal.
    child.once('error', () => resolve(undefined));
    child.once('exit', resolve);
  });
  const [stdout, stderr] = code === undefined ? ['', ''] : await output;
  return { code, stdout, stderr };
}

function reason(code: number | null | undefined): string {
  if (code === undefined) return 'it was not found';
  return code === null ? 'it was ended by a signal' : `exit code ${String(code)}`;
}

/** A word as a shell would have to be given it. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
