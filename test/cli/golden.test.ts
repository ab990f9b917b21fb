import { readFileSync } from 'node:fs';
import path from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { describe as describeProgram } from '../../cli/drowse/program';
import { answerProblems } from '../support/api-document';
import * as recorded from './recorded';
import { answerOf, type Api, drowse, startApi } from './support';

/** What each verb prints of answers that a deployed cluster gave, and how it ends; with `--json` by its schema. */

const CONFIG = ['--config', path.join('examples', 'office-hours.yaml')];
/** Time stands still for what is printed, and goes on for what waits. */
const ALL_BUT_DATE = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'requestAnimationFrame',
  'cancelAnimationFrame',
  'requestIdleCallback',
  'cancelIdleCallback',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;
const NOW = new Date('2026-11-30T16:00:00Z');

const sts = mockClient(STSClient);
const sfn = mockClient(SFNClient);
const ssm = mockClient(SSMClient);
const ec2 = mockClient(EC2Client);
const s3 = mockClient(S3Client);
const logs = mockClient(CloudWatchLogsClient);
const stacks = mockClient(CloudFormationClient);

/** By verb, the other file whose tests run it against what it asks. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  kubeconfig: 'test/cli/reach.test.ts',
  tunnel: 'test/cli/reach.test.ts',
  kubectl: 'test/cli/reach.test.ts',
  shell: 'test/cli/reach.test.ts',
  init: 'test/cli/init.test.ts',
  completion: 'test/cli/init.test.ts',
  restore: 'test/cli/verbs.test.ts',
  'gpu-test': 'test/cli/verbs.test.ts',
  diagnostics: 'test/cli/verbs.test.ts',
  destroy: 'test/cli/deploying.test.ts',
  doctor: 'test/e2e/command.ts',
  deploy: 'test/cli/deploying.test.ts',
  diff: 'test/cli/deploying.test.ts',
  app: 'test/cli/deploying.test.ts',
};

let api: Api;
const answers: Record<string, object> = {};
const status = (of: object): void => void (answers['GET /status'] = of);

beforeEach(async () => {
  jest.useFakeTimers({ now: NOW, doNotFake: [...ALL_BUT_DATE] });
  for (const client of [sts, sfn, ssm, ec2, s3, logs, stacks]) client.reset();
  const Arn = 'arn:aws:sts::123456789012:assumed-role/op/ada';
  sts.on(GetCallerIdentityCommand).resolves({ Account: '123456789012', Arn });
  sfn.on(StartExecutionCommand).resolves({ executionArn: recorded.START.execution, startDate: NOW });
  sfn.on(DescribeExecutionCommand).resolves({
    ...{ executionArn: recorded.START.execution, stateMachineArn: '', status: 'SUCCEEDED', startDate: NOW },
  });
  for (const route of Object.keys(answers)) Reflect.deleteProperty(answers, route);
  api = await startApi(answers);
});
afterEach(async () => {
  jest.useRealTimers();
  await api.close();
});

const STATUSES: [name: string, answer: object, code: number][] = [
  ['asleep', recorded.ASLEEP, 0],
  ['awake', recorded.AWAKE, 0],
  ['waking, with a sleep behind it', recorded.WAKING, 0],
  ['awake, but not whole', recorded.DEGRADED, 4],
  ['after a wake that failed', recorded.FAILED, 0],
  ['after a wake that was cut off', recorded.CUT_OFF, 0],
];

describe('drowse status', () => {
  test.each(STATUSES)('%s', async (_name, answer, exitCode) => {
    status(answer);
    expect(answerProblems('GET /status', 200, JSON.parse(JSON.stringify(answer)))).toEqual([]);
    const { code, out, err } = await drowse('status', ...CONFIG);
    expect([code, err]).toEqual([exitCode, '']);
    expect(out).toMatchSnapshot();
    const { answer: json } = await answerOf('status', ...CONFIG);
    // As the API says it: nothing is lost on the way.
    expect(json).toEqual(JSON.parse(JSON.stringify(answer)));
  });
});

/** Verb and words, what the API answers by route, and the code that it ends with. */
const VERBS: [line: string, answers: Record<string, object>, code?: number][] = [
  ['nodes', { 'GET /status': recorded.AWAKE }],
  ['nodes', { 'GET /status': recorded.ASLEEP }],
  ['runs', { 'GET /runs': recorded.RUNS }],
  ['runs wake --last 1', { 'GET /runs': recorded.RUNS }],
  ['wake', { 'POST /wake': recorded.ALREADY }],
  ['wake --no-follow --reason demo', { 'POST /wake': recorded.START }],
  ['wake', { 'POST /wake': recorded.START, 'GET /status': recorded.AWAKE }],
  ['wake', { 'POST /wake': recorded.START, 'GET /status': recorded.DEGRADED }, 4],
  [
    'sleep',
    {
      'POST /sleep': { ...recorded.START, message: 'The cluster goes to sleep', state: 'awake' },
      'GET /status': recorded.ASLEEP,
    },
  ],
  ['bootstrap', { 'GET /status': recorded.AWAKE }],
  ['platform --no-follow', {}],
  ['keep-awake 3h', { 'PUT /keep-awake': recorded.KEEP_AWAKE }],
  ['skip-next sleep', { 'PUT /skip-next': recorded.SKIP }],
  ['postpone', { 'POST /postpone-sleep': recorded.POSTPONE }],
  ['link Ann', { 'POST /links': recorded.LINK }],
  ['link --list', { 'GET /links': recorded.LINKS }],
  ['schedule', {}],
  ['cost', {}],
];

