import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import validateAsl from 'asl-validator';
import { handlerNames } from '../../lib/bundle';
import { CLASS_IN_WORDS, CLASS_OF } from '../../core/decisions/failure-classes';
import { LAMBDA_FAULTS } from '../../lib/workflows/definition';
import { allStates, readDefinition, type State, stepOf, workflowNames } from '../../sim/definitions';

const ROOT = join(__dirname, '../..');
/** Errors of AWS's own that a definition may name. */
const AWS_ERRORS = new Set([
  ...LAMBDA_FAULTS,
  'Sandbox.Timedout',
  'States.ALL',
  'States.Timeout',
  'StepFunctions.AWSStepFunctionsException',
  'StepFunctions.SdkClientException',
]);
/** Placeholders that stand for a state machine instead of a function. */
const MACHINES = new Set(['install-platform']);
/** Waits during which nobody may poll slower than this (s). */
const LONGEST_INTERVAL = 5;
/** Half an hour: the longest wait is that for the opposite workflow. */
const MOST_ATTEMPTS = 360;

type ErrorClass = new (message: string) => Error;

/** Every error class that a step or lambdas/shared exports, by its export name. */
function exportedErrors(): Map<string, ErrorClass> {
  const modules = [
    join(ROOT, 'lambdas/shared/step/errors'),
    ...handlerNames().map((name) => join(ROOT, 'lambdas', name, 'handler')),
  ];
  const exports = modules.flatMap((module) => Object.entries(jest.requireActual<Record<string, unknown>>(module)));
  const isError = (value: unknown) => typeof value === 'function' && value.prototype instanceof Error;
  return new Map(exports.filter(([, value]) => isError(value)) as [string, ErrorClass][]);
}

const errors = exportedErrors();

