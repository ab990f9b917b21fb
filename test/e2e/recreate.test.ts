import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { CloudFormationClient, UpdateTerminationProtectionCommand } from '@aws-sdk/client-cloudformation';
import { awsClients, type Snapshot, takeSnapshot } from '../../local/run/checks';
import { ACCOUNT, awsEnvironment } from '../../local/run/environment';
import type { Emulator } from '../../local/run/emulator';
import { BIN, OUT, ROOT } from '../../local/run/paths';
import { runWorkflow } from '../../local/run/workflow';
import { forget, leftBy, type LocalRun, runLocal, startOwnEmulator } from './run-local';

const REGION = 'us-east-1';
const CLUSTER = 'drowse';

describe('what outlives the stacks', () => {
  let emulator: Emulator;
  const runs: LocalRun[] = [];

  beforeAll(async () => {
    emulator = await startOwnEmulator();
  });
  afterAll(async () => {
    await emulator.stop();
    for (const run of runs) {
      expect(leftBy(run)).toEqual([]);
      forget(run);
    }
  });

  it('is the Elastic IP and the state: all stacks destroyed and deployed again come back with both', async () => {
    await live();
    const before = await snapshot();
    await sleep();
    await unprotect(`${CLUSTER}-foundation`);
    const app = path.join(OUT, 'cdk.out');
    await run(path.join(BIN, 'cdk'), ['destroy', '--all', '--force', '--app', app, '--no-notices']);
    const destroyed = await snapshot();
    expect(destroyed.groups).toEqual([]);
    expect(kept(destroyed)).toEqual(kept(before));

    const adopted = await run(path.join(BIN, 'node'), ['--import', 'tsx', 'scripts/adopt.ts', app]);
    expect(adopted).toContain(before.elasticIps[0]?.address);
    // The stack is there now, so that doing it again changes nothing.
    expect(await run(path.join(BIN, 'node'), ['--import', 'tsx', 'scripts/adopt.ts', app])).toBe('');
    await live();
    const after = await snapshot();
    expect(kept(after)).toEqual(kept(before));
    expect(after.record.state).toBe('awake');
  }, 300_000);

  async function live(): Promise<void> {
    const run = runLocal(['up'], { DROWSE_ENDPOINT: emulator.endpoint });
    runs.push(run);
    const { code, stderr } = await run.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }

  async function run(command: string, args: string[]): Promise<string> {
    const env = awsEnvironment({ endpoint: emulator.endpoint, region: REGION });
    const { stdout } = await promisify(execFile)(command, args, { cwd: ROOT, env });
    return stdout;
  }

  /** What a person must do before CloudFormation deletes the foundation. */
  async function unprotect(StackName: string): Promise<void> {
    const { endpoint } = emulator;
    const credentials = { accessKeyId: ACCOUNT, secretAccessKey: 'local' };
    const cloudFormation = new CloudFormationClient({ endpoint, region: REGION, credentials });
    await cloudFormation.send(
      new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }),
    );
  }

  async function sleep(): Promise<void> {
    const { stepFunctions } = awsClients({ endpoint: emulator.endpoint, region: REGION });
    const arn = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${CLUSTER}-sleep`;
    const run = await runWorkflow(stepFunctions, arn, 'sleep', () => undefined, new AbortController().signal);
    expect(run.status).toBe('SUCCEEDED');
  }

  function snapshot(): Promise<Snapshot> {
    return takeSnapshot(awsClients({ endpoint: emulator.endpoint, region: REGION }), CLUSTER);
  }
});

function kept({ elasticIps, stateVolumes }: Snapshot) {
  return { addresses: elasticIps.map(({ address }) => address), volumes: stateVolumes.map(({ id }) => id) };
}