test.each(VERBS)('%#: drowse %s', async (line, told, exitCode = 0) => {
  const words = line.split(' ');
  for (const [route, answer] of Object.entries(told)) {
    const accepted = answerProblems(route, 200, answer);
    const problems = accepted.length > 0 ? answerProblems(route, 201, answer) : [];
    expect({ route, problems }).toEqual({ route, problems: [] });
  }
  Object.assign(answers, told);
  const { code, out, err } = await drowse(...words, ...CONFIG);
  // Where the API is differs from run to run.
  const here = (text: string): string => text.replaceAll(process.env.DROWSE_API_URL ?? '', 'https://api.example');
  expect({ out: here(out), err: here(err) }).toMatchSnapshot();
  expect(code).toBe(exitCode);
  const [verb = '', ...rest] = words;
  expect(await answerOf(verb, ...rest, ...CONFIG)).toMatchObject({ code: exitCode });
});

test('drowse logs', async () => {
  logs.on(FilterLogEventsCommand).resolves({
    events: [
      {
        ...{ timestamp: NOW.getTime() - 60_000, logStreamName: 's' },
        message: '{"level":"INFO","message":"Step done","service":"wait-for-api","result":{"n":1}}',
      },
    ],
  });
  logs.on(DescribeLogGroupsCommand).resolves({ logGroups: [{ logGroupName: '/aws/lambda/office-wait-for-api' }] });
  expect(await drowse('logs', 'WaitForApi', ...CONFIG)).toMatchSnapshot();
  expect(await drowse('logs', 'wait-for-apl', ...CONFIG)).toMatchSnapshot();
});

test('drowse snapshot --list', async () => {
  const folder = 'snapshots/2026-11-30T15-00-00Z-hourly';
  s3.on(ListObjectsV2Command).resolves({
    Contents: [{ Key: `${folder}/etcd.db` }, { Key: `${folder}/manifest.json` }],
  });
  expect(await drowse('snapshot', '--list', ...CONFIG)).toMatchSnapshot();
});

test('every verb is run here, or by the tests that are named', () => {
  const verbs = describeProgram(new AbortController().signal, () => undefined).commands.map((one) => one.name());
  const here = new Set(['status', 'logs', 'snapshot', ...VERBS.map(([line]) => line.split(' ')[0])]);
  expect(verbs.filter((verb) => !here.has(verb) && ELSEWHERE[verb] === undefined)).toEqual([]);
  for (const [verb, file] of Object.entries(ELSEWHERE)) {
    expect({ verb, run: readFileSync(file, 'utf8').includes(`'${verb}'`) }).toEqual({ verb, run: true });
  }
});

