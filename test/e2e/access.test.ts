import { DeleteRolePolicyCommand, IAMClient, ListRolePoliciesCommand } from '@aws-sdk/client-iam';
import { GetFunctionCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { namesOf } from '../../lib/config/names';
import { awsClients } from '../../local/run/checks';
import { ACCOUNT } from '../../local/run/environment';
import type { Emulator } from '../../local/run/emulator';
import { runWorkflow } from '../../local/run/workflow';
import { forget, leftBy, type LocalRun, runLocal, startOwnEmulator } from './run-local';

const REGION = 'us-east-1';
const names = namesOf('drowse');

describe('a life with IAM enforced on every call', () => {
  let emulator: Emulator;
  let run: LocalRun;

  beforeAll(async () => {
    emulator = await startOwnEmulator(true);
  });
  afterAll(async () => {
    await emulator.stop();
    expect(leftBy(run)).toEqual([]);
    forget(run);
  });

  it('passes, and names the call that a missing grant denies', async () => {
    run = runLocal(['up', '--auth'], { DROWSE_ENDPOINT: emulator.endpoint });
    const { code, stdout, stderr } = await run.ended;
    expect(stderr).toBe('');
    expect(stdout).toContain('wake succeeded');
    expect(code).toBe(0);

    await takeGrantsAway(emulator.endpoint, 'record-sizes');
    const { stepFunctions } = awsClients({ endpoint: emulator.endpoint, region: REGION });
    const arn = `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${names.workflow('sleep')}`;
    const sleep = await runWorkflow(stepFunctions, arn, 'sleep', () => undefined, new AbortController().signal);
    expect(sleep.status).toBe('FAILED');
    expect(sleep.cause).toContain('RecordSizes');
    expect(sleep.cause).toMatch(/not authorized to perform: dynamodb:UpdateItem/);
  }, 240_000);
});

/** Deletes every inline policy of a step's role. */
async function takeGrantsAway(endpoint: string, step: string): Promise<void> {
  const config = { endpoint, region: REGION, credentials: { accessKeyId: ACCOUNT, secretAccessKey: 'local' } };
  const lambda = new LambdaClient(config);
  const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: names.step(step) }));
  const RoleName = Configuration?.Role?.split('/').at(-1);
  const iam = new IAMClient(config);
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  expect(PolicyNames).not.toEqual([]);
  for (const PolicyName of PolicyNames) await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
}
