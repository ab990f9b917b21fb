import { RELEASE_FILE } from './release';
import type { Shell } from './shell';

/** Brings the app's manifests to where Flux reads them. */
export type Publish = (shell: Shell, message: string) => Promise<void>;

/**
 * Deploys the stack that says which tree seats apply: nobody but a deployment can write one (docs/security.md).
 * @param config file of the configuration; undefined: the one that a deployment would take
 */
export function toStack(stack: string, config: string | undefined): Publish {
  return async (shell) => {
    const named = config === undefined ? [] : ['--context', `config=${config}`];
    await shell.run(
      'cdk',
      ['deploy', stack, '--exclusively', '--require-approval=never', '--progress=events', ...named],
      'The output above tells why. `make diff` shows what a deployment would change.',
      { live: true },
    );
  };
}

/** Commits the release and pushes it to the repository that the cluster reads. */
export const toGit: Publish = async (shell, message) => {
  const remedy = 'Look at `git status`.';
  // On the way back from a commit that failed there is nothing to commit.
  if (shell.dryRun || (await shell.read('git', ['status', '--porcelain', '--', RELEASE_FILE], remedy)) !== '') {
    await shell.run('git', ['add', RELEASE_FILE], remedy);
    await shell.run('git', ['commit', '--quiet', '--message', message, '--', RELEASE_FILE], remedy);
  }
  await shell.run('git', ['push', '--quiet'], 'Fetch what others have pushed (git pull --rebase), then run it again.');
};
