import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { schedulesOf } from '../../cli/drowse/looks';
import { parseConfig } from '../../lib/config/load';
import { EVERYTHING } from '../support/configs';
import { makeApp } from '../support/app';
import { type CfnTemplate, resourcesOf, ROOT, synthesize } from '../support/stacks';

const example = (name: string) => readFileSync(join(ROOT, 'examples', `${name}.yaml`), 'utf8');

/** Logical IDs whose resource differs between two templates, with the stack's name. */
function changed(
  before: Readonly<Record<string, CfnTemplate>>,
  after: Readonly<Record<string, CfnTemplate>>,
): string[] {
  return Object.entries(after).flatMap(([stack, { Resources }]) => {
    const old = before[stack]?.Resources ?? {};
    return [...new Set([...Object.keys(old), ...Object.keys(Resources)])]
      .filter((id) => JSON.stringify(old[id]) !== JSON.stringify(Resources[id]))
      .map((id) => `${stack}/${id}`);
  });
}

describe('a change to one pool touches only that pool', () => {
  const before = synthesize(example('high-availability')).templates;
  test.each([
    ['its size', 'max: 20', 'max: 30'],
    ['its instance types', 'c5.2xlarge, c5a.2xlarge', 'c6i.2xlarge'],
    ['its labels', 'workload-type: executor }', 'workload-type: executor, tier: cold }'],
    ['its market', 'market: spot-with-fallback', 'market: on-demand'],
  ])('%s', (_, from, to) => {
    const yaml = example('high-availability');
    expect(yaml).toContain(from);
    const ids = changed(before, synthesize(yaml.replace(from, to)).templates);
    expect(ids.length).toBeGreaterThan(0);
    // Who tells what the cluster costs is told the prices of the types that may run, and what they come to.
    for (const id of ids)
      expect(id).toMatch(
        /^cluster\/Poolexecutor|^operations\/(Record(Success|Failure)|GetReport|GetStatus|LookAfter|ServePage)Function/,
      );
  });

  test('a pool that is added changes nothing but the rules that hear of its joins and losses, and the bill', () => {
    const added = example('high-availability').replace(
      'schedules:',
      '  - { name: extra, instanceTypes: [t3.large] }\nschedules:',
    );
    const ids = changed(before, synthesize(added).templates).filter((id) => !id.startsWith('cluster/Poolextra'));
    expect(ids).toEqual([
      // What the cluster costs is told.
      expect.stringMatching(/^operations\/RecordSuccessFunction/),
      expect.stringMatching(/^operations\/ServePageFunction/),
      expect.stringMatching(/^operations\/GetReportFunction/),
      expect.stringMatching(/^operations\/GetStatusFunction/),
      expect.stringMatching(/^operations\/JoinsRule/),
      expect.stringMatching(/^operations\/NodeLossesTerminated/),
      expect.stringMatching(/^operations\/CareLaunched/),
    ]);
  });
});

describe('what outlives the stacks', () => {
  const { foundation } = synthesize(EVERYTHING).templates;
  // Not what a creation that fails had made: it would stand in the way of the next.
  test.each(['AWS::EC2::EIP', 'AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::EC2::Volume'])('is %s', (type) => {
    const found = resourcesOf(foundation, type);
    expect(found.length).toBeGreaterThan(0);
    for (const [, resource] of found) expect(resource.DeletionPolicy).toBe('RetainExceptOnCreate');
  });

  test('a state volume that must be replaced leaves a snapshot', () => {
    for (const [, resource] of resourcesOf(foundation, 'AWS::EC2::Volume')) {
      expect(resource.UpdateReplacePolicy).toBe('Snapshot');
    }
  });

  test('only the foundation is protected from deletion', () => {
    const { stacks } = makeApp(EVERYTHING);
    expect(stacks.foundation.terminationProtection).toBe(true);
    expect([stacks.cluster, stacks.operations].map(({ terminationProtection }) => terminationProtection)).toEqual([
      false,
      false,
    ]);
  });

  test('nothing that is retained lies in another stack, except the audit’s own bucket', () => {
    const { templates } = synthesize(EVERYTHING);
    const kept = Object.entries(templates).flatMap(([stack, { Resources }]) =>
      Object.values(Resources).flatMap(({ DeletionPolicy, Type }) =>
        DeletionPolicy?.startsWith('Retain') && stack !== 'foundation' ? [`${stack} ${Type}`] : [],
      ),
    );
    expect(kept).toEqual(['audit AWS::S3::Bucket']);
  });
});

