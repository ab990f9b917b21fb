import { AutoScalingClient, paginateDescribeAutoScalingGroups } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DescribeAddressesCommand,
  DescribeVolumesCommand,
  EC2Client,
  type Instance,
  paginateDescribeInstances,
} from '@aws-sdk/client-ec2';
import { DescribeLoadBalancersCommand, ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SFNClient } from '@aws-sdk/client-sfn';
import { paginateGetParametersByPath, SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { namesOf, TAG } from '../../core/config/names';
import { hasApiLoadBalancer } from '../../core/config/api-access';
import type { ClusterConfig } from '../../core/config/schema';
import { ACCOUNT, type AwsEndpoint } from './environment';

/** One thing that was looked up in AWS itself after a workflow. */
export interface Check {
  after: string;
  what: string;
  expected: string;
  found: string;
  ok: boolean;
}

/** What AWS says there is, read from its own APIs and never from our records (but for the one that is under test). */
export interface Snapshot {
  instances: { id: string; role: string; pool: string; state: string; phase: string; phaseAt: string }[];
  groups: { name: string; desired: number; inService: number }[];
  loadBalancers: string[];
  elasticIps: { address: string; instanceId: string }[];
  stateVolumes: { id: string; state: string }[];
  joinTokens: string[];
  record: { state: string; platformAt: string; leased: boolean; warnings: string[] };
}

/** SDK clients for the endpoint. */
export function awsClients({ endpoint, region }: AwsEndpoint) {
  const config = { endpoint, region, credentials: { accessKeyId: ACCOUNT, secretAccessKey: 'local' } };
  return {
    autoScaling: new AutoScalingClient(config),
    dynamo: DynamoDBDocumentClient.from(new DynamoDBClient(config)),
    ec2: new EC2Client(config),
    loadBalancing: new ElasticLoadBalancingV2Client(config),
    ssm: new SSMClient(config),
    stepFunctions: new SFNClient(config),
  };
}
export type AwsClients = ReturnType<typeof awsClients>;

export async function takeSnapshot(aws: AwsClients, cluster: string): Promise<Snapshot> {
  const names = namesOf(cluster);
  const byTag = { Filters: [{ Name: `tag:${TAG.cluster}`, Values: [cluster] }] };
  const instances: Instance[] = [];
  for await (const page of paginateDescribeInstances({ client: aws.ec2 }, byTag)) {
    instances.push(...(page.Reservations ?? []).flatMap((reservation) => reservation.Instances ?? []));
  }
  const groups: Snapshot['groups'] = [];
  for await (const page of paginateDescribeAutoScalingGroups({ client: aws.autoScaling }, byTag)) {
    for (const group of page.AutoScalingGroups ?? []) {
      const inService = (group.Instances ?? []).filter(({ LifecycleState }) => LifecycleState === 'InService').length;
      groups.push({ name: group.AutoScalingGroupName ?? '', desired: group.DesiredCapacity ?? 0, inService });
    }
  }
  const joinTokens: string[] = [];
  for await (const page of paginateGetParametersByPath(
    { client: aws.ssm },
    { Path: names.joinParameterRoot, Recursive: true },
  )) {
    joinTokens.push(...(page.Parameters ?? []).map(({ Name }) => Name ?? ''));
  }
  const [balancers, addresses, volumes, item] = await Promise.all([
    aws.loadBalancing.send(new DescribeLoadBalancersCommand({})),
    aws.ec2.send(new DescribeAddressesCommand(byTag)),
    aws.ec2.send(new DescribeVolumesCommand(byTag)),
    aws.dynamo.send(new GetCommand({ TableName: names.table, Key: { id: 'cluster' }, ConsistentRead: true })),
  ]);
  const record = (item.Item ?? {}) as {
    state?: string;
    platformAt?: string;
    lease?: unknown;
    warnings?: string[];
  };
  return {
    instances: instances.map(toInstance),
    groups,
    loadBalancers: (balancers.LoadBalancers ?? []).map(({ LoadBalancerName }) => LoadBalancerName ?? ''),
    elasticIps: (addresses.Addresses ?? []).map(({ PublicIp, InstanceId }) => ({
      address: PublicIp ?? '',
      instanceId: InstanceId ?? '',
    })),
    stateVolumes: (volumes.Volumes ?? [])
      .filter(({ Tags }) => Tags?.some(({ Key }) => Key === TAG.seat))
      .map(({ VolumeId, State }) => ({ id: VolumeId ?? '', state: State ?? '' })),
    joinTokens,
    record: {
      state: record.state ?? 'none',
      platformAt: record.platformAt ?? '',
      leased: record.lease !== undefined,
      warnings: record.warnings ?? [],
    },
  };
}

function toInstance(instance: Instance): Snapshot['instances'][number] {
  const tags = new Map((instance.Tags ?? []).map(({ Key, Value }) => [Key, Value ?? '']));
  const tag = (key: string) => tags.get(key) ?? '';
  return {
    id: instance.InstanceId ?? '',
    role: tag(TAG.role),
    pool: tag(TAG.pool),
    state: instance.State?.Name ?? '',
    phase: tag(TAG.phase),
    phaseAt: tag(TAG.phaseAt),
  };
}

/** Checks that hold whenever the cluster is awake. */
export function checkAwake(after: string, config: ClusterConfig, now: Snapshot, elasticIp: string): Check[] {
  const check = checker(after);
  const running = now.instances.filter(({ state }) => state === 'running');
  const seats = running.filter(({ role }) => role === 'seat');
  const nodes = running.filter(({ role }) => role === 'pool');
  const readyAt =
    nodes
      .map(({ phaseAt }) => phaseAt)
      .sort()
      .at(-1) ?? '';
  const ingress = config.controlPlane.ingress
    ? seats
    : nodes.filter(({ pool }) => config.pools.some((p) => p.name === pool && p.ingress));
  const holder = now.elasticIps[0]?.instanceId;
  const checks = [
    check('control-plane seats running and ready', count(config.controlPlane.seats, 'ready'), phases(seats)),
    ...config.pools.map(({ name, desired }) =>
      check(
        `nodes of pool ${name} running and ready`,
        count(desired, 'ready'),
        phases(nodes.filter(({ pool }) => pool === name)),
      ),
    ),
    check(
      'groups have what they want in service',
      now.groups.map(({ name, desired }) => `${name}: ${String(desired)}`).join(', '),
      now.groups.map(({ name, inService }) => `${name}: ${String(inService)}`).join(', '),
    ),
    check('API load balancer', doorOf(config, now), now.loadBalancers.join(', ') || 'none'),
    check(
      'Elastic IP is the same, on the ingress node',
      // Any of several ingress nodes may have it.
      `${elasticIp} on ${(ingress.find(({ id }) => id === holder) ?? ingress[0])?.id ?? 'an ingress node'}`,
      now.elasticIps.map(({ address, instanceId }) => `${address} on ${instanceId || 'nothing'}`).join(', ') || 'none',
    ),
    check(
      'state of the cluster',
      'awake, no lease',
      `${now.record.state}, ${now.record.leased ? 'leased' : 'no lease'}`,
    ),
  ];
  const platform = now.record.platformAt;
  const ok = platform !== '' && readyAt !== '' && Date.parse(platform) >= Date.parse(readyAt);
  checks.push({
    after,
    what: 'platform installed after the nodes were ready',
    expected: `after ${readyAt}`,
    found: platform || 'never',
    ok,
  });
  return checks;
}

/** The API load balancer that there should be: none where AWS refused it and the record says so. */
function doorOf(config: ClusterConfig, { record }: Snapshot): string {
  const isRefused = record.warnings.some((warning) => warning.includes('no API load balancer'));
  return hasApiLoadBalancer(config) && !isRefused ? namesOf(config.name).apiLoadBalancer : 'none';
}

/** Checks that hold whenever the cluster is asleep. */
export function checkAsleep(after: string, config: ClusterConfig, now: Snapshot, elasticIp: string): Check[] {
  const check = checker(after);
  const stopping = new Set(config.pools.flatMap(({ name, sleep }) => (sleep === 'stop' ? [name] : [])));
  const left = now.instances.filter(
    ({ state, pool }) => state !== 'terminated' && !(state === 'stopped' && stopping.has(pool)),
  );
  return [
    check(
      'instances that are not terminated',
      'none',
      left.map(({ id, state }) => `${id} ${state}`).join(', ') || 'none',
    ),
    check('load balancers', 'none', now.loadBalancers.join(', ') || 'none'),
    check('Elastic IP still allocated', elasticIp, now.elasticIps.map(({ address }) => address).join(', ') || 'none'),
    check(
      'state volumes present',
      count(config.controlPlane.seats, 'available'),
      now.stateVolumes.map(({ state }) => state).join(', ') || 'none',
    ),
    check('join tokens left', 'none', now.joinTokens.join(', ') || 'none'),
    check(
      'state of the cluster',
      'asleep, no lease',
      `${now.record.state}, ${now.record.leased ? 'leased' : 'no lease'}`,
    ),
  ];
}

function checker(after: string) {
  return (what: string, expected: string, found: string): Check => ({
    after,
    what,
    expected,
    found,
    ok: expected === found,
  });
}

function count(n: number, word: string): string {
  return n === 0 ? 'none' : Array.from({ length: n }, () => word).join(', ');
}

function phases(nodes: Snapshot['instances']): string {
  return nodes.map(({ phase }) => phase).join(', ') || 'none';
}
