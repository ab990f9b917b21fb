import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeInstancesCommand, RunInstancesCommand } from '@aws-sdk/client-ec2';
import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { throttling } from '../../sim/aws/errors';
import { inVirtualTime, NothingLeftToHappen, seconds } from '../../sim/virtual-time';
import { live, liveAwake, THREE_POOLS } from '../lambdas/support';

describe('virtual time', () => {
  test('goes as fast as it can, and gives real time back', async () => {
    const before = Date.now();
    const passed = await inVirtualTime(async () => {
      const start = Date.now();
      await Promise.all([seconds(3600), seconds(7200)]);
      return Date.now() - start;
    });
    expect(passed).toBe(7_200_000);
    expect(Date.now() - before).toBeLessThan(2000);
  });

  test('says so when nothing is left to happen', async () => {
    await expect(inVirtualTime(() => new Promise(() => undefined))).rejects.toThrow(NothingLeftToHappen);
    expect(new Date().getUTCFullYear()).toBeGreaterThan(2000);
  });

  test('passes on what is thrown', async () => {
    await expect(inVirtualTime(() => seconds(1).then(() => Promise.reject(new Error('x'))))).rejects.toThrow('x');
  });
});

describe('a call', () => {
  test('takes time, is recorded with its caller, and can be made to fail or to hang', () =>
    live('', async ({ model }) => {
      const { ec2 } = model.clients('somebody');
      const start = Date.now();
      await ec2.send(new DescribeInstancesCommand({}));
      expect(Date.now()).toBeGreaterThan(start);
      expect(model.calls.all).toEqual([
        { caller: 'somebody', service: 'ec2', action: 'DescribeInstances', input: {}, at: '2026-11-20T08:00:00.000Z' },
      ]);
      model.faults.add({ caller: 'somebody', action: 'DescribeInstances', times: 1, with: throttling });
      await expect(model.clients('nobody').ec2.send(new DescribeInstancesCommand({}))).resolves.toBeDefined();
      await expect(ec2.send(new DescribeInstancesCommand({}))).rejects.toMatchObject({ name: 'ThrottlingException' });
      await expect(ec2.send(new DescribeInstancesCommand({}))).resolves.toBeDefined();
      model.faults.add({ with: 'hang' });
      const hung = await Promise.race([ec2.send(new DescribeInstancesCommand({})), seconds(999)]);
      expect(hung).toBeUndefined();
    }));

  test('goes to a file on request, for a comparison with what the roles grant', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drowse-calls-'));
    const file = join(folder, 'calls.jsonl');
    process.env.DROWSE_CALLS_FILE = file;
    try {
      await live('', ({ model }) => model.clients('x').ec2.send(new DescribeInstancesCommand({})));
      expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ caller: 'x', action: 'DescribeInstances' });
    } finally {
      delete process.env.DROWSE_CALLS_FILE;
      rmSync(folder, { recursive: true });
    }
  });

  test('that nobody modelled is an error, not a success', () =>
    live('', async ({ model }) => {
      const command = new RunInstancesCommand({ MinCount: 1, MaxCount: 1 });
      await expect(model.clients('x').ec2.send(command)).rejects.toThrow('does not know RunInstances');
      const filters = { Filters: [{ Name: 'vpc-id', Values: ['x'] }] };
      await model.clients('x').ec2.send(new DescribeInstancesCommand(filters));
      model.ec2.launch({});
      await expect(model.clients('x').ec2.send(new DescribeInstancesCommand(filters))).rejects.toThrow('vpc-id');
    }));
});

describe('the table', () => {
  test('fails a condition as the SDK does, and refuses values that nothing uses', () =>
    live('', async ({ model }) => {
      const { dynamo } = model.clients('x');
      const Key = { id: 'cluster' };
      const put = new PutCommand({
        TableName: 'drowse-drowse',
        Item: Key,
        ConditionExpression: 'attribute_not_exists(id)',
      });
      await dynamo.send(put);
      await expect(dynamo.send(put)).rejects.toMatchObject({ name: 'ConditionalCheckFailedException' });
      const unused = { ExpressionAttributeValues: { ':a': 1, ':b': 2 } };
      await expect(
        dynamo.send(new UpdateCommand({ TableName: 'drowse-drowse', Key, UpdateExpression: 'SET a = :a', ...unused })),
      ).rejects.toThrow('unused');
      await expect(dynamo.send(new PutCommand({ TableName: 'other', Item: Key }))).rejects.toMatchObject({
        name: 'ResourceNotFoundException',
      });
    }));
});

