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
const SILENT = ['big-seat-0-silent', 'big-seat-1-silent', 'big-seat-2-silent'];
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
          Resource: 'arn:aws:states:us-east-1:123456789012:stateMachine:big-install-platform',
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
    .filter(
      (schedule) =>
        String(schedule?.ScheduleExpression).startsWith('cron(') && !String(schedule?.Name).endsWith('-rehearsal'),
    );
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

test('each cluster is looked after, use is looked for where it was asked for; both in their group', () => {
  const looks = (yaml: string) =>
    resourcesOf(synthesize(yaml).templates.operations, 'AWS::Scheduler::Schedule')
      .map(([, { Properties }]) => Properties)
      .filter((schedule) => /-(look-after|detect-idle)$/.test(String(schedule?.Name)))
      .map((schedule) => [schedule?.Name, schedule?.ScheduleExpression, schedule?.GroupName !== undefined]);
  expect(looks(EVERYTHING)).toEqual([['big-look-after', 'rate(5 minutes)', true]]);
  expect(looks('idle: { enabled: true }')).toEqual([
    ['drowse-look-after', 'rate(5 minutes)', true],
    ['drowse-detect-idle', 'rate(5 minutes)', true],
  ]);
});

test('each wake of the schedules is rehearsed twelve hours before, in its own time zone', () => {
  const rehearsals = (yaml: string) =>
    resourcesOf(synthesize(yaml).templates.operations, 'AWS::Scheduler::Schedule')
      .map(([, { Properties }]) => Properties)
      .filter((schedule) => String(schedule?.Name).endsWith('-rehearsal'))
      .map((schedule) => [schedule?.Name, schedule?.ScheduleExpression, schedule?.ScheduleExpressionTimezone]);
  expect(rehearsals(EVERYTHING)).toEqual([
    ['big-nights-rehearsal', 'cron(30 19 ? * SUN,MON,TUE,WED,THU *)', 'Europe/Berlin'],
  ]);
  expect(rehearsals(`schedules: [{ name: nights, days: [mon], sleep: '20:00' }]`)).toEqual([]);
});

test('saved queries ask the log groups of workflows, steps and nodes that there are, and no more than a query may', () => {
  const { operations: made, cluster } = synthesize(EVERYTHING).templates;
  const groups = new Set(
    [...resourcesOf(made, 'AWS::Logs::LogGroup'), ...resourcesOf(cluster, 'AWS::Logs::LogGroup')].map(
      ([, { Properties }]) => Properties?.LogGroupName,
    ),
  );
  const queries = resourcesOf(made, 'AWS::Logs::QueryDefinition').map(
    ([, { Properties }]) => Properties as { Name: string; LogGroupNames: string[]; QueryString: string },
  );
  expect(queries.map(({ Name }) => Name).sort()).toEqual(
    [
      ...['failed-workflows', 'nodes-that-gave-up', 'steps-tried-again', 'what-steps-could-not-do'],
      'who-changed-what-in-the-cluster',
    ].map((name) => `drowse/big/${name}`),
  );
  for (const { LogGroupNames } of queries) {
    expect(LogGroupNames.length).toBeGreaterThan(0);
    expect(LogGroupNames.length).toBeLessThanOrEqual(50);
    expect(LogGroupNames.filter((name) => !groups.has(name))).toEqual([]);
  }
});

