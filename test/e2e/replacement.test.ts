import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DescribeVolumesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { DescribeTargetGroupsCommand, DescribeTargetHealthCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import { DescribeExecutionCommand, ListExecutionsCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { parseConfig } from '../../lib/config/load';
import { namesOf, TAG } from '../../lib/config/names';
import { type AwsClients, awsClients, checkAwake, type Snapshot, takeSnapshot } from '../../local/run/checks';
import { ACCOUNT } from '../../local/run/environment';
import type { Emulator } from '../../local/run/emulator';
import { forget, leftBy, type LocalRun, runLocal, startOwnEmulator } from './run-local';

const REGION = 'us-east-1';
const names = namesOf('drowse');
/** Bound of everything that happens by itself in the embedded AWS (ms). */
const PATIENCE = 60_000;

jest.setTimeout(90_000);

/** One cluster, with IAM enforced on every call: each case finds it awake and leaves it so, in any order. */
describe('a cluster that loses what it is made of', () => {
  let emulator: Emulator;
  let run: LocalRun;
  let aws: AwsClients;

  beforeAll(async () => {
    emulator = await startOwnEmulator(true);
    aws = awsClients({ endpoint: emulator.endpoint, region: REGION });
    run = runLocal(['up', '--auth'], { DROWSE_ENDPOINT: emulator.endpoint });
    const { code, stderr } = await run.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }, 240_000);
  afterAll(async () => {
    await emulator.stop();
    expect(leftBy(run)).toEqual([]);
    forget(run);
  });

  it('brings back a control-plane seat by itself, and nodes join it', async () => {
    const dead = await nodeOf('seat');
    await aws.ec2.send(new TerminateInstancesCommand({ InstanceIds: [dead] }));
    await until('another seat is ready', async () => ![undefined, dead].includes(await readyNodeOf('seat')));
    await until('the API’s target is healthy', async () => (await targetStates()).includes('healthy'));
    await until('the loss is on record', async () => (await eventOf(dead))?.role === 'seat');

    const node = await nodeOf('pool');
    await aws.ec2.send(new TerminateInstancesCommand({ InstanceIds: [node] }));
    await until('another node is ready', async () => ![undefined, node].includes(await readyNodeOf('pool')));
    await until('the group has it', async () => (await failedChecks()).length === 0);
    expect(await eventOf(node)).toMatchObject({ what: 'terminated', pool: 'gpu' });
    await until('every handling has ended well', async () =>
      (await handled()).every((status) => status === 'SUCCEEDED'),
    );
  });

  it('hears of a Spot warning before the node goes', async () => {
    const node = await nodeOf('pool');
    const body = JSON.stringify({ interrupt: { group: names.poolGroup('gpu') } });
    await fetch(`${emulator.endpoint}/_drowse/faults`, { method: 'POST', body });
    await until('the warning is on record', async () => (await eventOf(node))?.what === 'interrupted');
    await until('another node is ready', async () => ![undefined, node].includes(await readyNodeOf('pool')));
    await until('the group has it', async () => (await failedChecks()).length === 0);
  });

  it('is rebuilt from its own snapshot when the state volume is lost', async () => {
    const saved = await execute('snapshot-etcd', {});
    expect(saved).toMatchObject({
      status: 'SUCCEEDED',
      output: { snapshot: { revision: expect.any(Number) as number } },
    });
    const { key } = (saved.output as { snapshot: { key: string } }).snapshot;
    expect((await record()).snapshot).toMatchObject({ key });
    expect(await execute('restore-etcd', {})).toMatchObject({
      status: 'SUCCEEDED',
      output: { restored: { key, dryRun: true, replaced: 'nothing' } },
    });
    const real = { key, dryRun: false, confirm: 'drowse' };
    expect(await execute('restore-etcd', real)).toMatchObject({ status: 'FAILED', error: 'RestoreRefused' });

    const before = (await handled()).length;
    expect((await execute('sleep', { requestedBy: 'test' })).status).toBe('SUCCEEDED');
    expect(await handled()).toHaveLength(before);
    await blankStateVolume();
    expect((await execute('wake', { requestedBy: 'test' })).status).toBe('FAILED');
    expect(await execute('restore-etcd', real)).toMatchObject({
      status: 'SUCCEEDED',
      output: { restored: { key, dryRun: false, replaced: 'the blank state volume of seat 0' } },
    });
    expect((await execute('wake', { requestedBy: 'test' })).status).toBe('SUCCEEDED');
    await until('everything is back', async () => (await failedChecks()).length === 0);
  });

  async function execute(workflow: string, input: object) {
    const stateMachineArn = machine(workflow);
    const started = new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) });
    const { executionArn } = await aws.stepFunctions.send(started);
    const ended = () => aws.stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
    await until(`${workflow} ends`, async () => (await ended()).status !== 'RUNNING');
    const { status, error, cause, output } = await ended();
    return { status, error, cause, output: output === undefined ? undefined : (JSON.parse(output) as object) };
  }

  /** Status of each loss that was handled, or is being. */
  async function handled(): Promise<string[]> {
    const { executions = [] } = await aws.stepFunctions.send(
      new ListExecutionsCommand({ stateMachineArn: machine('handle-node-loss') }),
    );
    return executions.map(({ status = '' }) => status);
  }

  async function failedChecks(): Promise<unknown[]> {
    const now = await snapshot();
    return checkAwake('now', parseConfig(''), now, now.elasticIps[0]?.address ?? 'none').filter(
      // The platform was not installed again for one node.
      ({ ok, what }) => !ok && !what.startsWith('platform installed'),
    );
  }

  function snapshot(): Promise<Snapshot> {
    return takeSnapshot(aws, 'drowse');
  }

  async function readyNodeOf(role: string): Promise<string | undefined> {
    const { instances } = await snapshot();
    return instances.find((one) => one.role === role && one.state === 'running' && one.phase === 'ready')?.id;
  }

  async function nodeOf(role: string): Promise<string> {
    const found = await readyNodeOf(role);
    if (found === undefined) throw new Error(`no ${role} is ready`);
    return found;
  }

  async function item(id: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await aws.dynamo.send(
      new GetCommand({ TableName: names.table, Key: { id }, ConsistentRead: true }),
    );
    return Item;
  }

  const eventOf = (instance: string) => item(`event#node#${instance}`);
  const record = async () => (await item('cluster')) ?? {};

  async function targetStates(): Promise<string[]> {
    const named = new DescribeTargetGroupsCommand({ Names: [names.apiLoadBalancer] });
    const { TargetGroups = [] } = await aws.loadBalancing.send(named);
    const { TargetGroupArn } = TargetGroups[0] ?? {};
    const { TargetHealthDescriptions = [] } = await aws.loadBalancing.send(
      new DescribeTargetHealthCommand({ TargetGroupArn }),
    );
    return TargetHealthDescriptions.map(({ TargetHealth }) => TargetHealth?.State ?? '');
  }

  /** Another volume in the place of the seat's: same tags, nothing on it. */
  async function blankStateVolume(): Promise<void> {
    const Filters = [{ Name: `tag:${TAG.seat}`, Values: ['0'] }];
    const { Volumes = [] } = await aws.ec2.send(new DescribeVolumesCommand({ Filters }));
    const { VolumeId, AvailabilityZone, Size, Tags = [] } = Volumes[0] ?? {};
    await aws.ec2.send(new DeleteVolumeCommand({ VolumeId }));
    const kept = Tags.filter(({ Key = '' }) => !Key.startsWith('aws:') && Key !== 'drowse:initialised');
    const TagSpecifications = [{ ResourceType: 'volume' as const, Tags: kept }];
    await aws.ec2.send(new CreateVolumeCommand({ AvailabilityZone, Size, TagSpecifications }));
  }
});

function machine(workflow: string): string {
  return `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${names.workflow(workflow)}`;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const start = Date.now();
  while (!(await holds())) {
    if (Date.now() - start > PATIENCE) throw new Error(`Not within ${String(PATIENCE / 1000)} s: ${what}`);
    await sleep(200);
  }
}
