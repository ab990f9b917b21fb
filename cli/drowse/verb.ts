import type { Command } from 'commander';

/** What a verb is registered with: see the files of `groups/`. */
export interface Registry {
  /** A verb that asks nobody: it has `--config` and `--json`. */
  offline: (usage: string, description: string, example: string) => Command;
  /** A verb that asks AWS: it has `--cluster` and `--region` as well. */
  verb: (usage: string, description: string, example: string) => Command;
  /** A verb whose terminal another program takes over: it asks AWS, and has no `--json`. */
  handOver: (usage: string, description: string, example: string) => Command;
  /** Aborts when the person presses Ctrl-C. */
  signal: AbortSignal;
  /** All that the command line knows, once every group is registered. */
  program: Command;
  /** Says how the command ends: its exit code. */
  end: (code: number) => void;
}

/** Registers a group of verbs. Each loads what it needs when it is used: `--help` answers at once. */
export type Group = (registry: Registry) => void;

/** Makes verbs of a program, below one heading of its help. */
export function registryOf(
  program: Command,
  heading: string,
  { signal, end }: Pick<Registry, 'signal' | 'end'>,
): Registry {
  const bare = (usage: string, description: string, example: string): Command =>
    program
      .command(usage)
      .helpGroup(heading)
      .description(description)
      .option('--config <file>', 'configuration of the cluster; cluster.yaml without it')
      .addHelpText('after', `\nExample:\n  $ drowse ${example}`);
  const json = (command: Command): Command => command.option('--json', 'print the answer as JSON');
  const another = (command: Command): Command =>
    command
      .option('--cluster <name>', 'another cluster than the configuration’s')
      .option('--region <region>', 'its region');
  return {
    offline: (...words) => json(bare(...words)),
    verb: (...words) => another(json(bare(...words))),
    handOver: (...words) => another(bare(...words)),
    program,
    signal,
    end,
  };
}
