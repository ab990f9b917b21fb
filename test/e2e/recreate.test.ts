import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
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

  it('is the Elastic IP and the state: a cluster destroyed and deployed again comes back with both', async () => {
    await live();
    const before = await snapshot();
    await sleep();
    const cdk = path.join(BIN, 'cdk');
    const stacks = [`${CLUSTER}-operations`, `${CLUSTER}-cluster`];
    const args = ['destroy', ...stacks, '--exclusively', '--force', '--app', path.join(OUT, 'cdk.out'), '--no-notices'];
    await promisify(execFile)(cdk, args, {
      cwd: ROOT,
      env: awsEnvironment({ endpoint: emulator.endpoint, region: REGION }),
    });
    const destroyed = await snapshot();
    expect(destroyed.groups).toEqual([]);
    expect(kept(destroyed)).toEqual(kept(before));

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
