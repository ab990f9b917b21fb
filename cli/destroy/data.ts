import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import {
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  paginateDescribeSnapshots,
  paginateDescribeVolumes,
  ReleaseAddressCommand,
  type Snapshot,
  type Volume,
} from '@aws-sdk/client-ec2';
import {
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
} from '@aws-sdk/client-s3';
import { DeleteParametersCommand, paginateGetParametersByPath } from '@aws-sdk/client-ssm';
import { namesOf, TAG } from '../../core/config/names';
import { GP3_PER_GIB_MONTH, HOURS_PER_MONTH, PUBLIC_IPV4_PER_HOUR } from '../../core/cost/prices';
import { findRetained } from '../../lib/deploy/retained';
import { CommandFailed } from '../terminal/errors';
import type { Aws } from './aws';

/** What of a cluster outlives its stacks. */
export interface Data {
  elasticIps: { PublicIp: string; AllocationId: string }[];
  /** State volumes, and those that workloads made through the cluster. */
  volumes: Volume[];
  snapshots: Snapshot[];
  bucket: string | undefined;
  table: string | undefined;
  parameters: string[];
}

/** Parameters that one call may delete. */
const PARAMETERS_AT_ONCE = 10;

export async function findData(aws: Aws, cluster: string): Promise<Data> {
  const { account, region, ec2, ssm } = aws;
  const { elasticIps, bucket, table } = await findRetained(aws, { cluster, account, region });
  const Filters = [{ Name: `tag:${TAG.cluster}`, Values: [cluster] }];
  const volumes: Volume[] = [];
  for await (const page of paginateDescribeVolumes({ client: ec2 }, { Filters })) {
    // Root disks end with their instances.
    const stays = ({ Attachments = [] }: Volume) => !Attachments.some(({ DeleteOnTermination }) => DeleteOnTermination);
    volumes.push(...(page.Volumes ?? []).filter(stays));
  }
  const snapshots: Snapshot[] = [];
  for await (const page of paginateDescribeSnapshots({ client: ec2 }, { Filters, OwnerIds: ['self'] })) {
    snapshots.push(...(page.Snapshots ?? []));
  }
  const parameters: string[] = [];
  const Path = namesOf(cluster).parameterRoot;
  for await (const page of paginateGetParametersByPath({ client: ssm }, { Path, Recursive: true })) {
    parameters.push(...(page.Parameters ?? []).map(({ Name = '' }) => Name));
  }
  return { elasticIps, volumes, snapshots, bucket, table, parameters };
}

/** What there is and what it costs, a line each; a month at list prices of us-east-1. */
export function describeData({ elasticIps, volumes, snapshots, bucket, table, parameters }: Data): string[] {
  const monthly = (usd: number) => `$${usd.toFixed(2)} a month`;
  const gib = volumes.reduce((sum, { Size = 0 }) => sum + Size, 0);
  return [
    ...elasticIps.map(({ PublicIp }) => `Elastic IP ${PublicIp}: ${monthly(PUBLIC_IPV4_PER_HOUR * HOURS_PER_MONTH)}`),
    ...(volumes.length > 0
      ? [
          `${volumes.map(({ VolumeId = '' }) => VolumeId).join(', ')}, ${String(gib)} GiB: ${monthly(gib * GP3_PER_GIB_MONTH)}`,
        ]
      : []),
    ...(snapshots.length > 0 ? [`${String(snapshots.length)} snapshots of volumes: by what they hold`] : []),
    ...(bucket === undefined ? [] : [`bucket ${bucket} with etcd's snapshots: cents`]),
    ...(table === undefined ? [] : [`table ${table} with the cluster's record: cents`]),
    ...(parameters.length > 0 ? [`${String(parameters.length)} parameters below ${root(parameters)}: nothing`] : []),
  ];
}

function root([first = '']: readonly string[]): string {
  return first.split('/').slice(0, 3).join('/');
}

/** Deletes all of it, and empties the bucket first. What is gone already is no error. */
export async function deleteData(aws: Aws, data: Data): Promise<void> {
  const { ec2, dynamo, ssm } = aws;
  for (const { AllocationId } of data.elasticIps) {
    await unlessGone(() => ec2.send(new ReleaseAddressCommand({ AllocationId })));
  }
  for (const { VolumeId } of data.volumes) await unlessGone(() => ec2.send(new DeleteVolumeCommand({ VolumeId })));
  for (const { SnapshotId } of data.snapshots)
    await unlessGone(() => ec2.send(new DeleteSnapshotCommand({ SnapshotId })));
  for (let from = 0; from < data.parameters.length; from += PARAMETERS_AT_ONCE) {
    const Names = data.parameters.slice(from, from + PARAMETERS_AT_ONCE);
    await ssm.send(new DeleteParametersCommand({ Names }));
  }
  const { table, bucket } = data;
  if (table !== undefined) await unlessGone(() => dynamo.send(new DeleteTableCommand({ TableName: table })));
  if (bucket !== undefined) await unlessGone(() => deleteBucket(aws, bucket));
}

/** With every version of every object. */
async function deleteBucket({ s3 }: Aws, Bucket: string): Promise<void> {
  // It lets nobody but a deployment delete what nodes run.
  await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
  for (;;) {
    // Always the first page: what it held is gone by the next look.
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key = '', VersionId }) => ({ Key, VersionId }));
    if (Objects.length === 0) break;
    const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    const [refused] = Errors;
    if (refused) {
      throw new CommandFailed(
        `${Bucket} keeps ${refused.Key ?? ''}: ${refused.Code ?? ''} ${refused.Message ?? ''}`,
        'Take off the lock or the policy that protects it, then run the command again.',
      );
    }
  }
  await s3.send(new DeleteBucketCommand({ Bucket }));
}

async function unlessGone(remove: () => Promise<unknown>): Promise<void> {
  try {
    await remove();
  } catch (error) {
    if (!(error instanceof Error && /NotFound|NoSuchBucket/.test(error.name))) throw error;
  }
}
