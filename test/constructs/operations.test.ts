import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { handlerNames } from '../../lib/bundle';
import { COMMANDS } from '../../lib/constructs/commands/run-commands';
import { placeholdersOf, UnknownPlaceholder, Workflow } from '../../lib/constructs/workflow/workflow';
import { EVERYTHING } from '../support/configs';
import { resourcesOf, ROOT, synthesize } from '../support/stacks';
import { actionsOf, resourcesOfStatement, rolesOf } from '../access/support/roles';
import { readFileSync } from 'node:fs';

const made = synthesize(EVERYTHING);
const { operations, cluster } = made.templates;
/** Those whose failure raises an alarm. */
const ALARMED = ['bootstrap', 'wake', 'sleep', 'install-platform', 'join-node'];
const WORKFLOWS = [...ALARMED, 'snapshot-etcd', 'restore-etcd', 'handle-node-loss'];

describe('workflows', () => {
  test.each(WORKFLOWS)('%s may invoke the functions that its file names, and no others', (name) => {
    const file = readFileSync(join(ROOT, 'statemachines', `${name}.asl.json`), 'utf8');
    const role = rolesOf(made).find(({ description }) => description === `Workflow big-${name}`);
    const invoked = (role?.statements ?? [])
      .filter((statement) => actionsOf(statement).includes('lambda:InvokeFunction'))
      .flatMap(resourcesOfStatement)
      .map((arn) => arn.split(':function:big-')[1] ?? '');
    const kebab = (text: string) => text.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
    const named = [...placeholdersOf(file)].map((text) => kebab(text.replace(/Arn$/, '')));
    expect(invoked.sort()).toEqual(named.filter((name) => handlerNames().includes(name)).sort());
  });

  test('a parent may start its child, look at it, stop it, and hear of its end', () => {
    const role = rolesOf(made).find(({ description }) => description === 'Workflow big-wake');
    expect(role?.statements).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          Action: 'states:StartExecution',
          Resource: ['install-platform', 'recover-pools'].map(
            (name) => `arn:aws:states:us-east-1:123456789012:stateMachine:big-${name}`,
          ),
        }),
        expect.objectContaining({
          Action: ['states:DescribeExecution', 'states:StopExecution'],
          Resource: 'arn:aws:states:us-east-1:123456789012:execution:big-install-platform:*',
        }),
        expect.objectContaining({ Action: ['events:DescribeRule', 'events:PutRule', 'events:PutTargets'] }),
      ]),
    );
  });

  test('a file that names a step which does not exist is refused', () => {
    const folder = mkdtempSync(join(tmpdir(), 'drowse-workflow-'));
    const file = join(folder, 'x.asl.json');
    writeFileSync(file, '{"StartAt":"A","States":{"A":{"Type":"Task","Resource":"${NoSuchStepArn}","End":true}}}');
    const make = () =>
      new Workflow(new Stack(), 'X', { stateMachineName: 'x', file, steps: {}, workflows: {}, logRetentionDays: 1 });
    expect(make).toThrow(UnknownPlaceholder);
    expect(make).toThrow('names NoSuchStepArn');
    rmSync(folder, { recursive: true });
  });
});

test('every step is a small arm64 function on Node 24 whose log lines name it', () => {
  const functions = resourcesOf(operations, 'AWS::Lambda::Function');
  expect(functions.length).toBeGreaterThan(25);
  for (const [, { Properties }] of functions) {
    expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'], MemorySize: 256, Timeout: 60 });
    const { Environment } = Properties as { Environment: { Variables: Record<string, string> } };
    expect(`big-${Environment.Variables.POWERTOOLS_SERVICE_NAME ?? ''}`).toBe(Properties?.FunctionName);
  }
});

