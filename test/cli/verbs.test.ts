import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import { GetCommandInvocationCommand, InvalidInstanceId, SendCommandCommand, SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { mockClient } from 'aws-sdk-client-mock';
import { describeLine } from '../../cli/drowse/verbs/logs';
import { answerOf, type Api, drowse, startApi } from './support';

const CONFIG = ['--config', path.join(__dirname, '..', 'e2e', 'cluster.yaml')];
const ARN = 'arn:aws:states:us-east-1:123456789012:execution:drowse-wake:one';

const sts = mockClient(STSClient);
const sfn = mockClient(SFNClient);
const ssm = mockClient(SSMClient);
const ec2 = mockClient(EC2Client);
const s3 = mockClient(S3Client);
const logs = mockClient(CloudWatchLogsClient);
const metadata = { $metadata: {}, message: '' };

beforeEach(() => {
  for (const client of [sts, sfn, ssm, ec2, s3, logs]) client.reset();
  sts
    .on(GetCallerIdentityCommand)
    .resolves({ Account: '123456789012', Arn: 'arn:aws:sts::123456789012:assumed-role/op/ada' });
});

/** A seat and a node of pool gpu. */
function awake(): void {
  const tag = (Key: string, Value: string) => ({ Key: `drowse:${Key}`, Value });
  const Instances = [
    { InstanceId: 'i-0a', Tags: [tag('role', 'seat'), tag('seat', '0'), tag('phase', 'ready')] },
    { InstanceId: 'i-0b', Tags: [tag('role', 'pool'), tag('pool', 'gpu'), tag('phase', 'ready')] },
  ].map((instance) => ({ ...instance, InstanceType: 't3.medium' as const, State: { Name: 'running' as const } }));
  ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances }] });
}

/** What a command on a node prints at its end. */
function nodeSays(line: object, Status = 'Success'): void {
  ssm.on(SendCommandCommand).resolves({ Command: { CommandId: 'c-1' } });
  ssm.on(GetCommandInvocationCommand).resolves({
    Status: Status as 'Success',
    StandardOutputContent: `some words\n${JSON.stringify(line)}\n`,
    StandardErrorContent: 'the last words',
  });
}

describe('runs', () => {
  const startDate = new Date('2026-11-20T07:00:00Z');
  const past = { startedAt: '2026-11-20T07:00:00.000Z', endedAt: '2026-11-20T07:02:30.000Z' };
  const RUNS = [
    { ...past, workflow: 'sleep', requestedBy: 'api:arn:aws:iam::1:user/ada', reason: 'lunch', outcome: 'succeeded' },
    { ...past, workflow: 'wake', requestedBy: 'schedule:office', outcome: 'failed', step: 'WaitForApi', error: 'Late' },
  ];
  let api: Api;
  const answers: Record<string, object> = {};
  beforeEach(async () => {
    answers['GET /runs'] = { runs: RUNS };
    api = await startApi(answers);
  });
  afterEach(() => api.close());

  test('says who asked and why, how long they took, and how they ended', async () => {
    const { code, out } = await drowse('runs', ...CONFIG);
    expect(code).toBe(0);
    expect(out).toMatch(/2026-11-20 07:00:00 UTC │ sleep +│ ada: lunch +│ 3 min │ succeeded/);
    expect(out).toMatch(/wake +│ schedule office │ 3 min │ failed at WaitForApi: Late/);
    expect(api.asked).toEqual([['GET /runs', '']]);
  });

  test('as JSON, of one workflow', async () => {
    const { answer } = await answerOf('runs', ...CONFIG, 'wake');
    expect(answer).toEqual([{ ...RUNS[1], seconds: 150 }]);
  });

  test('there may be none', async () => {
    answers['GET /runs'] = { runs: [] };
    expect((await drowse('runs', 'sleep', ...CONFIG)).out).toContain(
      'sleep has not ended in this month or the one before',
    );
  });

  describe('of a workflow that leaves no record', () => {
    const stateMachineArn = 'arn:aws:states:us-east-1:123456789012:stateMachine:drowse-join-node';

    test('come from Step Functions, with their cause', async () => {
      const executions = [{ executionArn: ARN, startDate, stateMachineArn, name: 'one', status: 'FAILED' as const }];
      sfn.on(ListExecutionsCommand, { stateMachineArn }).resolves({ executions });
      sfn.on(DescribeExecutionCommand).resolves({
        ...{ executionArn: ARN, stateMachineArn, status: 'FAILED', startDate, stopDate: new Date(past.endedAt) },
        ...{ input: '{}', error: 'NodeNotReady', cause: '{"errorMessage":"i-0b: none"}' },
      });
      expect((await drowse('runs', 'join-node', ...CONFIG)).out).toMatch(
        /failed: NodeNotReady[^]*join-node of 2026-11-20T07:00:00.000Z: i-0b: none/,
      );
      expect(await answerOf('runs', 'join-node', ...CONFIG)).toMatchObject({
        answer: [{ workflow: 'join-node', outcome: 'failed', seconds: 150, cause: 'i-0b: none', execution: ARN }],
      });
    });

    test('of a cluster that is not deployed', async () => {
      sfn.on(ListExecutionsCommand).rejects(new StateMachineDoesNotExist(metadata));
      const { code, err } = await drowse('runs', 'join-node', '--cluster', 'another', ...CONFIG);
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/^cluster another in us-east-1, as the options say, is not/),
      ]);
    });
  });

  test.each([
    [['runs', 'wakes'], /There is no workflow wakes/],
    [['runs', '--last', 'ten'], /--last ten/],
    [['runs', '--last', '51'], /--last 51/],
  ])('%j is wrong use', async (args, said) => {
    const { code, err } = await drowse(...args, ...CONFIG);
    expect([code, err]).toEqual([2, expect.stringMatching(said)]);
  });
});