test('functions are told of the schedules and holidays that they need, and no others are', () => {
  const told = resourcesOf(operations, 'AWS::Lambda::Function').flatMap(([, { Properties }]) => {
    const { Variables } = (Properties as { Environment: { Variables: Record<string, string> } }).Environment;
    return Variables.SCHEDULES === undefined ? [] : [Variables.POWERTOOLS_SERVICE_NAME];
  });
  expect(told.sort()).toEqual([
    'check-trigger',
    'get-report',
    'get-status',
    'keep-awake',
    'look-after',
    'serve-page',
    'skip-next',
  ]);
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

test('look-after hears of workflows that fail, not of what a person stops, and of instances that come up', () => {
  const rules = resourcesOf(operations, 'AWS::Events::Rule')
    .map(([, { Properties }]) => Properties)
    .filter((rule) => String(rule?.Name).startsWith('big-care-'));
  expect(rules.map((rule) => [rule?.Name, rule?.EventPattern])).toEqual([
    [
      'big-care-failed',
      {
        source: ['aws.states'],
        'detail-type': ['Step Functions Execution Status Change'],
        detail: {
          stateMachineArn: ['Bootstrap', 'Wake', 'Sleep'].map((workflow) => ({
            Ref: expect.stringContaining(`${workflow}Workflow`) as string,
          })),
          status: ['FAILED', 'TIMED_OUT'],
        },
      },
    ],
    ['big-care-launched', expect.objectContaining({ 'detail-type': ['EC2 Instance Launch Successful'] })],
  ]);
  for (const rule of rules) {
    const [target] = (rule?.Targets ?? []) as { InputTransformer: { InputTemplate: string } }[];
    expect(target?.InputTransformer.InputTemplate).toMatch(/^\{"execution":<.+>,"full":true\}$/);
  }
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

test('the API asks for signed requests on each route but those of links, and is throttled', () => {
  const routes = resourcesOf(operations, 'AWS::ApiGatewayV2::Route').map(([, { Properties }]) => Properties);
  const by = (authorization: string) =>
    routes.filter((route) => route?.AuthorizationType === authorization).map((route) => String(route?.RouteKey));
  expect(by('AWS_IAM').sort()).toEqual([
    'DELETE /keep-awake',
    'DELETE /links/{id}',
    'DELETE /skip-next',
    'GET /cost',
    'GET /links',
    'GET /openapi.json',
    'GET /runs',
    'GET /schedule',
    'GET /status',
    'POST /certificates',
    'POST /links',
    'POST /postpone-sleep',
    'POST /sleep',
    'POST /wake',
    'PUT /keep-awake',
    'PUT /skip-next',
  ]);
  // The page, and what it lets in by signed links (test/lambdas/links.test.ts).
  const others = routes.filter((route) => route?.AuthorizationType !== 'AWS_IAM');
  expect(
    others.every((route) => /^(GET \/$|GET \/\.drowse\/waiting$|(GET|POST) \/link\/)/.test(String(route?.RouteKey))),
  ).toBe(true);
  const [[, stage] = []] = resourcesOf(operations, 'AWS::ApiGatewayV2::Stage');
  expect(stage?.Properties?.DefaultRouteSettings).toEqual({ ThrottlingBurstLimit: 10, ThrottlingRateLimit: 5 });
});

test('every workflow’s failure and every lost trigger reach the topic, and so does the budget', () => {
  const alarms = resourcesOf(operations, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  expect(alarms.map((alarm) => alarm?.AlarmName).sort()).toEqual(
    [...ALARMED.map((name) => `big-${name}-failed`), 'big-trigger-lost', ...SILENT].sort(),
  );
  for (const alarm of alarms)
    expect(alarm?.AlarmActions).toEqual([{ Ref: expect.stringContaining('Topic') as string }]);
  const [[, budget] = []] = resourcesOf(operations, 'AWS::Budgets::Budget');
  expect(JSON.stringify(budget)).toContain('user:drowse:cluster$big');
  const subscriptions = resourcesOf(operations, 'AWS::SNS::Subscription');
  expect(subscriptions.map(([, { Properties }]) => Properties?.Endpoint)).toEqual(['ops@example.com']);
});

test('a seat that runs without its API is missed, and a seat that is away is not', () => {
  const [, alarm] = resourcesOf(operations, 'AWS::CloudWatch::Alarm').find(
    ([, { Properties }]) => Properties?.AlarmName === 'big-seat-1-silent',
  )!;
  expect(alarm.Properties).toMatchObject({
    EvaluationPeriods: 6,
    Threshold: 1,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    // Without an instance there is no value of `running`, so none of the expression.
    TreatMissingData: 'notBreaching',
  });
  const metrics = alarm.Properties?.Metrics as { Id: string; Expression?: string; MetricStat?: object }[];
  expect(Object.fromEntries(metrics.map(({ Id, Expression, MetricStat }) => [Id, Expression ?? MetricStat]))).toEqual({
    expr_1: 'IF(running > 0 AND FILL(answers, 0) < 1, 1, 0)',
    running: {
      Metric: {
        Namespace: 'AWS/EC2',
        MetricName: 'CPUUtilization',
        Dimensions: [{ Name: 'AutoScalingGroupName', Value: 'big-seat-1' }],
      },
      Period: 300,
      Stat: 'SampleCount',
    },
    answers: {
      Metric: {
        Namespace: 'drowse',
        MetricName: 'ApiReady',
        Dimensions: [
          { Name: 'Cluster', Value: 'big' },
          { Name: 'Seat', Value: '1' },
        ],
      },
      Period: 300,
      Stat: 'Sum',
    },
  });
  // What the seat sends is what the alarm looks for.
  const script = readFileSync(join(ROOT, 'userdata', 'report-api.sh'), 'utf8');
  for (const word of ['Namespace=drowse', 'MetricName=ApiReady', '1.Name=Cluster', '2.Name=Seat'])
    expect(script).toContain(word);
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
    'drowse/big/who-wrote-what-nodes-run',
  ]);
  expect(synthesize('').templates).not.toHaveProperty('audit');
});