describe('Auto Scaling', () => {
  test('replaces an instance that is terminated behind its back, and the new one joins', () =>
    liveAwake('', async ({ model, workflows }) => {
      model.ec2.terminate('i-00000000000000002');
      await seconds(300);
      const { lifecycle } = model.autoScaling.get('drowse-pool-gpu');
      expect([...lifecycle]).toEqual([['i-00000000000000003', 'InService']]);
      expect(workflows.of('join-node').map(({ status }) => status)).toEqual(['SUCCEEDED', 'SUCCEEDED']);
      expect(model.ec2.address!.instanceId).toBe('i-00000000000000003');
    }));

  test('gives up a launch whose hook nobody answers', () =>
    live('', async ({ model }) => {
      model.autoScaling.onLaunch = () => undefined;
      const group = model.autoScaling.get('drowse-pool-gpu');
      model.autoScaling.resize(group, 0, 1, 1);
      await seconds(1790);
      expect([...group.lifecycle.values()]).toEqual(['Pending:Wait']);
      await seconds(100);
      expect(model.ec2.get('i-00000000000000001').state).toBe('terminated');
    }));

  test('refuses sizes that make no sense', () =>
    live('', async ({ model }) => {
      await seconds(1);
      const group = model.autoScaling.get('drowse-pool-gpu');
      expect(() => model.autoScaling.resize(group, 2, 1, 3)).toThrow('between the specified min and max');
    }));

  test('says why it cannot launch, and launches once it can', () =>
    live('', async ({ model }) => {
      const group = model.autoScaling.get('drowse-pool-gpu');
      group.noCapacity = 'no g4dn.xlarge';
      model.autoScaling.resize(group, 0, 1, 1);
      await seconds(70);
      expect(group.activities.map(({ StatusMessage }) => StatusMessage)).toEqual(['no g4dn.xlarge', 'no g4dn.xlarge']);
      group.noCapacity = undefined;
      await seconds(70);
      expect(group.lifecycle.size).toBe(1);
    }));
});

test('the same life goes the same way twice', async () => {
  const record = () =>
    live(THREE_POOLS, async (twin) => {
      for (const workflow of ['bootstrap', 'sleep', 'wake']) await twin.run(workflow);
      // But for what tells apart two writers.
      return JSON.stringify(twin.model.calls.all).replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, 'uuid');
    });
  expect(await record()).toBe(await record());
});

test('an execution name is used once', () =>
  live('', async ({ model, workflows }) => {
    const sfn = model.clients('x').stepFunctions;
    const stateMachineArn = 'arn:aws:states:us-east-1:123456789012:stateMachine:drowse-wake';
    const start = new StartExecutionCommand({ stateMachineArn, name: 'once', input: '{}' });
    const first = await sfn.send(start);
    expect(await sfn.send(start)).toEqual(first);
    await workflows.of('wake')[0]!.over;
    await expect(sfn.send(start)).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    const unknown = { stateMachineArn: stateMachineArn.replace('wake', 'dance') };
    await expect(sfn.send(new StartExecutionCommand(unknown))).rejects.toMatchObject({
      name: 'StateMachineDoesNotExist',
    });
  }));

describe('control-plane seats', () => {
  const THREE_SEATS = 'controlPlane: { seats: 3 }';
  const seats = (twin: Parameters<Parameters<typeof live>[1]>[0]) =>
    twin.model.ec2.in('running').filter(({ tags }) => tags['drowse:role'] === 'seat');

  test('answer while more than half of etcd’s members run, and not otherwise', () =>
    liveAwake(THREE_SEATS, async (twin) => {
      const { autoScaling, ec2, etcd } = twin.model;
      for (const group of autoScaling.groups.values()) group.stalled = true;
      ec2.terminate(seats(twin)[0]!.id);
      await seconds(1);
      expect(etcd.hasQuorum()).toBe(true);
      ec2.terminate(seats(twin)[0]!.id);
      expect([seats(twin).length, etcd.hasQuorum()]).toEqual([1, false]);
      const { result } = twin.model.ssm.documents.get('drowse-measure-activity')!({}, seats(twin)[0]!.id);
      expect(result).toMatchObject({ ok: false, error: 'ApiNotReady' });
    }));

  test('wait for their volume, and fail when it does not come', () =>
    liveAwake('', async (twin) => {
      const { ec2 } = twin.model;
      const [volume] = ec2.volumes;
      volume!.stuck = true;
      ec2.terminate(seats(twin)[0]!.id);
      await seconds(300);
      expect(seats(twin)[0]!.tags['drowse:phase']).toBe('control-plane');
      await seconds(600);
      expect(seats(twin)[0]!.tags['drowse:phase']).toBe('failed:volume-held');
      expect(volume).toMatchObject({ state: 'in-use' });
    }));
});

test('what the SDK tries again reaches nobody, unless it goes on', () =>
  live('', async ({ model }) => {
    const { ec2 } = model.clients('somebody');
    const fault = { action: 'DescribeInstances', with: throttling, eachAttempt: true };
    model.faults.add({ ...fault, times: 4 });
    const before = Date.now();
    await expect(ec2.send(new DescribeInstancesCommand({}))).resolves.toBeDefined();
    expect(Date.now() - before).toBe(100 + 200 + 400 + 800 + 5 * 40);
    model.faults.add({ ...fault, times: 5 });
    await expect(ec2.send(new DescribeInstancesCommand({}))).rejects.toMatchObject({ name: 'ThrottlingException' });
  }));

test('a function starts anew after a while, and an execution may run out of time', () =>
  live('', async (twin) => {
    const { workflows } = twin;
    workflows.coldStartMs = 5000;
    const first = await twin.run('snapshot-etcd', {});
    const again = await twin.run('snapshot-etcd', {});
    const took = ({ states }: typeof first) => states.reduce((sum, { seconds: one = 0 }) => sum + one, 0);
    expect(took(first) - took(again)).toBeGreaterThanOrEqual(5);
    const failed: string[] = [];
    workflows.onFailure = ({ workflow }) => failed.push(workflow);
    const bootstrap = workflows.start('bootstrap');
    await seconds(30);
    bootstrap.timeOut();
    expect([bootstrap.status, failed]).toEqual(['TIMED_OUT', ['bootstrap']]);
  }));