describe('logs', () => {
  const event = (message: string) => ({
    eventId: message,
    timestamp: Date.parse('2026-11-20T07:00:00Z'),
    logStreamName: 's',
    message,
  });
  beforeEach(() => {
    logs.on(DescribeLogGroupsCommand).resolves({ logGroups: [{ logGroupName: '/aws/lambda/drowse-wait-for-api' }] });
    logs.on(FilterLogEventsCommand).resolves({ events: [event('first'), event('second')] });
    awake();
  });

  test.each([
    ['wake', { logGroupName: '/aws/vendedlogs/states/drowse-wake' }],
    ['wait-for-api', { logGroupName: '/aws/lambda/drowse-wait-for-api' }],
    ['WaitForApi', { logGroupName: '/aws/lambda/drowse-wait-for-api' }],
    ['api', { logGroupName: '/drowse/drowse/access' }],
    ['i-0123', { logGroupName: '/drowse/drowse/nodes', logStreamNames: ['i-0123'] }],
    ['seat-0', { logGroupName: '/drowse/drowse/nodes', logStreamNames: ['i-0a'] }],
    ['gpu', { logGroupName: '/drowse/drowse/nodes', logStreamNames: ['i-0b'] }],
  ])('of %s', async (name, source) => {
    const { code, out } = await drowse('logs', name, ...CONFIG);
    expect([code, out]).toEqual([0, '2026-11-20T07:00:00.000Z first\n2026-11-20T07:00:00.000Z second\n']);
    expect(logs.commandCalls(FilterLogEventsCommand)[0]?.args[0].input).toMatchObject(source);
  });

  test('as JSON, no more than asked for', async () => {
    expect(await answerOf('logs', 'wake', '--last', '1', ...CONFIG)).toMatchObject({ answer: [{ message: 'second' }] });
  });

  test('of what has not logged yet', async () => {
    logs.on(FilterLogEventsCommand).rejects(new ResourceNotFoundException(metadata));
    const { code, err } = await drowse('logs', 'wake', ...CONFIG);
    expect([code, err]).toEqual([0, expect.stringContaining('Nothing was logged in the last 1h.')]);
  });

  test.each([
    [['logs', 'nothing'], /Nothing called nothing logs\n.*wait-for-api/],
    [['logs', 'wake', '--since', 'yesterday'], /--since yesterday/],
  ])('%j is wrong use', async (args, said) => {
    const { code, err } = await drowse(...args, ...CONFIG);
    expect([code, err]).toEqual([2, expect.stringMatching(said)]);
  });

  test.each([
    ['plain words', 'plain words'],
    ['{"level":"INFO","message":"Step done","service":"s","result":{"n":1}}', 'INFO Step done {"result":{"n":1}}'],
    ['{"level":"WARN","message":"Not","error":{"name":"A","message":"b","stack":"c"}}', 'WARN Not A: b'],
    ['{"type":"TaskStateEntered","details":{"name":"WaitForApi"}}', 'TaskStateEntered WaitForApi'],
    ['{"type":"ExecutionFailed","details":{"error":"A","cause":"b"}}', 'ExecutionFailed A b'],
  ])('a line %s', (message, shown) => {
    expect(describeLine(message)).toBe(shown);
  });
});

