import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { configFile, describeTarget, loadConfig } from '../../../lib/config/load';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { answer } from '../answers';
import { attend, ROOT } from '../child';
import type { FileOptions } from '../target';

export interface DeployOptions extends FileOptions {
  ask?: boolean;
}

const REMEDY = 'Run make setup, which installs the packages.';

/** Deploys the cluster, by the CDK CLI of the packages. What is wrong with the configuration is told before it starts. */
export async function deploy(more: readonly string[], options: DeployOptions, signal: AbortSignal): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), 'drowse-deploy-'));
  const outputs = path.join(folder, 'outputs.json');
  const approval = options.ask ? ['--require-approval', 'any-change'] : [];
  try {
    await cdk(options, ['deploy', '--all', '--outputs-file', outputs, ...approval, ...more], signal);
    if (options.json) {
      answer('deploy', {
        outputs: JSON.parse(readFileSync(outputs, 'utf8')) as Record<string, Record<string, string>>,
      });
    } else {
      console.log(
        'It is deployed. Once, to make the cluster: drowse bootstrap. After a change: drowse sleep, drowse wake.',
      );
    }
    return EXIT.done;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Shows what a deploy would change. */
export async function diff(options: DeployOptions, signal: AbortSignal): Promise<number> {
  await cdk(options, ['diff'], signal);
  return EXIT.done;
}

async function cdk(
  { config: file = process.env.DROWSE_CONFIG, json = false }: DeployOptions,
  args: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const config = loadConfig(file);
  const absolute = configFile(file);
  const code = await attend(
    'cdk',
    args,
    {
      cwd: ROOT,
      ...(absolute !== undefined && { env: { DROWSE_CONFIG: absolute } }),
      quietOutput: json,
      remedy: REMEDY,
    },
    signal,
  );
  signal.throwIfAborted();
  if (code === 0) return;
  throw new CommandFailed(
    `cdk ${args[0] ?? ''} of ${describeTarget(config, file)} ended with ${String(code)}`,
    'What it says above tells why. An account and region that never had CDK need once: npx cdk bootstrap.',
  );
}
