import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import { deleteStack, stackStatus } from '../../lib/deploy/stack-states';
import type { Snapshot } from '../../local/run/checks';
import { awsEnvironment } from '../../local/run/environment';
import { BIN, ROOT } from '../../local/run/paths';
import { type Cluster, CONFIG, CREDENTIALS, names, REGION, until } from './cluster';

/** Stacks destroyed, and deployed again, by the commands that people use. */
export function recreation(cluster: Cluster): void {
  describe('what outlives the stacks', () => {
    it('is the Elastic IP and the state: destroyed while awake, deployed again and woken, it has both', async () => {
      const before = await cluster.snapshot();
      const told = await destroy(cluster);
      expect(told).toContain('Putting it to sleep');
      expect(told).toContain(`Elastic IP ${before.elasticIps[0]?.address ?? ''}: $3.65 a month`);
      const destroyed = await cluster.snapshot();
      expect(destroyed).toMatchObject({ groups: [], loadBalancers: [], record: { state: 'asleep' } });
      expect(destroyed.instances.filter(({ state }) => state !== 'terminated')).toEqual([]);
      expect(kept(destroyed)).toEqual(kept(before));
      expect(await stacks(cluster)).toEqual([names.foundationStack]);
      // Again changes nothing.
      expect(await destroy(cluster)).not.toContain('Putting it to sleep');

      // Somebody deletes the foundation too, which is protected against that.
      await deleteStack(cloudFormation(cluster), names.foundationStack);
      expect(kept(await cluster.snapshot())).toEqual(kept(before));
      await failToCreateFoundation(cluster);
      const deployed = await deploy(cluster);
      expect(deployed).toContain(`Stack ${names.foundationStack} is ROLLBACK_COMPLETE: deleting it`);
      expect(deployed).toContain(`Taking over what an earlier ${names.foundationStack} left`);
      expect((await cluster.execute('wake')).status).toBe('SUCCEEDED');
      await cluster.expectAwake();
      const after = await cluster.snapshot();
      expect(kept(after)).toEqual(kept(before));
      expect(after.stateVolumes.map(({ state }) => state)).toEqual(before.stateVolumes.map(({ state }) => state));
    });

    it('is not touched without the name of the cluster', async () => {
      const before = await cluster.snapshot();
      await expect(destroy(cluster, '--data', '--confirm', 'another')).rejects.toMatchObject({
        stderr: expect.stringContaining('"another" is not "drowse"\nNothing was deleted.') as string,
      });
      // A node may say "ready" once more meanwhile, so not every check of an awake cluster is asked.
      const after = await cluster.snapshot();
      const running = ({ instances }: Snapshot) =>
        instances.filter(({ state }) => state === 'running').map(({ id }) => id);
      expect(running(after)).toEqual(running(before));
      expect(after.groups).toEqual(before.groups);
      expect(after.loadBalancers).toEqual(before.loadBalancers);
      expect(after.record.state).toBe('awake');
      expect(kept(after)).toEqual(kept(before));
    });
  });
}

/** The end of the cluster, data and all: of everything that bears its name nothing is left. */
export async function leaveNothing(cluster: Cluster): Promise<void> {
  expect(await destroy(cluster, '--data', '--confirm', 'drowse')).toContain('Nothing of the cluster is left.');
  expect(await stacks(cluster)).toEqual([]);
  // Its record went with the table.
  await expect(cluster.snapshot()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  const s3 = new S3Client({ ...at(cluster), credentials: CREDENTIALS, forcePathStyle: true });
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  expect(Buckets.filter(({ Name = '' }) => Name.startsWith('drowse-drowse-'))).toEqual([]);
  const below = new GetParametersByPathCommand({ Path: names.parameterRoot, Recursive: true });
  expect((await cluster.aws.ssm.send(below)).Parameters).toEqual([]);
}

function at({ endpoint }: Cluster) {
  return { endpoint, region: REGION };
}

function cloudFormation(cluster: Cluster): CloudFormationClient {
  return new CloudFormationClient({ ...at(cluster), credentials: CREDENTIALS });
}

/** A foundation whose creation has failed stays behind, protected and of no use. */
async function failToCreateFoundation(cluster: Cluster): Promise<void> {
  const client = cloudFormation(cluster);
  const nothing = { AllocationId: 'eipalloc-0', InstanceId: 'i-0' };
  const TemplateBody = JSON.stringify({
    Resources: { Association: { Type: 'AWS::EC2::EIPAssociation', Properties: nothing } },
  });
  const StackName = names.foundationStack;
  await client.send(new CreateStackCommand({ StackName, TemplateBody, EnableTerminationProtection: true }));
  await until('its creation has failed', async () => (await stackStatus(client, StackName)) === 'ROLLBACK_COMPLETE');
}

async function stacks(cluster: Cluster): Promise<string[]> {
  const { Stacks = [] } = await cloudFormation(cluster).send(new DescribeStacksCommand({}));
  const own = Object.entries(names).flatMap(([key, name]) => (key.endsWith('Stack') ? [String(name)] : []));
  return Stacks.map(({ StackName = '' }) => StackName).filter((name) => own.includes(name));
}

function destroy(cluster: Cluster, ...options: string[]): Promise<string> {
  return run(cluster, path.join('..', '..', 'bin', 'drowse'), ['destroy', '--config', CONFIG, ...options]);
}

/** As anybody would, the app synthesized by the CLI; with the caller's own credentials, as the cluster was deployed. */
function deploy(cluster: Cluster): Promise<string> {
  const more = ['--concurrency', '3', '--context', 'synthesizer=cli', '--no-notices'];
  return run(cluster, path.join('..', '..', 'bin', 'drowse'), ['deploy', '--config', CONFIG, '--', ...more]);
}

async function run(cluster: Cluster, command: string, args: string[]): Promise<string> {
  const env = {
    ...awsEnvironment(at(cluster)),
    DROWSE_CONFIG: CONFIG,
    CI: 'true',
    CDK_VALIDATION: 'false',
    NO_COLOR: '1',
  };
  const options = { cwd: ROOT, env, maxBuffer: 64 << 20 };
  const { stdout, stderr } = await promisify(execFile)(path.join(BIN, command), args, options);
  return `${stdout}\n${stderr}`;
}

function kept({ elasticIps, stateVolumes }: Snapshot) {
  return { addresses: elasticIps.map(({ address }) => address), volumes: stateVolumes.map(({ id }) => id) };
}