describe('snapshot and restore', () => {
  const ended = (output: object | undefined, more: object = {}) =>
    sfn.on(DescribeExecutionCommand).resolves({
      ...{ executionArn: ARN, stateMachineArn: '', status: 'SUCCEEDED', startDate: new Date(0) },
      ...(output && { output: JSON.stringify(output) }),
      ...more,
    });
  const started = () => JSON.parse(sfn.commandCalls(StartExecutionCommand)[0]?.args[0].input.input ?? '{}') as object;
  beforeEach(() => {
    sfn.on(StartExecutionCommand).resolves({ executionArn: ARN, startDate: new Date(0) });
    const at = (id: number, type: 'TaskStateEntered' | 'TaskStateExited') => ({
      ...{ id, type, timestamp: new Date(id * 1000) },
      [type === 'TaskStateEntered' ? 'stateEnteredEventDetails' : 'stateExitedEventDetails']: { name: 'SnapshotEtcd' },
    });
    sfn.on(GetExecutionHistoryCommand).resolves({ events: [at(1, 'TaskStateEntered'), at(4, 'TaskStateExited')] });
  });

  test('a snapshot, with its steps and where it lies', async () => {
    ended({ snapshot: { key: 'snapshots/x/etcd.db' } });
    const { code, out } = await drowse('snapshot', ...CONFIG);
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/· SnapshotEtcd 3 s\n.*✓ snapshot-etcd.*\n {2}snapshots\/x\/etcd\.db/),
    ]);
    expect(started()).toEqual({ requestedBy: 'cli:ada' });
  });

  test('as JSON', async () => {
    ended({ snapshot: { skipped: 'asleep' } });
    expect(await answerOf('snapshot', ...CONFIG)).toMatchObject({ answer: { status: 'SUCCEEDED', execution: ARN } });
  });

  test('a restore is a rehearsal, unless it is confirmed', async () => {
    ended({ restore: { key: 'k', at: 'then', dryRun: true } });
    expect((await drowse('restore', ...CONFIG)).out).toContain('a rehearsal: k of then could be restored');
    expect(started()).toEqual({ seat: 0, key: 'latest', dryRun: true, requestedBy: 'cli:ada' });
  });

  test('a restore that is confirmed', async () => {
    ended({ restore: { key: 'k', at: 'then', dryRun: false, replaces: 'the volume' } });
    expect(await answerOf('restore', '--confirm', 'drowse', '--seat', '2', '--key', 'k', ...CONFIG)).toMatchObject({
      code: 0,
    });
    expect(started()).toMatchObject({ seat: 2, key: 'k', dryRun: false, confirm: 'drowse' });
  });

  test.each([
    ['ClusterBusy', 3],
    ['RestoreRefused', 1],
  ])('one that ends as %s', async (error, exitCode) => {
    ended(undefined, { status: 'FAILED', error, cause: 'why' });
    const { code, err } = await drowse('restore', ...CONFIG);
    expect([code, err]).toEqual([
      exitCode,
      expect.stringMatching(`restore-etcd ended as FAILED: ${error}: why\ndocs/runbook`),
    ]);
  });

  test.each([[['--confirm', 'other']], [['--seat', '7']]])('%j is wrong use', async (args) => {
    expect(await drowse('restore', ...args, ...CONFIG)).toMatchObject({ code: 2 });
    expect(sfn.commandCalls(StartExecutionCommand)).toEqual([]);
  });

  test('what is in the bucket', async () => {
    const folder = 'snapshots/2026-11-20T06-00-00Z-sleep';
    s3.on(ListObjectsV2Command).resolves({
      Contents: [{ Key: `${folder}/etcd.db` }, { Key: `${folder}/manifest.json` }],
    });
    const answer = [{ key: `${folder}/etcd.db`, at: '2026-11-20T06:00:00.000Z', reason: 'sleep', whole: true }];
    expect(await answerOf('snapshot', '--list', ...CONFIG)).toEqual({ code: 0, answer });
    expect((await drowse('snapshot', '--list', ...CONFIG)).out).toContain(`${folder}/etcd.db`);
  });
});

