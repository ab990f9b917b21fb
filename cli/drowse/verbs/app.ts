import { deployApp } from '../../app-deploy/app';
import { EXIT } from '../../terminal/errors';
import { answer } from '../answers';
import { count } from '../span';
import type { FileOptions } from '../target';

export interface AppVerbOptions extends FileOptions {
  image?: string;
  context?: string;
  timeout: string;
  dryRun?: boolean;
}

/** The longest that a rollout may be given (s). */
const MOST = 24 * 3600;

/** Builds the app's image, pushes it, and has the cluster run it. */
export async function app({ timeout, dryRun = false, json, config, ...options }: AppVerbOptions): Promise<number> {
  const file = config ?? process.env.DROWSE_CONFIG;
  const what = {
    ...options,
    ...(file !== undefined && { config: file }),
    timeout: count('--timeout', timeout, MOST),
    dryRun,
  };
  const image = await deployApp(what, json ? console.error : console.log);
  if (json) answer('app', { image, dryRun });
  return EXIT.done;
}