test('each window has its triggers, in its own time zone', () => {
  const schedules = resourcesOf(operations, 'AWS::Scheduler::Schedule')
    .map(([, { Properties }]) => Properties)
    .filter((schedule) => String(schedule?.ScheduleExpression).startsWith('cron('));
  expect(schedules).toEqual([
    expect.objectContaining({
      Name: 'big-nights-sleep',
      ScheduleExpression: 'cron(0 19 ? * MON,TUE,WED,THU,FRI *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
    }),
    expect.objectContaining({ Name: 'big-nights-wake', ScheduleExpression: 'cron(30 7 ? * MON,TUE,WED,THU,FRI *)' }),
    expect.objectContaining({
      Name: 'big-weekend-sleep',
      ScheduleExpression: 'cron(30 0 ? * SAT *)',
      ScheduleExpressionTimezone: 'UTC',
    }),
  ]);
  for (const schedule of schedules) {
    expect(schedule?.Target).toMatchObject({
      Input: expect.stringMatching(
        /^\{"requestedBy":"schedule:(nights|weekend)","scheduledAt":"<aws.scheduler.scheduled-time>"\}$/,
      ) as string,
      DeadLetterConfig: { Arn: expect.anything() as unknown },
      RetryPolicy: { MaximumRetryAttempts: 10 },
    });
  }
});

test('missed triggers are looked for where there are schedules, use where it was asked for; both in their group', () => {
  const looks = (yaml: string) =>
    resourcesOf(synthesize(yaml).templates.operations, 'AWS::Scheduler::Schedule')
      .map(([, { Properties }]) => Properties)
      .filter((schedule) => /-(catch-up|detect-idle)$/.test(String(schedule?.Name)))
      .map((schedule) => [schedule?.Name, schedule?.ScheduleExpression, schedule?.GroupName !== undefined]);
  expect(looks(EVERYTHING)).toEqual([['big-catch-up', 'rate(10 minutes)', true]]);
  expect(looks('')).toEqual([]);
  expect(looks('idle: { enabled: true }')).toEqual([['drowse-detect-idle', 'rate(5 minutes)', true]]);
});

test('functions are told of the schedules and holidays that they need, and no others are', () => {
  const told = resourcesOf(operations, 'AWS::Lambda::Function').flatMap(([, { Properties }]) => {
    const { Variables } = (Properties as { Environment: { Variables: Record<string, string> } }).Environment;
    return Variables.SCHEDULES === undefined ? [] : [Variables.POWERTOOLS_SERVICE_NAME];
  });
  expect(told.sort()).toEqual(['catch-up-schedules', 'check-trigger', 'get-status', 'skip-next']);
});

test('joins are started for exactly the groups whose hooks hold instances', () => {
  const [rule] = resourcesOf(operations, 'AWS::Events::Rule').filter(
    ([, { Properties }]) => Properties?.Name === 'big-joins',
  );
  expect(rule?.[1].Properties?.EventPattern).toMatchObject({
    'detail-type': ['EC2 Instance-launch Lifecycle Action'],
    detail: { AutoScalingGroupName: ['general', 'executor', 'gpu', 'batch'].map((pool) => `big-pool-${pool}`) },
  });
});

test('losses are heard of for every group, and not of what a smaller size has ended', () => {
  const patterns = new Map(
    resourcesOf(operations, 'AWS::Events::Rule').map(([, { Properties }]) => [
      Properties?.Name as string,
      Properties?.EventPattern,
    ]),
  );
  const groups = ['seat-0', 'seat-1', 'seat-2', 'pool-general', 'pool-executor', 'pool-gpu', 'pool-batch'];
  expect(patterns.get('big-nodes-terminated')).toEqual({
    source: ['aws.autoscaling'],
    'detail-type': ['EC2 Instance Terminate Successful'],
    detail: {
      AutoScalingGroupName: groups.map((group) => `big-${group}`),
      Cause: [{ 'anything-but': { wildcard: '*shrinking the capacity*' } }],
    },
  });
  expect(patterns.get('big-nodes-interrupted')).toEqual({
    source: ['aws.ec2'],
    'detail-type': ['EC2 Spot Instance Interruption Warning'],
  });
});

test('etcd is saved as often as configured, whatever else is scheduled', () => {
  const snapshots = (templates: typeof made.templates) =>
    resourcesOf(templates.operations, 'AWS::Scheduler::Schedule')
      .map(([, { Properties }]) => Properties)
      .find((schedule) => String(schedule?.Name).endsWith('-snapshot-etcd'));
  expect(snapshots(made.templates)).toMatchObject({
    ScheduleExpression: 'rate(1 hour)',
    Target: { Input: '{"requestedBy":"schedule:snapshots"}' },
  });
  const often = synthesize('snapshots: { everyMinutes: 15 }').templates;
  expect(snapshots(often)).toMatchObject({ Name: 'drowse-snapshot-etcd', ScheduleExpression: 'rate(15 minutes)' });
});