describe('gpu-test', () => {
  const checks = [{ name: 'nodes-ready', ok: true, detail: '2 nodes' }];
  const gpu = (detail: string, ok = true) => [...checks, { name: 'nvidia-smi', ok, detail }];
  beforeEach(awake);

  test.each([
    ['passes', { ok: true, checks: gpu('GPU 0: T4'), nvidiaSmi: '\n\n| NVIDIA-SMI 580 |\n' }, 'Success', 0],
    ['finds no GPU', { ok: true, checks: gpu('not run: no node offers a GPU') }, 'Success', 4],
    ['fails', { ok: false, error: 'SmokeTestFailed', message: 'x', checks: gpu('none', false) }, 'Failed', 1],
  ])('%s', async (_, line, status, exitCode) => {
    nodeSays(line, status);
    const { code, out } = await drowse('gpu-test', ...CONFIG);
    expect([code, out]).toEqual([exitCode, expect.stringContaining('✓ nodes-ready: 2 nodes')]);
    expect(await answerOf('gpu-test', ...CONFIG)).toMatchObject({ answer: { ok: line.ok, checks: line.checks } });
    expect(ssm.commandCalls(SendCommandCommand)[0]?.args[0].input).toMatchObject({
      DocumentName: 'drowse-smoke-test',
      InstanceIds: ['i-0a'],
      Parameters: { Checks: ['gpu'] },
    });
  });

  test('prints all that nvidia-smi shows; with --all the whole of the cluster is tested', async () => {
    nodeSays({ ok: true, checks: gpu('T4'), nvidiaSmi: '\n\n| NVIDIA-SMI 580 |\n| GPU  Name |\n' }, 'Success');
    expect((await drowse('gpu-test', '--all', ...CONFIG)).out).toMatch(
      /T4\n\| NVIDIA-SMI 580 \|\n\| GPU {2}Name \|\n$/,
    );
    expect(ssm.commandCalls(SendCommandCommand)[0]?.args[0].input.Parameters?.Checks).toEqual(['all']);
  });

  test('tells what the script says that cannot do its work', async () => {
    nodeSays({ ok: false, error: 'ApiNotReady', message: 'no answer' }, 'Failed');
    const { code, err } = await drowse('gpu-test', ...CONFIG);
    expect([code, err]).toEqual([1, expect.stringMatching(/ApiNotReady: no answer\nthe last words\ndrowse logs i-0a/)]);
  });

  test('tells of an agent that is not there', async () => {
    ssm.on(SendCommandCommand).rejects(new InvalidInstanceId(metadata));
    const { code, err } = await drowse('gpu-test', ...CONFIG);
    expect([code, err]).toEqual([1, expect.stringContaining('The agent of Systems Manager on i-0a does not answer')]);
  });

  test('of a cluster that is asleep', async () => {
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [] });
    const { code, err } = await drowse('gpu-test', ...CONFIG);
    expect([code, err]).toEqual([1, expect.stringContaining('has no node: it is asleep')]);
  });
});

describe('diagnostics', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'drowse-diagnostics-'));
    awake();
    nodeSays({ ok: true, key: 'logs/x.tar.gz', bytes: 4 });
    s3.on(GetObjectCommand).callsFake(() => ({ Body: Readable.from(['pack']) }));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('brings home what each node packs', async () => {
    const { answer } = await answerOf('diagnostics', '--output', folder, ...CONFIG);
    expect(answer).toMatchObject([{ node: 'i-0a' }, { node: 'i-0b' }]);
    expect(readFileSync(path.join(folder, 'i-0b.tar.gz'), 'utf8')).toBe('pack');
  });

  test('is degraded where one cannot', async () => {
    ssm.on(SendCommandCommand, { InstanceIds: ['i-0a'] }).rejects(new InvalidInstanceId(metadata));
    const { code, out } = await drowse('diagnostics', '--output', folder, ...CONFIG);
    expect([code, out]).toEqual([4, expect.stringMatching(/✗ i-0a .*\n.*\n.*✓ i-0b/)]);
  });

  test('fails where none can', async () => {
    ssm.on(SendCommandCommand).rejects(new InvalidInstanceId(metadata));
    expect(await drowse('diagnostics', 'gpu', '--output', folder, ...CONFIG)).toMatchObject({ code: 1 });
  });

  test('names the nodes to one who names another', async () => {
    const { code, err } = await drowse('diagnostics', 'cpu', ...CONFIG);
    expect([code, err]).toEqual([2, 'There is no node cpu\nThere are i-0a (seat-0), i-0b (gpu).\n']);
  });
});