describe('housekeeping', () => {
  const { templates } = synthesize(EVERYTHING);
  const every = (type: string) => Object.values(templates).flatMap((template) => resourcesOf(template, type));

  test('everything that can carry tags carries the cluster’s and the user’s', () => {
    const untagged = Object.values(templates).flatMap(({ Resources }) =>
      Object.entries(Resources).flatMap(([id, { Properties = {} }]) => {
        const { Tags } = Properties;
        if (!Array.isArray(Tags)) return [];
        const keys = (Tags as { Key: string }[]).map(({ Key }) => Key);
        return keys.includes('drowse:cluster') && keys.includes('team') ? [] : [id];
      }),
    );
    expect(untagged).toEqual([]);
    expect(every('AWS::EC2::Volume').length).toBe(3);
  });

  test('logs are kept for the configured days, and every function and workflow has a group of its own', () => {
    for (const [, { Properties }] of every('AWS::Logs::LogGroup'))
      expect([30, 90]).toContain(Properties?.RetentionInDays);
    for (const [, { Properties }] of every('AWS::Lambda::Function')) expect(Properties?.LoggingConfig).toBeDefined();
    for (const [, { Properties }] of every('AWS::StepFunctions::StateMachine')) {
      expect(Properties?.LoggingConfiguration).toMatchObject({ Level: 'ALL' });
    }
  });

  test('no secret is in a template: no parameter value, no plain token, no password', () => {
    expect(JSON.stringify(templates)).not.toMatch(/"(?:\w*password|secret|token)":\s*"/i);
    // Which volume is which seat's, and what a deployment says that seats apply (test/platform/substitutions.test.ts).
    expect(every('AWS::SSM::Parameter').map(([, { Properties }]) => Properties?.Name)).toEqual([
      ...[0, 1, 2].map((seat) => `/drowse/big/volume/${String(seat)}`),
      '/drowse/big/platform',
    ]);
  });

  test('a role’s policies stay within AWS’s limit of 10,240 characters', () => {
    for (const [, { Properties }] of every('AWS::IAM::Policy')) {
      expect(JSON.stringify(Properties?.PolicyDocument).replaceAll(/\s/g, '').length).toBeLessThan(10_240);
    }
  });
});

test.each(['gpu-single', 'node-pools', 'infra-app-gpu', 'high-availability'])('%s synthesizes', (name) => {
  const { templates } = synthesize(example(name));
  expect(Object.keys(templates)).toEqual(expect.arrayContaining(['foundation', 'cluster', 'operations']));
});

test('doctor looks for the schedules that a deployment makes', () => {
  const made = resourcesOf(synthesize(EVERYTHING).templates.operations, 'AWS::Scheduler::Schedule');
  const named = made.flatMap(([, { Properties }]) => (Properties?.GroupName === undefined ? [] : [Properties.Name]));
  expect(named.sort()).toEqual(schedulesOf(parseConfig(EVERYTHING)).sort());
});

/** What a stack is made of: small enough to read, and a change of it is a change that somebody meant. */
test.each(['foundation', 'cluster', 'operations', 'audit'])('%s: its resources', (stack) => {
  const resources = Object.entries(synthesize(EVERYTHING).templates[stack]?.Resources ?? {});
  // The digests at the end of logical IDs say nothing to a reader.
  expect(resources.map(([id, { Type }]) => `${Type} ${id.replace(/[0-9A-F]{8,}$/, '')}`).sort()).toMatchSnapshot();
});
