import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient, DescribeStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { S3Client } from '@aws-sdk/client-s3';
import { SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { execa } from 'execa';
import { CommandFailed } from '../../cli/terminal/errors';
import { adoptionOf, AmbiguousAdoption, missingFrom } from '../adoption';
import { namesOf } from '../../core/config/names';
import type { ClusterConfig } from '../../core/config/schema';
import { refuseImpossible } from './refuse-impossible';
import { findRetained } from './retained';
import { mendStack, stackStatus } from './stack-states';

const ROOT = join(__dirname, '..', '..');

/** Errors of a caller without credentials of its own, or without the rights to look. */
const MAY_NOT_LOOK = /AccessDenied|Unauthorized|Forbidden|CredentialsProvider|InvalidClientTokenId|ExpiredToken/;

/** What the CLI tells its app by the environment, which another run of the CLI would take for options of its own. */
const OF_THIS_SYNTHESIS = /^CDK_(OUTDIR|CONTEXT|CLI_|ERROR_FILE|PERF_COUNTERS)/;

/**
 * Makes a deployment possible from whatever there is: stacks that a failed deployment left are mended, and what an
 * earlier foundation left behind on purpose (Elastic IP, state volumes, bucket, table) becomes the foundation's again, by
 * `cdk import`. What cannot be made of the cluster that runs is refused. Does nothing to a cluster that is whole, or for somebody who may not look. See docs/adr/retained-resources-are-imported.md.
 * @param assembly folder of the synthesized app
 */
export async function prepareDeployment(config: ClusterConfig, assembly: string): Promise<void> {
  try {
    await mendAndAdopt(config, assembly);
  } catch (error) {
    if (error instanceof AmbiguousAdoption) throw new CommandFailed(error.message, 'Then run the command again.');
    // Whoever may only assume CDK's roles may not look: then it is as it is.
    if (!(error instanceof Error) || !MAY_NOT_LOOK.test(error.name)) throw error;
    console.error(`Not looked for what an earlier deployment left (${error.name}: ${error.message})`);
  }
}

async function mendAndAdopt(config: ClusterConfig, assembly: string): Promise<void> {
  const { name: cluster, region } = config;
  const names = namesOf(cluster);
  const cloudFormation = new CloudFormationClient({ region });
  const say = (line: string) => console.error(line);
  await refuseImpossible({ ec2: new EC2Client({ region }), ssm: new SSMClient({ region }) }, config);
  for (const stack of [names.operationsStack, names.clusterStack, names.auditStack, names.foundationStack]) {
    await mendStack(cloudFormation, stack, say);
  }
  const { Account: account = '' } = await new STSClient({ region }).send(new GetCallerIdentityCommand({}));
  const clients = {
    ec2: new EC2Client({ region }),
    s3: new S3Client({ region }),
    dynamo: new DynamoDBClient({ region }),
  };
  const retained = await findRetained(clients, { cluster, account, region });
  const template = JSON.parse(readFileSync(join(assembly, `${names.foundationStack}.template.json`), 'utf8')) as never;
  const held = await resourcesOf(cloudFormation, names.foundationStack);
  const mapping = adoptionOf(...missingFrom(held, template, retained));
  if (Object.keys(mapping).length === 0) return;
  say(`Taking over what an earlier ${names.foundationStack} left: ${JSON.stringify(mapping)}`);
  await importInto(names.foundationStack, assembly, mapping);
}

/** Identifiers of what a stack holds, by logical ID; of one that does not exist, none. */
async function resourcesOf(client: CloudFormationClient, StackName: string): Promise<Map<string, string>> {
  if ((await stackStatus(client, StackName)) === undefined) return new Map();
  const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName }));
  const there = StackResources.filter(({ ResourceStatus = '' }) => !ResourceStatus.startsWith('DELETE'));
  return new Map(
    there.map(({ LogicalResourceId = '', PhysicalResourceId = '' }) => [LogicalResourceId, PhysicalResourceId]),
  );
}

/** From a copy: the CLI that this app is synthesized for holds the assembly itself. */
async function importInto(stack: string, assembly: string, mapping: object): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'drowse-adopt-'));
  try {
    cpSync(assembly, folder, { recursive: true, filter: (file) => !file.endsWith('.lock') });
    const file = join(folder, 'adopt.json');
    writeFileSync(file, `${JSON.stringify(mapping, null, 2)}\n`);
    const args = ['import', stack, '--app', folder, '--resource-mapping', file, '--force', '--no-notices'];
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !OF_THIS_SYNTHESIS.test(key)));
    const { failed } = await execa('cdk', args, {
      stdio: ['ignore', 2, 2],
      localDir: ROOT,
      preferLocal: true,
      env,
      extendEnv: false,
      reject: false,
    });
    if (failed) {
      throw new CommandFailed(
        `cdk import of ${stack} failed`,
        'Nothing was deleted. Mend what the lines above say, then run the command again.',
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}
