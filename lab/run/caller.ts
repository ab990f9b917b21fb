import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Whoever called sudo, as `chown` takes it; undefined where nobody did. */
function caller({ SUDO_UID, SUDO_GID }: NodeJS.ProcessEnv): string | undefined {
  return SUDO_UID === undefined || SUDO_GID === undefined ? undefined : `${SUDO_UID}:${SUDO_GID}`;
}

/**
 * Gives what root wrote into a folder to whoever called sudo: otherwise they could not read their kubeconfig, nor could `make local`
 * write there again.
 */
export function giveToCaller(folder: string, env: NodeJS.ProcessEnv = process.env): void {
  const owner = caller(env);
  if (owner === undefined || !existsSync(folder)) return;
  execFileSync('chown', ['--recursive', '--no-dereference', owner, folder]);
}

/** A make target as this person runs it as root. */
export function asRoot(target: string, env: NodeJS.ProcessEnv = process.env): string {
  return caller(env) === undefined ? `make ${target}` : `sudo make ${target}`;
}
