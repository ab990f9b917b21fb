import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SSMClient } from '@aws-sdk/client-ssm';
import { App, CliCredentialsStackSynthesizer, type IStackSynthesizer } from 'aws-cdk-lib';
import { BUNDLES, bundleHandlers } from '../lib/bundle';
import { describeTarget, InvalidConfig, loadConfig } from '../lib/config/load';
import { ecrRepositoriesOf } from '../core/config/registries';
import { warningsOf } from '../core/config/warnings';
import { CURRENT_IMAGES } from '../lib/constructs/node-group/node-image';
import type { LogLevel } from '../lib/constructs/step-lambda/step-lambda';
import { CommandFailed } from '../cli/terminal/errors';
import { cdkCommand, isDeployment } from '../lib/deploy/cdk-command';
import { currentImages } from '../lib/deploy/current-images';
import { prepareDeployment } from '../lib/deploy/prepare';
import { buildNodeBundle, nodeInstall } from '../lib/node';
import { buildPlatform, platformImages } from '../lib/platform';
import { makeStacks } from '../lib/stacks/make-stacks';

const ROOT = join(__dirname, '..');

/**
 * Context (`-c key=value`) says how to deploy, not what: `config` (or DROWSE_CONFIG in the environment) names another
 * cluster.yaml, `synthesizer=cli` deploys with the caller's own credentials instead of the bootstrap roles, `logLevel=DEBUG` logs each AWS call.
 */
async function main(): Promise<void> {
  const command = cdkCommand();
  const deploys = isDeployment(command);
  const app = new App();
  const context = (key: string): string | undefined => app.node.tryGetContext(key) as string | undefined;
  const named = context('config') ?? process.env.DROWSE_CONFIG;
  const config = loadConfig(named);
  // Standard output is the templates'.
  console.error(describeTarget(config, named, process.env.CDK_DEFAULT_ACCOUNT));
  for (const warning of warningsOf(config)) console.error(`Warning: ${warning}`);
  if (deploys || command?.verb === 'diff') {
    const ssm = new SSMClient({ region: config.region });
    app.node.setContext(CURRENT_IMAGES, await currentImages(ssm, console.error));
  }
  await bundleHandlers();
  // Each synthesis has its own folder, as several may run at once; CDK copies what is in it.
  const folder = mkdtempSync(join(tmpdir(), 'drowse-synth-'));
  const directory = join(folder, 'bundle');
  try {
    const { sha256 } = buildNodeBundle(
      nodeInstall(config.kubernetes.version, {}, { ecr: ecrRepositoriesOf(config).length > 0 }),
      directory,
    );
    makeStacks(app, {
      config,
      account: process.env.CDK_DEFAULT_ACCOUNT,
      code: { lambdas: BUNDLES, stateMachines: join(ROOT, 'statemachines') },
      nodeBundle: { directory, sha256 },
      platform: buildPlatform(directory, config.platform.git?.signingKeys, platformImages(config)),
      logLevel: (context('logLevel') ?? 'INFO') as LogLevel,
      ...(context('synthesizer') === 'cli' && {
        synthesizer: () => new CliCredentialsStackSynthesizer() as IStackSynthesizer,
      }),
    });
    const { directory: assembly } = app.synth();
    if (deploys) await prepareDeployment(config, assembly);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

main().catch((error: unknown) => {
  // What is wrong with cluster.yaml is for its author; a stack trace would only hide it.
  if (error instanceof CommandFailed)
    console.error([error.message, error.details, error.remedy].filter(Boolean).join('\n'));
  else console.error(error instanceof InvalidConfig ? error.message : error);
  process.exitCode = 1;
});
