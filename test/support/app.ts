import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { handlerNames } from '../../lib/bundle';
import { parseConfig } from '../../lib/config/load';
import { makeStacks, type Stacks } from '../../lib/stacks/make-stacks';
import { ACCOUNT, ROOT, type Synthesized, templatesFolder } from './stacks';

/** CDK's context from cdk.json, with which the CLI synthesizes; assets stay where they are. */
const CONTEXT = {
  ...(JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> }).context,
  'aws:cdk:disable-asset-staging': true,
  // Nobody reads where a construct was made; jest's source maps would make each of thousands dear.
  'aws:cdk:disable-stack-trace': true,
  'aws:cdk:disable-creation-stack-traces': true,
};

// CDK's own rules are run by every `cdk synth`, and by nag.test.ts; elsewhere they would be half of the time.
process.env.CDK_VALIDATION = 'false';

let code: { lambdas: string; nodeBundle: string } | undefined;

/** Folders with one-line stand-ins for the bundles, so that a test of the stacks does not build the code. */
function fakeCode() {
  if (code) return code;
  const folder = mkdtempSync(join(templatesFolder(), 'code-'));
  code = {
    lambdas: join(folder, 'lambdas'),
    nodeBundle: join(folder, 'node-bundle'),
  };
  for (const name of handlerNames()) {
    mkdirSync(join(code.lambdas, name), { recursive: true });
    writeFileSync(join(code.lambdas, name, 'index.js'), `// ${name}\n`);
  }
  mkdirSync(join(code.nodeBundle, 'node'), { recursive: true });
  writeFileSync(join(code.nodeBundle, 'node', 'bundle.tar.gz'), '');
  return code;
}

/** An app with all stacks of a `cluster.yaml` text, not synthesized yet. */
export function makeApp(yaml = ''): { app: App; stacks: Stacks } {
  const { lambdas, nodeBundle } = fakeCode();
  const app = new App({ context: CONTEXT, outdir: mkdtempSync(join(templatesFolder(), 'cdk.out-')) });
  const stacks = makeStacks(app, {
    config: parseConfig(yaml),
    account: ACCOUNT,
    code: { lambdas, stateMachines: join(ROOT, 'statemachines') },
    nodeBundle: { directory: nodeBundle, sha256: 'a'.repeat(64) },
    platform: { sha256: 'b'.repeat(64) },
    logLevel: 'INFO',
  });
  return { app, stacks };
}

/** Templates of the stacks of a `cluster.yaml` text, by the stack's name without the cluster's. */
export function templatesOf(yaml: string): Synthesized['templates'] {
  const { stacks } = makeApp(yaml);
  return Object.fromEntries(
    Object.entries<Stack | undefined>({ ...stacks }).flatMap(([name, stack]) =>
      stack === undefined ? [] : [[name, Template.fromStack(stack).toJSON()]],
    ),
  ) as Synthesized['templates'];
}