describe('errors of the steps', () => {
  test.each([...errors])('%s sets its name as a literal, so that minification leaves it', (name, Class) => {
    expect(new Class('x').name).toBe(name);
    const sources = [
      ...readdirSync(join(ROOT, 'lambdas/shared'), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => join(ROOT, 'lambdas/shared', file)),
      ...handlerNames().map((folder) => join(ROOT, 'lambdas', folder, 'handler.ts')),
    ].map((file) => readFileSync(file, 'utf8'));
    expect(sources.filter((text) => text.includes(`override readonly name = '${name}'`))).toHaveLength(1);
  });

  test('none is thrown that has no name of its own', () => {
    for (const folder of handlerNames()) {
      expect(readFileSync(join(ROOT, 'lambdas', folder, 'handler.ts'), 'utf8')).not.toMatch(/new Error\(/);
    }
  });
});

describe('docs/runbook.md', () => {
  const runbook = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8');
  const entries = [...runbook.matchAll(/^### (\S+)\n\n\*\*(.+?)\.\*\* ((?:.+\n)+)/gm)];

  test('has an entry for every named error, and for no other', () => {
    expect(entries.map(([, name]) => name).sort()).toEqual([...errors.keys()].sort());
  });

  test('says of each error of which class it is, in the words of the one table, and what to do', () => {
    const told = Object.fromEntries(entries.map(([, name = '', words = '']) => [name, words] as const));
    const classed = Object.entries(CLASS_OF).map(([name, is]) => [name, CLASS_IN_WORDS[is]]);
    expect(told).toEqual(Object.fromEntries(classed));
    expect(Math.min(...entries.map(([, , , text = '']) => text.length))).toBeGreaterThan(80);
  });
});

describe.each(workflowNames())('%s.asl.json', (workflow) => {
  const definition = readDefinition(workflow);
  const states = allStates(definition);
  const tasks = states.filter(([, { Type }]) => Type === 'Task');
  const retriesOf = ([name, { Retry = [] }]: [string, State]) => Retry.map((retry) => ({ name, ...retry }));

  test('is valid ASL', () => {
    const arn = 'arn:aws:lambda:us-east-1:123456789012:function:x';
    const { isValid, errorsText } = validateAsl(readDefinition(workflow, () => arn));
    expect(errorsText('\n')).toBe('');
    expect(isValid).toBe(true);
  });

  test('has a placeholder for each step, named as its state and its folder', () => {
    const known = new Set([...handlerNames(), ...MACHINES]);
    for (const [name, { Resource, Parameters }] of tasks) {
      const placeholder = Resource?.startsWith('${') ? Resource : String(Parameters?.StateMachineArn);
      expect(placeholder).toBe(`\${${name}Arn}`);
      expect(known).toContain(stepOf(placeholder));
    }
    const text = readFileSync(join(ROOT, 'statemachines', `${workflow}.asl.json`), 'utf8');
    const used = new Set([...text.matchAll(/\$\{(\w+)Arn\}/g)].map(([, name]) => name));
    expect([...used].sort()).toEqual([...new Set(tasks.map(([name]) => name))].sort());
  });

  test('names no state twice: the failed one must be known by its name', () => {
    const names = states.map(([name]) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  test('retries and catches only errors that exist', () => {
    const named = states.flatMap(([, { Retry = [], Catch = [] }]) =>
      [...Retry, ...Catch].flatMap((one) => one.ErrorEquals),
    );
    expect(named.filter((error) => !errors.has(error) && !AWS_ERRORS.has(error))).toEqual([]);
  });

  test('bounds every task, and rides out faults of AWS', () => {
    for (const task of tasks) {
      const [name, { TimeoutSeconds, Resource }] = task;
      expect([name, TimeoutSeconds]).toEqual([name, expect.any(Number)]);
      const ridden = retriesOf(task).flatMap(({ ErrorEquals }) => ErrorEquals);
      const faults = Resource?.startsWith('${') ? LAMBDA_FAULTS : ['StepFunctions.SdkClientException'];
      expect(ridden).toEqual(expect.arrayContaining(faults));
      expect(ridden).not.toContain('States.TaskFailed');
      expect(ridden).not.toContain('States.ALL');
    }
  });

  test('waits at a fixed interval that suits somebody who waits, and not for ever', () => {
    const waits = tasks
      .flatMap(retriesOf)
      .filter(({ ErrorEquals: [error = ''] }) => errors.has(error) && error !== 'AwsUnavailable');
    for (const { IntervalSeconds, BackoffRate, MaxAttempts } of waits) {
      expect(IntervalSeconds).toBeLessThanOrEqual(LONGEST_INTERVAL);
      expect(BackoffRate).toBe(1);
      expect(MaxAttempts).toBeLessThanOrEqual(MOST_ATTEMPTS);
    }
  });

  test('outlasts ten minutes of an outage before the first catch, and in what ends it', () => {
    const first = Object.entries(definition.States).filter(([, { Type }]) => Type === 'Task');
    const lasting = [...first, ...states.filter(([name]) => name === 'RecordSuccess')];
    expect(lasting.length).toBeGreaterThan(0);
    for (const [name, { Retry = [] }] of lasting) {
      for (const error of [...LAMBDA_FAULTS, 'AwsUnavailable', 'Sandbox.Timedout', 'States.Timeout']) {
        const { IntervalSeconds, MaxAttempts, BackoffRate } = Retry.find((one) => one.ErrorEquals.includes(error))!;
        const waits = Array.from({ length: MaxAttempts }, (_, attempt) => IntervalSeconds * BackoffRate ** attempt);
        expect([name, error, waits.reduce((sum, wait) => sum + wait, 0) > 600]).toEqual([name, error, true]);
      }
    }
  });

  test('lets every failure end in one place', () => {
    const catches = Object.values(definition.States).flatMap(({ Catch = [] }) => Catch);
    expect(catches).toHaveLength(1);
    expect(catches[0]).toMatchObject({ ErrorEquals: ['States.ALL'], ResultPath: '$.failure' });
    const recorder = definition.States[catches[0]!.Next];
    expect(recorder).toMatchObject({ Type: 'Task', ResultPath: '$.failure', Next: 'Failed' });
    expect(definition.States.Failed).toMatchObject({ Type: 'Fail', ErrorPath: '$.failure.Error' });
  });

  test('reaches each of its states', () => {
    const reached = new Set(states.flatMap(([, state]) => nextOf(state)));
    const starts = [
      definition.StartAt,
      ...states.flatMap(([, { Branches = [] }]) => Branches.map(({ StartAt }) => StartAt)),
    ];
    expect(states.map(([name]) => name).filter((name) => !reached.has(name) && !starts.includes(name))).toEqual([]);
  });
});

function nextOf({ Next, Default, Choices = [], Catch = [] }: State): (string | undefined)[] {
  return [Next, Default, ...Choices.map((choice) => choice.Next), ...Catch.map((one) => one.Next)];
}

test('every step is used by some workflow', () => {
  const used = workflowNames().flatMap((workflow) =>
    allStates(readDefinition(workflow)).map(([, { Resource = '' }]) => stepOf(Resource)),
  );
  const apis = [
    'get-status',
    'get-report',
    'serve-page',
    'manage-links',
    'issue-certificate',
    'request-wake',
    'request-sleep',
    'keep-awake',
    'skip-next',
    'postpone-sleep',
  ];
  const looks = ['look-after', 'detect-idle', 'rehearse-wake'];
  const topic = ['send-notice'];
  const customResources = ['reserve-addresses'];
  const others = [...apis, ...looks, ...topic, ...customResources];
  expect(handlerNames().filter((name) => !used.includes(name) && !others.includes(name))).toEqual([]);
});

test('seats, pools and load balancer start side by side', () => {
  for (const workflow of ['wake', 'bootstrap']) {
    const [, everything] = allStates(readDefinition(workflow)).find(([name]) => name === 'StartEverything')!;
    expect(everything.Branches?.map(({ StartAt }) => StartAt)).toEqual([
      'StartSeats',
      'StartPools',
      'CreateLoadBalancer',
    ]);
  }
});
