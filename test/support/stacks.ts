import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TEMPLATES_FOLDER } from './templates-folder';

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

/** The synthesized templates of a configuration. */
export interface Synthesized {
  /** Templates by the stack's name without the cluster's, for example `foundation`. */
  templates: Readonly<Record<string, CfnTemplate>>;
}

/**
 * Synthesizes the stacks of a `cluster.yaml` text, once per run of jest: most tests only read templates, and need not
 * load the CDK for it.
 */
export function synthesize(yaml = ''): Synthesized {
  const file = join(templatesFolder(), `${createHash('sha256').update(yaml).digest('hex')}.json`);
  if (!existsSync(file)) {
    const { templatesOf } = jest.requireActual<typeof import('./app')>('./app');
    // In place at once: another worker may look for it at this moment.
    const draft = `${file}.${String(process.pid)}`;
    writeFileSync(draft, JSON.stringify(templatesOf(yaml)));
    renameSync(draft, file);
  }
  return { templates: JSON.parse(readFileSync(file, 'utf8')) as Synthesized['templates'] };
}

/** Folder of this run of jest, removed at its end. */
export function templatesFolder(): string {
  const folder = process.env[TEMPLATES_FOLDER];
  if (folder === undefined) throw new Error(`${TEMPLATES_FOLDER} is not set: run the tests through jest.config.mjs`);
  return folder;
}

/** All resources of one type in a template, with their logical IDs. */
export function resourcesOf(template: CfnTemplate | undefined, type: string): [string, CfnResource][] {
  return Object.entries(template?.Resources ?? {}).filter(([, resource]) => resource.Type === type);
}
