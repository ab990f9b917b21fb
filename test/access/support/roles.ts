import { resourcesOf, type Synthesized } from '../../support/stacks';
import { resolve } from './resolve';

/** One statement of a synthesized policy, with everything worked out. */
export interface PolicyStatement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Action: string | string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

export interface SynthesizedRole {
  /** Logical ID in its template. */
  id: string;
  /** Path of the construct, for example `drowse-operations/DrainNodes/Role`. */
  stack: string;
  description: string;
  statements: PolicyStatement[];
}

interface PolicyProperties {
  Roles?: { Ref: string }[];
  PolicyDocument: { Statement: unknown[] };
}

/** Every role of the synthesized stacks, with what its inline policies say. */
export function rolesOf({ templates }: Synthesized): SynthesizedRole[] {
  return Object.entries(templates).flatMap(([stack, template]) =>
    resourcesOf(template, 'AWS::IAM::Role').map(([id, role]) => {
      const own = (role.Properties?.Policies ?? []) as PolicyProperties[];
      const attached = resourcesOf(template, 'AWS::IAM::Policy')
        .map(([, policy]) => policy.Properties as unknown as PolicyProperties)
        .filter(({ Roles }) => Roles?.some(({ Ref }) => Ref === id));
      const statements = [...own, ...attached].flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
      return {
        id,
        stack,
        description: typeof role.Properties?.Description === 'string' ? role.Properties.Description : '',
        statements: resolve(statements, template, templates) as PolicyStatement[],
      };
    }),
  );
}

/** The role of a step, by the step's name. */
export function roleOfStep(roles: readonly SynthesizedRole[], step: string): SynthesizedRole {
  return find(roles, `Step ${step}`);
}

/** The role of a group's nodes: `{ 'drowse:seat': '0' }` or `{ 'drowse:pool': 'gpu' }`. */
export function roleOfNodes(roles: readonly SynthesizedRole[], key: string, value: string): SynthesizedRole {
  return find(roles, `: ${key}=${value}`);
}

function find(roles: readonly SynthesizedRole[], end: string): SynthesizedRole {
  const found = roles.filter(({ description }) => description.endsWith(end));
  if (found.length !== 1) throw new Error(`${String(found.length)} roles are described as “…${end}”`);
  return found[0]!;
}

export function actionsOf({ Action }: PolicyStatement): string[] {
  return [Action].flat();
}

export function resourcesOfStatement({ Resource }: PolicyStatement): string[] {
  return [Resource].flat();
}
