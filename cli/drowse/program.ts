import { Command, CommanderError } from 'commander';
import { version } from '../../package.json';
import { CommandFailed, EXIT, Interrupted } from '../terminal/errors';
import { isAttending } from './child';
import { changing } from './groups/changing';
import { lookingAfter } from './groups/looking-after';
import { reaching } from './groups/reaching';
import { seeing } from './groups/seeing';
import { sleeping } from './groups/sleeping';
import { type Group, registryOf } from './verb';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 busy, 4 degraded, 130 interrupted.`;

/** The verbs, by the headings of the help. */
const GROUPS: readonly [heading: string, group: Group][] = [
  ['How it is:', seeing],
  ['Sleep and wake:', sleeping],
  ['Reach it:', reaching],
  ['Make and change it:', changing],
  ['Look after it:', lookingAfter],
];

/**
 * The command `drowse`: what its arguments ask for.
 * @param args without program and script
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  const interrupt = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    // The second one means it, unless another program has the terminal.
    if (interrupt.signal.aborted && !isAttending()) process.exit(EXIT.interrupted);
    interrupt.abort(new Interrupted(signal));
  };
  // It stays: a spinner ends the process by itself where nobody else listens any more.
  for (const signal of SIGNALS) process.on(signal, stop);
  let code: number = EXIT.done;
  try {
    await describe(interrupt.signal, (ended) => (code = ended)).parseAsync([...args], { from: 'user' });
    return code;
  } catch (error) {
    return explain(interrupt.signal.aborted ? interrupt.signal.reason : error);
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}

/** All that the command line knows. */
export function describe(signal: AbortSignal, end: (code: number) => void): Command {
  const program = new Command('drowse')
    .description('Operates a cluster: wakes it, puts it to sleep, says how it is and what it costs')
    .addHelpText('after', EXIT_CODES)
    // What comes after the words of a verb may be another program's options: kubectl -n …
    .enablePositionalOptions()
    .version(version, '--version', 'print the version')
    .exitOverride();
  for (const [heading, group] of GROUPS) group(registryOf(program, heading, { signal, end }));
  return program;
}

/** Tells the person, and what the shell is told. */
function explain(error: unknown): number {
  if (error instanceof Interrupted) return EXIT.interrupted;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
  if (error instanceof CommandFailed) {
    console.error(error.text);
    return error.exitCode;
  }
  if (error instanceof Error && error.name === 'InvalidConfig') {
    console.error(error.message);
    return EXIT.wrongUse;
  }
  console.error(error);
  return EXIT.failed;
}
