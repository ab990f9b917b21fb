import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { ACCOUNT, type AwsEndpoint, awsEnvironment } from './environment';
import { CommandFailed, tail } from '../../cli/terminal/errors';
import { OUT, ROOT } from './paths';

const APP = path.join(OUT, 'cdk.out');
const OUTPUTS = path.join(OUT, 'outputs.json');

/** Runs the real CDK CLI against the endpoint. */
export interface Cdk {
  synth: (onLine: (line: string) => void) => Promise<void>;
  bootstrap: () => Promise<void>;
  /** Deploys every stack; returns their outputs by stack name. */
  deploy: (onLine: (line: string) => void) => Promise<Record<string, Record<string, string>>>;
}

/** How many resources the synthesized stacks have. */
export function resourceCount(): number {
  const templates = readdirSync(APP).filter((name) => name.endsWith('.template.json'));
  return templates.reduce((sum, name) => {
    const { Resources = {} } = JSON.parse(readFileSync(path.join(APP, name), 'utf8')) as { Resources?: object };
    return sum + Object.keys(Resources).length;
  }, 0);
}

export function cdk(
  aws: AwsEndpoint,
  config: string | undefined,
  context: readonly string[],
  signal: AbortSignal,
): Cdk {
  const run = async (what: string, args: readonly string[], cwd: string, onLine?: (line: string) => void) => {
    const child = execa('cdk', [...args, '--no-color', '--no-notices'], {
      cwd,
      localDir: ROOT,
      preferLocal: true,
      // CDK's rules only warn, which nothing here shows; and they take longer than the whole rest of a synthesis.
      env: {
        ...awsEnvironment(aws),
        ...(config !== undefined && { DROWSE_CONFIG: config }),
        CI: 'true',
        CDK_VALIDATION: 'false',
      },
      extendEnv: false,
      reject: false,
      all: true,
      signal,
    });
    if (onLine && child.all) createInterface({ input: child.all }).on('line', onLine);
    const result = await child;
    const output = result.all ?? '';
    signal.throwIfAborted();
    if (result.failed) {
      const invalidConfig = /InvalidConfig: ([\s\S]*?)(?=\n\s+at |\n\s*\n|$)/.exec(output)?.[1];
      if (invalidConfig)
        throw new CommandFailed(invalidConfig, `Correct ${config ?? 'cluster.yaml'}, then run the command again.`);
      throw new CommandFailed(
        `cdk ${what} failed`,
        'The lines below say why; the whole output was shown by the CDK CLI.',
        tail(output, 25),
      );
    }
  };
  const contextArgs = context.flatMap((pair) => ['--context', pair]);
  return {
    synth: (onLine) => run('synth', ['synth', '--quiet', '--output', APP, ...contextArgs], ROOT, onLine),
    // From a folder without a cdk.json: the account's bootstrap needs no app, and would synthesize it once more.
    bootstrap: () => run('bootstrap', ['bootstrap', `aws://${ACCOUNT}/${aws.region}`], OUT),
    deploy: async (onLine) => {
      const args = [
        '--app',
        APP,
        '--all',
        '--require-approval',
        'never',
        '--progress',
        'events',
        '--outputs-file',
        OUTPUTS,
      ];
      await run('deploy', ['deploy', ...args, '--concurrency', '3'], ROOT, onLine);
      return JSON.parse(readFileSync(OUTPUTS, 'utf8')) as Record<string, Record<string, string>>;
    },
  };
}
