import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, CliCredentialsStackSynthesizer, type IStackSynthesizer } from 'aws-cdk-lib';
import { BUNDLES, bundleHandlers } from '../lib/bundle';
import { InvalidConfig, loadConfig } from '../lib/config/load';
import type { LogLevel } from '../lib/constructs/step-lambda/step-lambda';
import { buildNodeBundle, nodeInstall } from '../lib/node';
import { buildPlatform } from '../lib/platform';
import { makeStacks } from '../lib/stacks/make-stacks';

const ROOT = join(__dirname, '..');

/**
 * Context (`-c key=value`) says how to deploy, not what: `config` (or DROWSE_CONFIG in the environment) names another
 * cluster.yaml, `synthesizer=cli` deploys with the caller's own credentials instead of the bootstrap roles, `logLevel=DEBUG` logs each AWS call.
 */
async function main(): Promise<void> {
  const app = new App();
  const context = (key: string): string | undefined => app.node.tryGetContext(key) as string | undefined;
  const named = context('config');
  if (named !== undefined && !existsSync(named)) throw new InvalidConfig(named, ['there is no such file']);
  const config = loadConfig(named ?? process.env.DROWSE_CONFIG ?? join(ROOT, 'cluster.yaml'));
  await bundleHandlers();
  // Each synthesis has its own folder, as several may run at once; CDK copies what is in it.
  const folder = mkdtempSync(join(tmpdir(), 'drowse-synth-'));
  const directory = join(folder, 'bundle');
  try {
    const { sha256 } = buildNodeBundle(nodeInstall(config.kubernetes.version), directory);
    makeStacks(app, {
      config,
      account: process.env.CDK_DEFAULT_ACCOUNT,
      code: { lambdas: BUNDLES, stateMachines: join(ROOT, 'statemachines') },
      nodeBundle: { directory, sha256 },
      platform: { directory: buildPlatform(folder) },
      logLevel: (context('logLevel') ?? 'INFO') as LogLevel,
      ...(context('synthesizer') === 'cli' && {
        synthesizer: () => new CliCredentialsStackSynthesizer() as IStackSynthesizer,
      }),
    });
    app.synth();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

main().catch((error: unknown) => {
  // What is wrong with cluster.yaml is for its author; a stack trace would only hide it.
  console.error(error instanceof InvalidConfig ? error.message : error);
  process.exitCode = 1;
});
