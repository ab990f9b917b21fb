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
  DescribeStateMachineCommand,
  StartExecutionCommand,
  StopExecutionCommand,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn';
import { TAG } from '../../core/config/names';
import { allStates, type Definition } from '../../lib/workflows/definition';
import { type Cluster, CREDENTIALS, machine, names, REGION, until } from './cluster';

/** What goes wrong while a workflow is under way. */
export function interruptions(cluster: Cluster): void {
  describe('a cluster that things happen to', () => {
    it('wakes from a sleep that somebody stopped in the middle', async () => {
      const { executionArn } = await cluster.aws.stepFunctions.send(
        new StartExecutionCommand({ stateMachineArn: machine('sleep'), input: '{"requestedBy":"somebody"}' }),
      );
      await until('the pools are on their way down', async () => (await pool()).desired === 0);
      await cluster.aws.stepFunctions.send(new StopExecutionCommand({ executionArn }));
      expect((await cluster.execute('wake')).status).toBe('SUCCEEDED');
      await cluster.expectAwake();
    });

    it('wakes without the API load balancer where AWS refuses it, says so, and makes it by the next wake', async () => {
      const message = 'This AWS account currently does not support creating load balancers';
      await cluster.fault({ balancer: { error: 'OperationNotPermitted', message } });
      expect((await cluster.execute('sleep')).status).toBe('SUCCEEDED');
      expect((await cluster.execute('wake')).status).toBe('SUCCEEDED');
      const { record, loadBalancers } = await cluster.snapshot();
      expect(loadBalancers).toEqual([]);
      expect(record).toMatchObject({
        state: 'awake',
        warnings: [expect.stringMatching(`no API load balancer .*${message}.*AWS Support`) as string],
      });
      await cluster.fault({ clear: true });
      expect((await cluster.execute('wake')).status).toBe('SUCCEEDED');
      await cluster.expectAwake();
    });

    it('gives up a node that never joins, and takes the next', async () => {
      const before = await givenUp();
      await cluster.fault({ neverJoins: { group: names.poolGroup('gpu') } });
      const giveTime = await cutShort('join-node', 'WaitForNode');
      const [lost] = await nodes();
      await cluster.aws.ec2.send(new TerminateInstancesCommand({ InstanceIds: [lost!] }));
      await until('a launch was given up', async () => (await givenUp()).length > before.length);
      await giveTime();
      await cluster.fault({ clear: true });
      const failed = (await givenUp()).find((arn) => !before.includes(arn))!;
      expect((await cluster.execution(failed)).error).toBe('NodeNotReady');
      await until('the next node is in service', async () => (await pool()).inService === 1);
      expect(await nodes()).not.toContain(lost);
      await cluster.recovers();
    });

    it('buys on demand where spot has nothing, and tries spot again the next time', async () => {
      await setMarket('spot-with-fallback');
      expect((await cluster.execute('sleep')).status).toBe('SUCCEEDED');
      await cluster.fault({
        capacity: { group: names.poolGroup('gpu'), error: 'InsufficientInstanceCapacity', market: 'spot' },
      });
      expect((await cluster.execute('wake')).status).toBe('SUCCEEDED');
      await cluster.expectAwake();
      expect(await markets()).toEqual(['on-demand']);
      expect((await cluster.execute('sleep')).status).toBe('SUCCEEDED');
      await cluster.fault({ clear: true });
      expect((await cluster.execute('wake')).status).toBe('SUCCEEDED');
      await cluster.expectAwake();
      expect(await markets()).toEqual(['spot']);
      await setMarket('spot');
    });

    it('names the call that a missing grant denies', async () => {
      const giveBack = await takeGrantsAway('record-sizes');
      const sleep = await cluster.execute('sleep');
      expect(sleep.status).toBe('FAILED');
      expect(sleep.cause).toContain('RecordSizes');
      expect(sleep.cause).toMatch(/not authorized to perform: dynamodb:UpdateItem/);
      await giveBack();
      expect((await cluster.execute('wake')).status).toBe('SUCCEEDED');
      await cluster.expectAwake();
    });
  });

  async function pool(): Promise<{ desired: number; inService: number }> {
    const AutoScalingGroupNames = [names.poolGroup('gpu')];
    const found = await cluster.aws.autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames }));
    const { DesiredCapacity = 0, Instances = [] } = found.AutoScalingGroups![0]!;
    return {
      desired: DesiredCapacity,
      inService: Instances.filter(({ LifecycleState }) => LifecycleState === 'InService').length,
    };
  }

  async function nodes(): Promise<string[]> {
    const { instances } = await cluster.snapshot();
    return instances.filter(({ pool, state }) => pool === 'gpu' && state === 'running').map(({ id }) => id);
  }

  /** Executions that let a new node in, or rather did not. */
  async function givenUp(): Promise<string[]> {
    const joins = await cluster.executions('join-node');
    return joins.filter(({ status }) => status === 'FAILED').map(({ arn }) => arn);
  }

  /** As another `market` of the pool in cluster.yaml would: the workflows go by the tag. */
  async function setMarket(Value: string): Promise<void> {
    const group = { ResourceId: names.poolGroup('gpu'), ResourceType: 'auto-scaling-group', PropagateAtLaunch: false };
    const Tags = [{ ...group, Key: TAG.market, Value }];
    await cluster.aws.autoScaling.send(new CreateOrUpdateTagsCommand({ Tags }));
  }

  /** How the pool's running nodes were bought. */
  async function markets(): Promise<string[]> {
    const wanted = new DescribeInstancesCommand({ InstanceIds: await nodes() });
    const { Reservations = [] } = await cluster.aws.ec2.send(wanted);
    return Reservations.flatMap(({ Instances = [] }) => Instances.map((one) => one.InstanceLifecycle ?? 'on-demand'));
  }

  /** Lets a state try only a few times instead of for twenty minutes; what it answers brings the bound back. */
  async function cutShort(workflow: string, wanted: string): Promise<() => Promise<void>> {
    const stateMachineArn = machine(workflow);
    const { stepFunctions } = cluster.aws;
    const { definition = '' } = await stepFunctions.send(new DescribeStateMachineCommand({ stateMachineArn }));
    const changed = JSON.parse(definition) as Definition;
    const [, state] = allStates(changed).find(([name]) => name === wanted)!;
    state.Retry![0]!.MaxAttempts = 5;
    const update = async (text: string) => {
      await stepFunctions.send(new UpdateStateMachineCommand({ stateMachineArn, definition: text }));
    };
    await update(JSON.stringify(changed));
    return () => update(definition);
  }

  /** Deletes every inline policy of a step's role; what it answers brings them back. */
  async function takeGrantsAway(step: string): Promise<() => Promise<void>> {
    const config = { endpoint: cluster.endpoint, region: REGION, credentials: CREDENTIALS };
    const { Configuration } = await new LambdaClient(config).send(
      new GetFunctionCommand({ FunctionName: names.step(step) }),
    );
    const RoleName = Configuration?.Role?.split('/').at(-1);
    const iam = new IAMClient(config);
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
}
