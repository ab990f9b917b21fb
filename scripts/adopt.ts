import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DescribeTableCommand, DynamoDBClient, ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { DescribeAddressesCommand, DescribeVolumesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { HeadBucketCommand, NotFound, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { adoptionOf, type Retained } from '../lib/adoption';
import { loadConfig } from '../lib/config/load';
import { namesOf, TAG } from '../lib/config/names';

/**
 * Finds what an earlier foundation stack of this cluster left behind (Elastic IP, state volumes, bucket, table), and
 * writes which resource of the template each of them is, for `cdk import`. See docs/adr on retained resources.
 *
 *   npx cdk synth -q && npx tsx scripts/adopt.ts cdk.out && npx cdk import <cluster>-foundation --resource-mapping cdk.out/adopt.json
 */
async function main(output: string): Promise<void> {
  const config = loadConfig(process.env.DROWSE_CONFIG ?? join(__dirname, '..', 'cluster.yaml'));
  const names = namesOf(config.name);
  const template = join(output, `${names.foundationStack}.template.json`);
  if (!existsSync(template)) throw new Error(`${template} is not there: run "npx cdk synth" first`);
  const mapping = adoptionOf(JSON.parse(readFileSync(template, 'utf8')) as never, await findRetained(config));
  const file = join(output, 'adopt.json');
  writeFileSync(file, `${JSON.stringify(mapping, null, 2)}\n`);
  console.log(`${file}: ${Object.keys(mapping).join(', ') || 'nothing was left behind'}`);
}

async function findRetained({ name, region }: ReturnType<typeof loadConfig>): Promise<Retained> {
  const names = namesOf(name);
  const ec2 = new EC2Client({ region });
  const ofCluster = { Name: `tag:${TAG.cluster}`, Values: [name] };
  const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({ Filters: [ofCluster] }));
  const { Volumes = [] } = await ec2.send(
    new DescribeVolumesCommand({ Filters: [ofCluster, { Name: 'tag-key', Values: [TAG.seat] }] }),
  );
  const { Account = '' } = await new STSClient({ region }).send(new GetCallerIdentityCommand({}));
  const bucket = names.bucket(Account, region);
  return {
    elasticIps: Addresses.map(({ PublicIp = '', AllocationId = '' }) => ({ PublicIp, AllocationId })),
    volumes: Volumes.map(({ VolumeId = '', Tags = [] }) => ({
      VolumeId,
      seat: Tags.find(({ Key }) => Key === TAG.seat)?.Value ?? '',
    })),
    bucket: await unless(NotFound, bucket, () =>
      new S3Client({ region }).send(new HeadBucketCommand({ Bucket: bucket })),
    ),
    table: await unless(ResourceNotFoundException, names.table, () =>
      new DynamoDBClient({ region }).send(new DescribeTableCommand({ TableName: names.table })),
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

main(process.argv[2] ?? 'cdk.out').catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
