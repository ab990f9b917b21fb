import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeTableCommand, DynamoDBClient, ResourceNotFoundException } from '@aws-sdk/client-dynamodb';
import { DescribeAddressesCommand, DescribeVolumesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { HeadBucketCommand, NotFound, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { execa } from 'execa';
import { CommandFailed } from '../cli/terminal/errors';
import { adoptionOf, type Retained } from '../lib/adoption';
import { loadConfig } from '../lib/config/load';
import { namesOf, TAG } from '../lib/config/names';

const ROOT = join(__dirname, '..');

const USAGE = 'adopt.ts <folder of the synthesized app>';

/**
 * Gives a foundation stack that does not exist (any more) what an earlier one of this cluster left behind on purpose:
 * Elastic IP, state volumes, bucket and table become its resources by `cdk import`. Does nothing if the stack exists,
 * or if nothing was left. `make deploy` runs it first. See docs/adr/retained-resources-are-imported.md.
 */
async function main(output: string | undefined): Promise<void> {
  if (output === undefined) throw new CommandFailed('No folder was given', `Usage: ${USAGE}`);
  const config = loadConfig(process.env.DROWSE_CONFIG ?? join(ROOT, 'cluster.yaml'));
  const stack = namesOf(config.name).foundationStack;
  if (await exists(stack, config.region)) return;
  const template = join(output, `${stack}.template.json`);
  if (!existsSync(template)) throw new CommandFailed(`${template} is not there`, 'Run `cdk synth` first.');
  const mapping = adoptionOf(JSON.parse(readFileSync(template, 'utf8')) as never, await findRetained(config));
  if (Object.keys(mapping).length === 0) return;
  const file = join(output, 'adopt.json');
  writeFileSync(file, `${JSON.stringify(mapping, null, 2)}\n`);
  console.log(`Taking over what an earlier ${stack} left: ${JSON.stringify(mapping)}`);
  const args = ['import', stack, '--app', output, '--resource-mapping', file, '--force', '--no-notices'];
  const { failed } = await execa('cdk', args, { stdio: 'inherit', localDir: ROOT, preferLocal: true, reject: false });
  if (failed) {
    throw new CommandFailed(
      `cdk import of ${stack} failed`,
      'Nothing was deleted. Mend what the lines above say, then run the command again.',
    );
  }
}

/** Whether the stack holds resources; one that was only ever reviewed does not. */
async function exists(StackName: string, region: string): Promise<boolean> {
  try {
    const { Stacks = [] } = await new CloudFormationClient({ region }).send(new DescribeStacksCommand({ StackName }));
    return Stacks.some(({ StackStatus }) => StackStatus !== 'REVIEW_IN_PROGRESS' && StackStatus !== 'DELETE_COMPLETE');
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError') return false;
    throw error;
  }
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

main(process.argv[2]).catch((error: unknown) => {
  const remedy = error instanceof CommandFailed ? `\n${error.remedy}` : '';
  console.error(`${error instanceof Error ? error.message : String(error)}${remedy}`);
  process.exitCode = 1;
});
