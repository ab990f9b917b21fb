import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { CloudFormationClient, UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import type { Snapshot } from '../../local/run/checks';
import { awsEnvironment } from '../../local/run/environment';
import { BIN, OUT, ROOT } from '../../local/run/paths';
import { type Cluster, CREDENTIALS, names, REGION } from './cluster';

const APP = path.join(OUT, 'cdk.out');

/** All stacks destroyed, and deployed again. */
export function recreation(cluster: Cluster): void {
  describe('what outlives the stacks', () => {
    it('is the Elastic IP and the state: all stacks destroyed and deployed again come back with both', async () => {
      const before = await cluster.snapshot();
      expect((await cluster.execute('sleep')).status).toBe('SUCCEEDED');
      await unprotect(names.foundationStack);
      await cdk('destroy', '--force');
      const destroyed = await cluster.snapshot();
      expect(destroyed.groups).toEqual([]);
      expect(kept(destroyed)).toEqual(kept(before));

      expect(await adopt()).toContain(before.elasticIps[0]?.address);
      // The stack is there now, so that doing it again changes nothing.
      expect(await adopt()).toBe('');
      await cdk('deploy', '--require-approval', 'never', '--concurrency', '3');
      expect((await cluster.execute('bootstrap')).status).toBe('SUCCEEDED');
      await cluster.expectAwake();
      const after = await cluster.snapshot();
      expect(kept(after)).toEqual(kept(before));
      expect(after.stateVolumes.map(({ state }) => state)).toEqual(before.stateVolumes.map(({ state }) => state));
    });
  });

  function at() {
    return { endpoint: cluster.endpoint, region: REGION };
  }

  /** With the app as the cluster was deployed from it. */
  async function cdk(verb: string, ...options: string[]): Promise<void> {
    await run('cdk', [verb, '--all', '--app', APP, ...options, '--no-notices']);
  }

  function adopt(): Promise<string> {
    return run('node', ['--import', 'tsx', 'scripts/adopt.ts', APP]);
  }

  async function run(command: string, args: string[]): Promise<string> {
    const options = { cwd: ROOT, env: awsEnvironment(at()) };
    const { stdout } = await promisify(execFile)(path.join(BIN, command), args, options);
    return stdout;
  }

  /** What a person must do before CloudFormation deletes the foundation. */
  async function unprotect(StackName: string): Promise<void> {
    const cloudFormation = new CloudFormationClient({ ...at(), credentials: CREDENTIALS });
    await cloudFormation.send(
      new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }),
    );
  }
}

function kept({ elasticIps, stateVolumes }: Snapshot) {
  return { addresses: elasticIps.map(({ address }) => address), volumes: stateVolumes.map(({ id }) => id) };
}