test('the API asks for signed requests on each route, and is throttled', () => {
  const routes = resourcesOf(operations, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties);
  expect(routes.map((route) => [route?.RouteKey, route?.AuthorizationType]).sort()).toEqual([
    ['DELETE /keep-awake', 'AWS_IAM'],
    ['DELETE /skip-next', 'AWS_IAM'],
    ['GET /status', 'AWS_IAM'],
    ['POST /postpone-sleep', 'AWS_IAM'],
    ['POST /wake', 'AWS_IAM'],
    ['PUT /keep-awake', 'AWS_IAM'],
    ['PUT /skip-next', 'AWS_IAM'],
  ]);
  const [[, stage] = []] = resourcesOf(operations, 'AWS::ApiGatewayV2::Stage');
  expect(stage?.Properties?.DefaultRouteSettings).toEqual({ ThrottlingBurstLimit: 10, ThrottlingRateLimit: 5 });
});

test('every workflow’s failure and every lost trigger reach the topic, and so does the budget', () => {
  const alarms = resourcesOf(operations, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  expect(alarms.map((alarm) => alarm?.AlarmName).sort()).toEqual(
    [...ALARMED.map((name) => `big-${name}-failed`), 'big-trigger-lost'].sort(),
  );
  for (const alarm of alarms)
    expect(alarm?.AlarmActions).toEqual([{ Ref: expect.stringContaining('Topic') as string }]);
  const [[, budget] = []] = resourcesOf(operations, 'AWS::Budgets::Budget');
  expect(JSON.stringify(budget)).toContain('user:drowse:cluster$big');
  const subscriptions = resourcesOf(operations, 'AWS::SNS::Subscription');
  expect(subscriptions.map(([, { Properties }]) => Properties?.Endpoint)).toEqual(['ops@example.com']);
});

describe('commands', () => {
  interface Content {
    schemaVersion: string;
    parameters: Record<string, { allowedPattern: string; default?: string }>;
    mainSteps: { inputs: { runCommand: string[]; timeoutSeconds: string } }[];
  }
  const documents = new Map(
    resourcesOf(cluster, 'AWS::SSM::Document').map(([, { Properties }]) => [
      Properties?.Name as string,
      Properties?.Content as Content,
    ]),
  );

  test.each(Object.keys(COMMANDS))('%s runs its script, with values that no shell would read', (name) => {
    const content = documents.get(`big-${name}`);
    expect(content?.schemaVersion).toBe('2.2');
    expect(content?.mainSteps[0]?.inputs.timeoutSeconds).toBe('{{ ExecutionTimeout }}');
    expect(content?.mainSteps[0]?.inputs.runCommand[0]).toMatch(`exec /opt/drowse/commands/${name}.sh`);
    for (const { allowedPattern, default: value } of Object.values(content?.parameters ?? {})) {
      const pattern = new RegExp(allowedPattern);
      for (const bad of ["'; reboot '", '$(id)', 'a b', '']) expect(bad).not.toMatch(pattern);
      if (value !== undefined) expect(value).toMatch(pattern);
    }
  });

  test('options are the parameters in the script’s own spelling', () => {
    expect(documents.get('big-drain-nodes')?.mainSteps[0]?.inputs.runCommand).toEqual([
      "exec /opt/drowse/commands/drain-nodes.sh --per-node-seconds '{{ PerNodeSeconds }}'",
    ]);
  });
});

test('the audit trail is validated, goes to a log group, and ships its queries', () => {
  const { audit } = made.templates;
  const [[, trail] = []] = resourcesOf(audit, 'AWS::CloudTrail::Trail');
  expect(trail?.Properties).toMatchObject({ EnableLogFileValidation: true, IsLogging: true, TrailName: 'big-audit' });
  const queries = resourcesOf(audit, 'AWS::Logs::QueryDefinition').map(([, { Properties }]) => Properties?.Name);
  expect(queries.sort()).toEqual([
    'drowse/big/changes-to-security-groups',
    'drowse/big/denied-calls',
    'drowse/big/denied-calls-by-role',
    'drowse/big/who-woke-or-slept-the-cluster',
  ]);
  expect(synthesize('').templates).not.toHaveProperty('audit');
});
