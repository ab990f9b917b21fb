import { existsSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { CommandFailed } from '../../cli/terminal/errors';

/** What a person told the CDK CLI to do. */
export interface CdkCommand {
  /** `deploy`, `synth`, `diff`, … */
  verb: string;
  /** True if it says on which stacks: by their names or by `--all`. */
  namesStacks: boolean;
}

/** Processes between the CLI and this one: a shell, `npx`, a loader. */
const ANCESTORS = 6;

/** The command of a line that runs the CDK CLI; undefined of any other. */
export function readCdkCommand(line: readonly string[]): CdkCommand | undefined {
  const cli = line.findIndex((word) => /(^|[/\\])cdk(\.js|\.cmd)?$/.test(word));
  if (cli < 0) return undefined;
  const words = line.slice(cli + 1);
  const verb = words.find((word) => !word.startsWith('-'));
  if (verb === undefined) return undefined;
  const rest = words.slice(words.indexOf(verb) + 1);
  // The value of an option counts as a name here; then the CLI itself asks for stacks.
  return { verb, namesStacks: rest.some((word) => word === '--all' || !word.startsWith('-')) };
}

/**
 * True for a deployment, which may have to be prepared first.
 * @throws CommandFailed if it names no stack: the CLI would only say, after the synthesis, that there are several
 */
export function isDeployment(command: CdkCommand | undefined): boolean {
  if (command?.verb !== 'deploy') return false;
  if (command.namesStacks) return true;
  throw new CommandFailed(
    'cdk deploy does not say what: the cluster is several stacks, each with a lifetime of its own',
    'npx cdk deploy --all (or make deploy) deploys all of them in order.',
  );
}

/** The CDK command that this process synthesizes for; undefined if it was started in another way. */
export function cdkCommand(): CdkCommand | undefined {
  let pid = process.ppid;
  for (let above = 0; above < ANCESTORS && pid > 1; above += 1) {
    const found = processOf(pid);
    if (!found) return undefined;
    const command = readCdkCommand(found.line);
    if (command) return command;
    pid = found.parent;
  }
  return undefined;
}

function processOf(pid: number): { line: string[]; parent: number } | undefined {
  try {
    if (existsSync('/proc/self/stat')) {
      const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
      const line = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8')
        .split('\0')
        .filter(Boolean);
      // The second field is the command's name in parentheses, and may hold anything.
      return { line, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) };
    }
    const told = execFileSync('ps', ['-o', 'ppid=,args=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    const [parent = '', ...line] = told.split(/\s+/);
    return { line, parent: Number(parent) };
  } catch {
    return undefined; // It has ended, or there is no ps: nobody knows then.
  }
}