/** What AWS says before anything else, and the words that a person reads. */
const FAULTS: [name: string, error: { name: string; code?: string; message: string }, said: RegExp][] = [
  [
    'no credentials',
    { name: 'CredentialsProviderError', message: 'none' },
    /^No AWS credentials were found \(cluster /,
  ],
  ['wrong credentials', { name: 'InvalidClientTokenId', message: 'x' }, /^AWS does not accept your credentials \(/],
  ['a wrong secret', { name: 'SignatureDoesNotMatch', message: 'x' }, /^AWS does not accept your credentials \(/],
  ['expired ones', { name: 'ExpiredToken', message: 'x' }, /^Your AWS credentials have expired \(/],
  [
    'no permissions',
    { name: 'AccessDenied', message: 'not authorized: x:Y' },
    /may not do that: not authorized: x:Y \(/,
  ],
  [
    'no such region',
    { name: 'Error', code: 'ENOTFOUND', message: 'getaddrinfo' },
    /^AWS does not answer: .*\n.*region exists/,
  ],
];
/** A verb for each thing that is asked first: the API's address, one's own identity, nodes, logs, parameters. */
const FIRST: [words: string[]][] = [
  [['status']],
  [['wake']],
  [['bootstrap']],
  [['runs', 'join-node']],
  [['snapshot', '--list']],
  [['diagnostics']],
  [['logs', 'wake']],
  [['kubeconfig']],
];

describe.each(FAULTS)('with %s', (_name, fault, said) => {
  test.each(FIRST)('drowse %j says so, and what to do', async (words) => {
    delete process.env.DROWSE_API_URL;
    const error = Object.assign(new Error(fault.message), fault);
    for (const client of [sts, sfn, ssm, ec2, s3, logs, stacks]) client.rejects(error);
    sts.on(GetCallerIdentityCommand).rejects(error);
    sfn.on(StartExecutionCommand).rejects(error);
    const { code, err } = await drowse(...words, ...CONFIG);
    // Of logs, from which group comes first.
    const lines = err.trim().split('\n').slice(-2);
    expect([code, lines.join('\n')]).toEqual([1, expect.stringMatching(said)]);
    expect(err).not.toMatch(/\bat .*\.ts:/);
  });
});

describe('a cluster that is not deployed', () => {
  const other = (name: string) => ({
    ...{ StackName: `${name}-operations`, CreationTime: NOW, StackStatus: 'CREATE_COMPLETE' as const },
    Tags: [{ Key: 'drowse:cluster', Value: name }],
  });
  beforeEach(() => {
    delete process.env.DROWSE_API_URL;
    const missing = Object.assign(new Error('Stack with id x does not exist'), { name: 'ValidationError' });
    stacks.on(DescribeStacksCommand).resolves({ Stacks: [other('research'), other('demo')] });
    stacks.on(DescribeStacksCommand, { StackName: 'office-operations' }).rejects(missing);
  });

  test('is told from the others of the account, which are named', async () => {
    const { code, err } = await drowse('status', ...CONFIG);
    expect({ code, err }).toMatchSnapshot();
  });

  test('the others are only a help', async () => {
    stacks.on(DescribeStacksCommand, {}).rejects(Object.assign(new Error('no'), { name: 'AccessDenied' }));
    stacks
      .on(DescribeStacksCommand, { StackName: 'office-operations' })
      .rejects(Object.assign(new Error('none'), { name: 'ValidationError' }));
    expect((await drowse('wake', ...CONFIG)).err).toMatch(/is not deployed: it has no API\nCheck the cluster/);
  });

  test('has no nodes, and no certificate', async () => {
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [] });
    ssm.on(GetParameterCommand).rejects(Object.assign(new Error('no'), { name: 'ParameterNotFound' }));
    expect((await drowse('diagnostics', ...CONFIG)).err).toMatch(
      /office-hours.yaml, has no node: it is asleep, or not/,
    );
    expect(await drowse('kubeconfig', ...CONFIG)).toMatchObject({ code: 1 });
  });
});

test('the API of another cluster is not taken for the one that is meant', async () => {
  status({ ...recorded.AWAKE, cluster: 'research' });
  const { code, err } = await drowse('status', ...CONFIG);
  expect([code, err]).toEqual([1, expect.stringMatching(/is the API of cluster research, and not of cluster office/)]);
});

test.each([
  ['us-est-1', /^--region us-est-1: no region where drowse runs \(list of \d{4}-.*\nDid you mean us-east-1\?\n$/],
  ['mars', /^--region mars: .*\nThere are af-south-1, /],
])('no region %s is wrong use, and nobody is asked', async (region, said) => {
  expect(await drowse('wake', '--region', region, ...CONFIG)).toEqual({
    ...{ code: 2, out: '', err: expect.stringMatching(said) as string },
  });
  expect(api.asked).toEqual([]);
});
