import type { ClusterConfig } from '../../core/config/schema';
import { namesOf } from '../../core/config/names';
import { type AwsClients, type Check, checkAsleep, checkAwake, takeSnapshot } from './checks';
import { checkPlatform, installedPlatform, type InstalledPlatform } from './platform';
import { ACCOUNT, type AwsEndpoint } from './environment';
import { type Progress, seconds } from '../../cli/terminal/progress';
import { type FollowOptions, runWorkflow, type WorkflowRun } from './workflow';

/** What a whole life showed. */
export interface Life {
  workflows: WorkflowRun[];
  checks: Check[];
  elasticIp: { beforeSleep: string; afterSleep: string; afterWake: string };
  /** What the bootstrap installed, and what the wake brought back. */
  platform: InstalledPlatform[];
}

const LIFE = ['bootstrap', 'sleep', 'wake'] as const;

/** Bootstrap → sleep → wake by real executions, with AWS looked at after each. Stops at the first that fails. */
export async function liveOnce(
  aws: AwsClients,
  at: AwsEndpoint,
  config: ClusterConfig,
  progress: Progress,
  signal: AbortSignal,
): Promise<Life> {
  const life: Life = {
    workflows: [],
    checks: [],
    elasticIp: { beforeSleep: '', afterSleep: '', afterWake: '' },
    platform: [],
  };
  const initial = await takeSnapshot(aws, config.name);
  const elasticIp = initial.elasticIps[0]?.address ?? 'none';
  for (const workflow of LIFE) {
    progress.heading(workflow);
    const run = await followWorkflow(aws, at, config.name, workflow, progress, signal);
    life.workflows.push(run);
    if (run.status !== 'SUCCEEDED') return life;
    const now = await takeSnapshot(aws, config.name);
    const told = workflow === 'sleep' ? [] : now.record.warnings;
    for (const warning of told) progress.print(`  ${progress.color.yellow('!')} warning: ${warning}`);
    life.checks.push(...(workflow === 'sleep' ? checkAsleep : checkAwake)(workflow, config, now, elasticIp));
    if (workflow !== 'sleep') {
      const platform = await installedPlatform(aws, at, config.name, workflow, life.platform);
      life.platform.push(platform);
      life.checks.push(...checkPlatform(workflow, config, platform));
    }
    const address = now.elasticIps[0]?.address ?? 'none';
    life.elasticIp[workflow === 'bootstrap' ? 'beforeSleep' : workflow === 'sleep' ? 'afterSleep' : 'afterWake'] =
      address;
  }
  return life;
}

/** Runs a workflow of the cluster to its end, and shows its states. */
export async function followWorkflow(
  aws: AwsClients,
  at: AwsEndpoint,
  cluster: string,
  workflow: string,
  progress: Progress,
  signal: AbortSignal,
  options: FollowOptions = {},
): Promise<WorkflowRun> {
  const arn = `arn:aws:states:${at.region}:${ACCOUNT}:stateMachine:${namesOf(cluster).workflow(workflow)}`;
  progress.start(workflow);
  const run = await runWorkflow(
    aws.stepFunctions,
    arn,
    workflow,
    (running, ended) => {
      if (ended) progress.print(`    ${ended.name} ${seconds(ended.seconds * 1000)}`);
      progress.update(`${workflow}: ${running.join(', ')}`);
    },
    signal,
    options,
  );
  if (run.status === 'SUCCEEDED') progress.done(`${workflow} succeeded`);
  else progress.fail(`${workflow} ${run.status.toLowerCase()}: ${run.error ?? ''} ${causeOf(run)}`);
  return run;
}

/** The message within a Lambda's cause, or the cause as it is. */
export function causeOf({ cause = '' }: Pick<WorkflowRun, 'cause'>): string {
  try {
    const { errorMessage } = JSON.parse(cause) as { errorMessage?: unknown };
    return typeof errorMessage === 'string' ? errorMessage : cause;
  } catch {
    return cause; // Not a Lambda's error object: a plain sentence.
  }
}
