import { DescribeAutoScalingGroupsCommand, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { DescribeAddressesCommand, DisassociateAddressCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { type ClusterRecord, recordOf } from '../../core/record/cluster-record';
import { type Cluster, CREDENTIALS, machine, names, REGION, until } from './cluster';

/** So long ago it was, where the test makes time pass (ms): longer than anything that look-after waits for. */
const LONG_AGO_MS = 10 * 60_000;

/** What no event tells of, or nobody is left to put right: look-after finds it. */
export function care(cluster: Cluster): void {
  describe('a cluster that is looked after', () => {
    it('goes to sleep after all where somebody stopped the sleep', async () => {
      await stopAtWork('sleep', async () => (await sizeOf(names.poolGroup('gpu'))) === 0);
      await look();
      expect(await record()).toMatchObject({ state: 'sleep-failed', failure: { error: 'ExecutionAborted' } });
      await timePasses('failure', 'at');
      await look();
      await until('the cluster is asleep', isAsleep);
      expect((await cluster.execute('wake')).status).toBe('SUCCEEDED');
      await cluster.expectAwake();
    });

    it('sleeps again where somebody starts something while it sleeps', async () => {
      expect((await cluster.execute('sleep')).status).toBe('SUCCEEDED');
      await timePasses('since');
      const AutoScalingGroupName = names.poolGroup('gpu');
      await cluster.aws.autoScaling.send(
        new UpdateAutoScalingGroupCommand({ AutoScalingGroupName, MaxSize: 1, DesiredCapacity: 1 }),
      );
      await until('a node runs', async () => (await running()).length > 0);
      await look();
      await until(
        'the pool is shut again',
        async () => (await isAsleep()) && (await sizeOf(AutoScalingGroupName)) === 0,
      );
      expect(await running()).toEqual([]);
      expect((await cluster.execute('wake')).status).toBe('SUCCEEDED');
      await cluster.expectAwake();
    });

    it.each(['wake', 'bootstrap'])('wakes after all where somebody stopped the %s', async (workflow) => {
      await stopAtWork(workflow, async () => (await running()).length > 0);
      await look();
      expect(await record()).toMatchObject({ state: 'wake-failed', failure: { error: 'ExecutionAborted', workflow } });
      await timePasses('failure', 'at');
      await look();
      await until('the cluster is awake', async () => {
        const { state, lease } = await record();
        return state === 'awake' && lease === undefined;
      });
      await cluster.expectAwake();
    });

    it('gives the cluster back that a stopped install-platform held', async () => {
      await cluster.fault({ command: { document: 'reconcile-platform', error: 'PlatformNotReady', times: 9 } });
      await stopAtWork('install-platform', () => Promise.resolve(true));
      await cluster.fault({ clear: true });
      await look();
      expect(await record()).not.toHaveProperty('lease');
      await cluster.recovers();
    });

    it('gives up a launch whose join-node was stopped, and takes the next', async () => {
      const group = names.poolGroup('gpu');
      const before = await joins();
      await cluster.fault({ neverJoins: { group } });
      const [node = ''] = (await running()).filter(({ pool }) => pool === 'gpu').map(({ id }) => id);
      await cluster.aws.ec2.send(new TerminateInstancesCommand({ InstanceIds: [node] }));
      let executionArn: string | undefined;
      await until('a node joins', async () => {
        executionArn = (await joins()).find((arn) => !before.includes(arn));
        return executionArn !== undefined;
      });
      await cluster.aws.stepFunctions.send(new StopExecutionCommand({ executionArn }));
      await cluster.fault({ clear: true, hang: { group, phase: 'waiting-for-token', minutes: 6 } });
      await look();
      await cluster.recovers();
    });

    it('replaces a seat that hangs', async () => {
      const [seat = ''] = (await running()).filter(({ role }) => role === 'seat').map(({ id }) => id);
      await cluster.fault({ hang: { group: names.seatGroup(0), phase: 'control-plane', minutes: 8 } });
      await look();
      await until('the seat is gone', async () => (await running()).every(({ id }) => id !== seat));
      await cluster.recovers();
    });

    it('puts the Elastic IP back that somebody took away', async () => {
      const address = async () => (await cluster.aws.ec2.send(new DescribeAddressesCommand({}))).Addresses![0]!;
      const { AssociationId, InstanceId } = await address();
      expect(AssociationId).toBeDefined();
      await cluster.aws.ec2.send(new DisassociateAddressCommand({ AssociationId }));
      await look();
      expect(await address()).toMatchObject({ InstanceId });
    });
  });

  /** One look, as the schedule has it. */
  async function look(): Promise<void> {
    const lambda = new LambdaClient({ endpoint: cluster.endpoint, region: REGION, credentials: CREDENTIALS });
    const Payload = JSON.stringify({ execution: 'test', full: true });
    const { FunctionError } = await lambda.send(new InvokeCommand({ FunctionName: names.step('look-after'), Payload }));
    expect(FunctionError).toBeUndefined();
  }

  /** Starts a workflow, and stops it once it has the cluster and is so far. */
  async function stopAtWork(workflow: string, isSoFar: () => Promise<boolean>): Promise<void> {
    const input = JSON.stringify({ requestedBy: 'somebody' });
    const started = new StartExecutionCommand({ stateMachineArn: machine(workflow), input });
    const { executionArn } = await cluster.aws.stepFunctions.send(started);
    await until(
      `${workflow} is at work`,
      async () => (await record()).lease?.owner === executionArn && (await isSoFar()),
    );
    await cluster.aws.stepFunctions.send(new StopExecutionCommand({ executionArn }));
  }

  async function record(): Promise<ClusterRecord> {
    const wanted = new GetCommand({ TableName: names.table, Key: { id: 'cluster' }, ConsistentRead: true });
    return recordOf((await cluster.aws.dynamo.send(wanted)).Item);
  }

  /** The time that the record says there was long ago. */
  async function timePasses(...path: string[]): Promise<void> {
    await cluster.aws.dynamo.send(
      new UpdateCommand({
        TableName: names.table,
        Key: { id: 'cluster' },
        UpdateExpression: `SET ${path.map((name) => `#${name}`).join('.')} = :at`,
        ExpressionAttributeNames: Object.fromEntries(path.map((name) => [`#${name}`, name])),
        ExpressionAttributeValues: { ':at': new Date(Date.now() - LONG_AGO_MS).toISOString() },
      }),
    );
  }

  async function isAsleep(): Promise<boolean> {
    const { state, lease } = await record();
    return state === 'asleep' && lease === undefined;
  }

  async function running() {
    return (await cluster.snapshot()).instances.filter(({ state }) => state === 'running');
  }

  async function sizeOf(group: string): Promise<number | undefined> {
    const wanted = new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [group] });
    return (await cluster.aws.autoScaling.send(wanted)).AutoScalingGroups![0]!.DesiredCapacity;
  }

  /** Executions of join-node that run. */
  async function joins(): Promise<string[]> {
    return (await cluster.executions('join-node')).filter(({ status }) => status === 'RUNNING').map(({ arn }) => arn);
  }
}
