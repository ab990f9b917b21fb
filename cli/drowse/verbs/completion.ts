import type { Command } from 'commander';
import { CommandFailed, EXIT } from '../../terminal/errors';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Prints what makes a shell complete verbs and options, made of what the command line itself knows. */
export function completion(shell: string, program: Command): number {
  const verbs = program.commands.map((command) => ({
    name: command.name(),
    description: command.description().replaceAll("'", '’'),
    options: command.options.flatMap(({ long }) => (long ? [long] : [])),
  }));
  switch (SHELLS.find((known) => known === shell)) {
    case 'bash':
      console.log(bash(verbs));
      return EXIT.done;
    case 'zsh':
      console.log(`autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n${bash(verbs)}`);
      return EXIT.done;
    case 'fish':
      console.log(fish(verbs));
      return EXIT.done;
    default:
      throw new CommandFailed(
        `Nothing is known of the shell ${shell}`,
        `There are ${SHELLS.join(', ')}.`,
        '',
        EXIT.wrongUse,
      );
  }
}

interface Verb {
  name: string;
  description: string;
  options: readonly string[];
}

function bash(verbs: readonly Verb[]): string {
  return [
    '_drowse() {',
    '  local current=${COMP_WORDS[COMP_CWORD]} words',
    '  if ((COMP_CWORD == 1)); then',
    `    words='${verbs.map(({ name }) => name).join(' ')}'`,
    '  else',
    '    case ${COMP_WORDS[1]} in',
    ...verbs.map(({ name, options }) => `      ${name}) words='${[...options, '--help'].join(' ')}' ;;`),
    "      *) words='' ;;",
    '    esac',
    '  fi',
    '  COMPREPLY=($(compgen -W "${words}" -- "${current}"))',
    '}',
    'complete -o default -F _drowse drowse',
  ].join('\n');
}

function fish(verbs: readonly Verb[]): string {
  return verbs
    .flatMap(({ name, description, options }) => [
      `complete -c drowse -n __fish_use_subcommand -f -a ${name} -d '${description}'`,
      ...options.map((option) => `complete -c drowse -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`),
    ])
    .join('\n');
}
