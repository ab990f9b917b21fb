import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { handlerNames } from '../../lib/bundle';
import { parseConfig } from '../../lib/config/load';
import { makeStacks, type Stacks } from '../../lib/stacks/make-stacks';

export const ROOT = join(__dirname, '..', '..');
export const ACCOUNT = '123456789012';

/** A CloudFormation template, as far as tests look into it. */
export interface CfnTemplate {
  Resources: Record<string, CfnResource>;
  Outputs?: Record<string, unknown>;
}
export interface CfnResource {
  Type: string;
  Properties?: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  DependsOn?: string[];
}

/** The synthesized app of a configuration. */
export interface Synthesized {
  app: App;
  stacks: Stacks;
  /** Templates by the stack's name without the cluster's, for example `foundation`. */
  templates: Readonly<Record<string, CfnTemplate>>;
}

/** CDK's context from cdk.json, with which the CLI synthesizes; assets stay where they are. */
const CONTEXT = {
  ...(JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> }).context,
  'aws:cdk:disable-asset-staging': true,
  // Nobody reads where a construct was made; jest's source maps would make each of thousands dear.
  'aws:cdk:disable-stack-trace': true,
  'aws:cdk:disable-creation-stack-traces': true,
};

let code: { lambdas: string; nodeBundle: string; platform: string } | undefined;

/** Folders with one-line stand-ins for the bundles, so that a test of the stacks does not build the code. */
function fakeCode() {
  if (code) return code;
  const folder = mkdtempSync(join(tmpdir(), 'drowse-test-'));
  code = {
    lambdas: join(folder, 'lambdas'),
    nodeBundle: join(folder, 'node-bundle'),
    platform: join(folder, 'platform'),
  };
  for (const name of handlerNames()) {
    mkdirSync(join(code.lambdas, name), { recursive: true });
    writeFileSync(join(code.lambdas, name, 'index.js'), `// ${name}\n`);
  }
  mkdirSync(join(code.nodeBundle, 'node'), { recursive: true });
  writeFileSync(join(code.nodeBundle, 'node', 'bundle.tar.gz'), '');
  mkdirSync(code.platform);
  return code;
}

/** An app with all stacks of a `cluster.yaml` text, not synthesized yet. */
export function makeApp(yaml = ''): { app: App; stacks: Stacks } {
  const { lambdas, nodeBundle, platform } = fakeCode();
  const app = new App({ context: CONTEXT });
  const stacks = makeStacks(app, {
    config: parseConfig(yaml),
    account: ACCOUNT,
    code: { lambdas, stateMachines: join(ROOT, 'statemachines') },
    nodeBundle: { directory: nodeBundle, sha256: 'a'.repeat(64) },
    platform: { directory: platform },
    logLevel: 'INFO',
  });
  return { app, stacks };
}

const synthesized = new Map<string, Synthesized>();

/** Synthesizes the stacks of a `cluster.yaml` text, once per test file. */
export function synthesize(yaml = ''): Synthesized {
  const known = synthesized.get(yaml);
  if (known) return known;
  const { app, stacks } = makeApp(yaml);
  const templates = Object.fromEntries(
    Object.entries<Stack | undefined>({ ...stacks }).flatMap(([name, stack]) =>
      stack === undefined ? [] : [[name, Template.fromStack(stack).toJSON() as CfnTemplate]],
    ),
  );
  const result = { app, stacks, templates };
  synthesized.set(yaml, result);
  return result;
}

/** All resources of one type in a template, with their logical IDs. */
export function resourcesOf(template: CfnTemplate | undefined, type: string): [string, CfnResource][] {
  return Object.entries(template?.Resources ?? {}).filter(([, resource]) => resource.Type === type);
}
