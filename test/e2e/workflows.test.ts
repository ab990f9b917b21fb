import { setTimeout as sleep } from 'node:timers/promises';
import { CreateOrUpdateTagsCommand, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import { DescribeInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import {
  DeleteRolePolicyCommand,
  GetRolePolicyCommand,
  IAMClient,
  ListRolePoliciesCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { parseConfig } from '../../lib/config/load';
import { namesOf, TAG } from '../../lib/config/names';
import { type AwsClients, awsClients, checkAwake, type Snapshot, takeSnapshot } from '../../local/run/checks';
import { ACCOUNT } from '../../local/run/environment';
import type { Emulator } from '../../local/run/emulator';
import { runWorkflow, type WorkflowRun } from '../../local/run/workflow';
import { forget, leftBy, type LocalRun, runLocal, startOwnEmulator } from './run-local';

const REGION = 'us-east-1';
const names = namesOf('drowse');
/** Bound of everything that happens by itself in the embedded AWS (ms). */
const PATIENCE = 60_000;

jest.setTimeout(90_000);

/** One cluster, deployed once, with IAM enforced on every call: each case finds it awake and leaves it so, in any order. */
describe('a cluster that things happen to', () => {
  let emulator: Emulator;
  let run: LocalRun;
  let aws: AwsClients;

  beforeAll(async () => {
    emulator = await startOwnEmulator(true);
    aws = awsClients({ endpoint: emulator.endpoint, region: REGION });
    run = runLocal(['up', '--auth'], { DROWSE_ENDPOINT: emulator.endpoint });
    const { code, stderr } = await run.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await expectAwake();
  }, 240_000);
  afterAll(async () => {
    await emulator.stop();
    expect(leftBy(run)).toEqual([]);
    forget(run);
  });

  it('wakes from a sleep that somebody stopped in the middle', async () => {
    const { executionArn } = await aws.stepFunctions.send(
      new StartExecutionCommand({ stateMachineArn: machine('sleep'), input: '{"requestedBy":"somebody"}' }),
    );
    await until('the pools are on their way down', async () => (await pool()).desired === 0);
    await aws.stepFunctions.send(new StopExecutionCommand({ executionArn }));
    expect((await start('wake')).status).toBe('SUCCEEDED');
    await expectAwake();
  });

  it('gives up a node that never joins, and takes the next', async () => {
    await fault({ neverJoins: { group: names.poolGroup('gpu') } });
    const [lost] = await nodes();
    await aws.ec2.send(new TerminateInstancesCommand({ InstanceIds: [lost!] }));
    await until('a launch was given up', async () => (await executions('join-node', 'FAILED')).length > 0);
    await fault({ clear: true });
    const failed = (await executions('join-node', 'FAILED'))[0]!;
    const { error } = await aws.stepFunctions.send(new DescribeExecutionCommand({ executionArn: failed }));
    expect(error).toBe('NodeNotReady');
    await until('the next node is in service', async () => (await pool()).inService === 1);
    expect(await nodes()).not.toContain(lost);
  });

  it('buys on demand where spot has nothing, and tries spot again the next time', async () => {
    await setMarket('spot-with-fallback');
    expect((await start('sleep')).status).toBe('SUCCEEDED');
    await fault({
      capacity: { group: names.poolGroup('gpu'), error: 'InsufficientInstanceCapacity', market: 'spot' },
    });
    expect((await start('wake')).status).toBe('SUCCEEDED');
    await expectAwake();
    expect(await markets()).toEqual(['on-demand']);
    expect((await start('sleep')).status).toBe('SUCCEEDED');
    await fault({ clear: true });
    expect((await start('wake')).status).toBe('SUCCEEDED');
    await expectAwake();
    expect(await markets()).toEqual(['spot']);
    await setMarket('spot');
  }, 180_000);

  it('names the call that a missing grant denies', async () => {
    const giveBack = await takeGrantsAway('record-sizes');
    const sleep = await start('sleep');
    expect(sleep.status).toBe('FAILED');
    expect(sleep.cause).toContain('RecordSizes');
    expect(sleep.cause).toMatch(/not authorized to perform: dynamodb:UpdateItem/);
    await giveBack();
    expect((await start('wake')).status).toBe('SUCCEEDED');
    await expectAwake();
  });

  async function start(workflow: string): Promise<WorkflowRun> {
    return runWorkflow(aws.stepFunctions, machine(workflow), workflow, () => undefined, new AbortController().signal);
  }

  async function expectAwake(): Promise<void> {
    const now = await snapshot();
    const checks = checkAwake('now', parseConfig(''), now, now.elasticIps[0]?.address ?? 'none');
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
  }

  function snapshot(): Promise<Snapshot> {
    return takeSnapshot(aws, 'drowse');
  }

  async function pool(): Promise<{ desired: number; inService: number }> {
    const AutoScalingGroupNames = [names.poolGroup('gpu')];
    const found = await aws.autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames }));
    const { DesiredCapacity = 0, Instances = [] } = found.AutoScalingGroups![0]!;
    return {
      desired: DesiredCapacity,
      inService: Instances.filter(({ LifecycleState }) => LifecycleState === 'InService').length,
    };
  }

  async function nodes(): Promise<string[]> {
    const { instances } = await snapshot();
    return instances.filter(({ pool, state }) => pool === 'gpu' && state === 'running').map(({ id }) => id);
  }

  /** As another `market` of the pool in cluster.yaml would: the workflows go by the tag. */
  async function setMarket(Value: string): Promise<void> {
    const group = { ResourceId: names.poolGroup('gpu'), ResourceType: 'auto-scaling-group', PropagateAtLaunch: false };
    await aws.autoScaling.send(new CreateOrUpdateTagsCommand({ Tags: [{ ...group, Key: TAG.market, Value }] }));
  }

  /** How the pool's running nodes were bought. */
  async function markets(): Promise<string[]> {
    const { Reservations = [] } = await aws.ec2.send(new DescribeInstancesCommand({ InstanceIds: await nodes() }));
    return Reservations.flatMap(({ Instances = [] }) => Instances.map((one) => one.InstanceLifecycle ?? 'on-demand'));
  }

  async function executions(workflow: string, statusFilter: 'FAILED'): Promise<string[]> {
    const wanted = { stateMachineArn: machine(workflow), statusFilter };
    const { executions = [] } = await aws.stepFunctions.send(new ListExecutionsCommand(wanted));
    return executions.map(({ executionArn = '' }) => executionArn);
  }

  /** Sets or clears faults of the embedded AWS (local/aws/drowse_aws/faults.py). */
  async function fault(body: object): Promise<void> {
    const answer = await fetch(`${emulator.endpoint}/_drowse/faults`, { method: 'POST', body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
  }

  /** Deletes every inline policy of a step's role; what it answers brings them back. */
  async function takeGrantsAway(step: string): Promise<() => Promise<void>> {
    const config = { endpoint: emulator.endpoint, region: REGION };
    const credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'local' };
    const lambda = new LambdaClient({ ...config, credentials });
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: names.step(step) }));
    const RoleName = Configuration?.Role?.split('/').at(-1);
    const iam = new IAMClient({ ...config, credentials });
    const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
    expect(PolicyNames).not.toEqual([]);
    const policies = await Promise.all(
      PolicyNames.map((PolicyName) => iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))),
    );
    for (const PolicyName of PolicyNames) await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
    return async () => {
      for (const { PolicyName, PolicyDocument = '' } of policies) {
        const document = decodeURIComponent(PolicyDocument);
        await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: document }));
      }
    };
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
