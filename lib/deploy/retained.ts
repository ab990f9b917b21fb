import { DescribeTableCommand, type DynamoDBClient, ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { DescribeAddressesCommand, type EC2Client, paginateDescribeVolumes } from '@aws-sdk/client-ec2';
import { HeadBucketCommand, NotFound, type S3Client } from '@aws-sdk/client-s3';
import type { Retained } from '../adoption';
import { namesOf, TAG } from '../../core/config/names';

interface Clients {
  ec2: EC2Client;
  s3: S3Client;
  dynamo: DynamoDBClient;
}

/** What there is of a cluster that outlives its stacks, whether a stack owns it or not: found by tag and by name. */
export async function findRetained(
  { ec2, s3, dynamo }: Clients,
  { cluster, account, region }: { cluster: string; account: string; region: string },
): Promise<Retained> {
  const names = namesOf(cluster);
  const bucket = names.bucket(account, region);
  const ofCluster = { Name: `tag:${TAG.cluster}`, Values: [cluster] };
  const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({ Filters: [ofCluster] }));
  const volumes: Retained['volumes'] = [];
  const ofSeats = { Filters: [ofCluster, { Name: 'tag-key', Values: [TAG.seat] }] };
  for await (const { Volumes = [] } of paginateDescribeVolumes({ client: ec2 }, ofSeats)) {
    for (const { VolumeId = '', Tags = [] } of Volumes) {
      volumes.push({ VolumeId, seat: Tags.find(({ Key }) => Key === TAG.seat)?.Value ?? '' });
    }
  }
  return {
    elasticIps: Addresses.map(({ PublicIp = '', AllocationId = '' }) => ({ PublicIp, AllocationId })),
    volumes,
    bucket: await unless(NotFound, bucket, () => s3.send(new HeadBucketCommand({ Bucket: bucket }))),
    table: await unless(ResourceNotFoundException, names.table, () =>
      dynamo.send(new DescribeTableCommand({ TableName: names.table })),
    ),
  };
}

/** The name if the thing is there, undefined if AWS says that it is not. */
async function unless(missing: new (...args: never[]) => Error, name: string, ask: () => Promise<unknown>) {
  try {
    await ask();
    return name;
  } catch (error) {
    if (error instanceof missing) return undefined;
    throw error;
  }
}
