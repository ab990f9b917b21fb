import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { DescribeExecutionCommand, ListExecutionsCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { loadConfig } from '../../lib/config/load';
import { namesOf } from '../../core/config/names';
import {
  type AwsClients,
  awsClients,
  type Check,
  checkAwake,
  type Snapshot,
  takeSnapshot,
} from '../../local/run/checks';
import { ACCOUNT } from '../../local/run/environment';
import { OUT, ROOT } from '../../local/run/paths';
import { forget, leftBy, type LocalRun, runLocal } from './run-local';

export const REGION = 'us-east-1';
export const NAME = 'drowse';
export const names = namesOf(NAME);
export const CREDENTIALS = { accessKeyId: ACCOUNT, secretAccessKey: 'local' };

/** The default cluster, with operators who may reach its API. */
export const CONFIG = path.join(ROOT, 'test', 'e2e', 'cluster.yaml');

/** Bound of everything that happens by itself in the embedded AWS (ms): many times what it takes. */
const PATIENCE = 480_000;
const POLL = 250;

/** What `local/main.ts up --json` prints. */
export interface RunJson {
  ok: boolean;
  emulator: { name: string; version: string; endpoint: string };
  workflows: {
    name: string;
    status: string;
    seconds: number;
    states: { name: string; enteredAt: string; seconds: number }[];
  }[];
  checks: Check[];
  elasticIp: { beforeSleep: string; afterSleep: string; afterWake: string };
  seconds: Record<'setup' | 'deploy' | 'life' | 'total', number>;
}

/** How an execution ended. */
export interface Execution {
  status: string;
  error?: string;
  cause?: string;
  output?: object;
}

/** What GET /status and POST /wake answer, as far as a test reads it. */
export interface Answer {
  state: string;
  message?: string;
  nodes?: unknown[];
}

/**
 * The one cluster that all cases share, deployed by the local command with IAM enforced on every call. Each case finds
 * it awake, and leaves it so.
 */
export class Cluster {
  aws!: AwsClients;
  endpoint!: string;
  /** What the command said at its end, and what its files and the lines of its guide answered then. */
  run!: RunJson;
  runFile: unknown;
  answers: Answer[] = [];
  private command!: LocalRun;

  async deploy(): Promise<void> {
    // The cases call the same functions again and again: each stays warm.
    const env = { DROWSE_WARM_LAMBDAS: '60' };
    this.command = runLocal(['up', '--json', '--verbose', '--keep', '--auth', '--config', CONFIG], env);
    const { code, stdout, stderr } = await this.command.ended;
    if (code !== 0) throw new Error(`exit code ${String(code)}\n${stderr}`);
    this.run = JSON.parse(stdout) as RunJson;
    this.runFile = JSON.parse(readFileSync(path.join(OUT, 'run.json'), 'utf8'));
    this.endpoint = this.run.emulator.endpoint;
    this.aws = awsClients({ endpoint: this.endpoint, region: REGION });
    const lines = stderr.split('\n').filter((line) => line.trim().startsWith('curl '));
    this.answers = lines.map(
      (line) => JSON.parse(execFileSync('bash', ['-c', `${line} --silent`]).toString()) as Answer,
    );
  }

  /** Stops it; nothing of it outlives its end: no process, no folder. */
  async stop(): Promise<void> {
    const down = runLocal(['down']);
    const { stdout } = await down.ended;
    forget(down);
    expect(stdout).toContain(`Stopped the embedded AWS at ${this.endpoint}.`);
    expect(leftBy(this.command)).toEqual([]);
    forget(this.command);
  }

  /** Sets or clears faults of the embedded AWS (local/aws/drowse_aws/faults.py). */
  fault(body: object): Promise<void> {
    return setFault(this.endpoint, body);
  }

  /** Starts a workflow and waits for its end, whatever that is. */
  async execute(workflow: string, input: object = { requestedBy: 'somebody' }): Promise<Execution> {
    const started = new StartExecutionCommand({ stateMachineArn: machine(workflow), input: JSON.stringify(input) });
    const { executionArn = '' } = await this.aws.stepFunctions.send(started);
    let execution = await this.execution(executionArn);
    await until(`${workflow} ends`, async () => (execution = await this.execution(executionArn)).status !== 'RUNNING');
    return execution;
  }

  async execution(executionArn: string): Promise<Execution> {
    const found = await this.aws.stepFunctions.send(new DescribeExecutionCommand({ executionArn }));
    const { status = '', error, cause, output } = found;
    return {
      status,
      ...(error !== undefined && { error }),
      ...(cause !== undefined && { cause }),
      ...(output !== undefined && { output: JSON.parse(output) as object }),
    };
  }

  /** The executions of a workflow. */
  async executions(workflow: string): Promise<{ arn: string; status: string }[]> {
    const wanted = new ListExecutionsCommand({ stateMachineArn: machine(workflow) });
    const { executions = [] } = await this.aws.stepFunctions.send(wanted);
    return executions.map(({ executionArn: arn = '', status = '' }) => ({ arn, status }));
  }

  /** Address of the cluster's API; another one after each time that its stack was made. */
  async apiUrl(): Promise<string> {
    const client = new CloudFormationClient({ endpoint: this.endpoint, region: REGION, credentials: CREDENTIALS });
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: names.operationsStack }));
    const id = Stacks[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'ApiId')?.OutputValue ?? 'none';
    return `${this.endpoint}/_aws/execute-api/${id}/$default`;
  }

  async snapshot(): Promise<Snapshot> {
    return takeSnapshot(this.aws, NAME);
  }

  /** All that holds of an awake cluster holds now. */
  async expectAwake(): Promise<void> {
    expect(await this.failedChecks()).toEqual([]);
  }

  /** Waits until the cluster has everything again, and what is done about a loss is over. */
  async recovers(): Promise<void> {
    // The platform is not installed again for one node.
    const ofPlatform = ({ what }: Check) => what.startsWith('platform installed');
    await until('everything is there', async () => (await this.failedChecks()).every(ofPlatform));
    await until('each loss was handled', async () =>
      (await this.executions('handle-node-loss')).every(({ status }) => status !== 'RUNNING'),
    );
  }

  private async failedChecks(): Promise<Check[]> {
    const now = await this.snapshot();
    const checks = checkAwake('now', loadConfig(CONFIG), now, now.elasticIps[0]?.address ?? 'none');
    return checks.filter(({ ok }) => !ok);
  }
}

export function machine(workflow: string): string {
  return `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${names.workflow(workflow)}`;
}

/** Sets or clears faults of an embedded AWS. */
export async function setFault(endpoint: string, body: object): Promise<void> {
  const answer = await fetch(`${endpoint}/_drowse/faults`, { method: 'POST', body: JSON.stringify(body) });
  expect(answer.status).toBe(200);
}

export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const start = Date.now();
  while (!(await holds())) {
    if (Date.now() - start > PATIENCE) throw new Error(`Not within ${String(PATIENCE / 1000)} s: ${what}`);
    await sleep(POLL);
  }
}
