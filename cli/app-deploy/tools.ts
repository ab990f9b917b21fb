import { CommandFailed } from '../terminal/errors';
import type { Shell } from './shell';

/** A tool that the command leans on: how to see that it is there, and where to get it. */
const TOOLS = [
  { command: 'git', args: ['--version'], remedy: 'Install Git: https://git-scm.com/downloads' },
  { command: 'docker', args: ['--version'], remedy: 'Install Docker: https://docs.docker.com/get-docker/' },
  {
    command: 'docker',
    args: ['buildx', 'version'],
    remedy: 'Install the buildx plugin: https://docs.docker.com/build/install-buildx/',
  },
  {
    command: 'kubectl',
    args: ['version', '--client'],
    remedy: 'Install kubectl: https://kubernetes.io/docs/tasks/tools/',
  },
] as const;

/**
 * Sees to it that every tool is there, before anything is begun.
 * @throws CommandFailed naming all that are missing
 */
export async function checkTools(shell: Shell): Promise<void> {
  const missing: CommandFailed[] = [];
  for (const { command, args, remedy } of TOOLS) {
    try {
      await shell.run(command, args, remedy);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      missing.push(error);
    }
  }
  const [first, ...others] = missing;
  if (!first) return;
  if (others.length === 0) throw first;
  throw new CommandFailed(
    missing.map(({ message }) => message).join('\n'),
    missing.map(({ remedy }) => remedy).join('\n'),
  );
}
