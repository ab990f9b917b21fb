import {
  paginateDescribeAutoScalingGroups,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { paginateDescribeInstances } from '@aws-sdk/client-ec2';
import { DeleteLoadBalancerCommand } from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  StartExecutionCommand,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import { describeApiLoadBalancer } from '../../lambdas/shared/ec2/load-balancer';
import { TAG } from '../../core/config/names';
import { machineArn } from '../drowse/target';
import { CommandFailed } from '../terminal/errors';
import { type Aws, until } from './aws';

/** Longer than any sleep, the wait for a wake that is under way included (minutes). */
const SLEEP_MINUTES = 90;

/** Instances of the cluster that are not on their way out, and whether its API has a load balancer. */
export async function findAwake(
  aws: Pick<Aws, 'ec2' | 'loadBalancing'>,
  cluster: string,
): Promise<{ instances: string[]; loadBalancer: boolean }> {
  const states = ['pending', 'running', 'stopping'];
  const instances = await findInstances(aws, cluster, states);
  const balancer = await describeApiLoadBalancer(aws.loadBalancing, cluster);
  return { instances, loadBalancer: balancer !== undefined };
}

/**
 * Puts the cluster to sleep by its own workflow, and waits for the end.
 * @returns false if there is no such workflow (any more)
 * @throws CommandFailed if it fails
 */
export async function putToSleep(
  aws: Pick<Aws, 'partition' | 'region' | 'account' | 'sfn'>,
  cluster: string,
): Promise<boolean> {
  const { sfn } = aws;
  const stateMachineArn = machineArn(aws, cluster, 'sleep');
  const input = JSON.stringify({ requestedBy: 'destroy' });
  let executionArn: string;
  try {
    ({ executionArn = '' } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input })));
  } catch (error) {
    if (error instanceof StateMachineDoesNotExist) return false;
    throw error;
  }
  let execution: DescribeExecutionCommandOutput | undefined;
  await until(`${executionArn} ends`, SLEEP_MINUTES, async () => {
    execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return execution.status !== 'RUNNING';
  });
  if (execution?.status === 'SUCCEEDED') return true;
  throw new CommandFailed(
    `The cluster could not be put to sleep (${execution?.error ?? execution?.status ?? ''}): ${execution?.cause ?? ''}`,
    'Nothing was deleted. docs/runbook.md says what to do; FORCE=1 deletes the stacks without it, and etcd is not saved.',
  );
}

/**
 * Ends what belongs to no stack, or keeps one from going: the API load balancer (made by a workflow, billed by the hour,
 * its security group in use) and what pools with `sleep: stop` keep stopped beside their groups.
 */
export async function endTheRest(
  aws: Pick<Aws, 'autoScaling' | 'ec2' | 'loadBalancing'>,
  cluster: string,
): Promise<void> {
  const balancer = await describeApiLoadBalancer(aws.loadBalancing, cluster);
  if (balancer) {
    const { LoadBalancerArn } = balancer;
    await aws.loadBalancing.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));
    await until('the API load balancer is gone', 10, async () => {
      return (await describeApiLoadBalancer(aws.loadBalancing, cluster)) === undefined;
    });
  }
  const standby = await findStandby(aws, cluster);
  for (const InstanceId of standby) {
    const keepSize = { InstanceId, ShouldDecrementDesiredCapacity: false };
    await aws.autoScaling.send(new TerminateInstanceInAutoScalingGroupCommand(keepSize));
  }
  await until('stopped nodes are gone', 10, async () => {
    const left = await findInstances(aws, cluster, ['stopped', 'stopping', 'shutting-down']);
    return standby.every((id) => !left.includes(id));
  });
}

/** Instances that stand beside their groups. */
async function findStandby({ autoScaling }: Pick<Aws, 'autoScaling'>, cluster: string): Promise<string[]> {
  const ids: string[] = [];
  const Filters = [{ Name: `tag:${TAG.cluster}`, Values: [cluster] }];
  for await (const { AutoScalingGroups = [] } of paginateDescribeAutoScalingGroups(
    { client: autoScaling },
    { Filters },
  )) {
    const members = AutoScalingGroups.flatMap(({ Instances = [] }) => Instances);
    ids.push(
      ...members.flatMap(({ InstanceId = '', LifecycleState }) => (LifecycleState === 'Standby' ? [InstanceId] : [])),
    );
  }
  return ids;
}

async function findInstances({ ec2 }: Pick<Aws, 'ec2'>, cluster: string, states: string[]): Promise<string[]> {
  const ids: string[] = [];
  const Filters = [
    { Name: `tag:${TAG.cluster}`, Values: [cluster] },
    { Name: 'instance-state-name', Values: states },
  ];
  for await (const { Reservations = [] } of paginateDescribeInstances({ client: ec2 }, { Filters })) {
    ids.push(...Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId = '' }) => InstanceId)));
  }
  return ids;
}
