import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import Table from 'cli-table3';
import * as z from 'zod';
import { parseJson } from '../../../core/parse-json';
import { colors } from '../../terminal/colors';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { answer } from '../answers';
import { ask, identityOf } from '../aws';
import { duration } from '../describe';
import { count } from '../span';
import { machineArn, notDeployed, type Target, type TargetOptions, targetOf } from '../target';
import { type WorkflowName, WORKFLOWS } from '../workflows';

export interface RunsOptions extends TargetOptions {
  last: string;
}

interface Run {
  workflow: string;
  execution: string;
  status: string;
  startedAt: string;
  endedAt?: string;
  seconds: number;
  requestedBy?: string;
  error?: string;
  cause?: string;
}

const MOST = 100;
const request = z.object({ requestedBy: z.string() });

/** Lists the last runs of the workflows, as Step Functions keeps them for 90 days: who began each, how long it took, how it ended. */
export async function runs(workflow: string | undefined, options: RunsOptions): Promise<number> {
  const target = targetOf(options);
  const last = count('--last', options.last, MOST);
  const found = await readRuns(target, workflow === undefined ? WORKFLOWS : [known(workflow)], last);
  if (options.json) {
    answer('runs', found);
    return EXIT.done;
  }
  console.log(target.description);
  console.log(found.length === 0 ? 'No workflow has run in the last 90 days.' : tableOf(found));
  return EXIT.done;
}

function known(workflow: string): WorkflowName {
  const found = WORKFLOWS.find((name) => name === workflow);
  if (found !== undefined) return found;
  throw new CommandFailed(`There is no workflow ${workflow}`, `There are ${WORKFLOWS.join(', ')}.`, '', EXIT.wrongUse);
}

async function readRuns(target: Target, workflows: readonly WorkflowName[], last: number): Promise<Run[]> {
  const { cluster, region } = target;
  const sfn = new SFNClient({ region });
  const identity = await identityOf(target);
  const lists = await Promise.all(
    workflows.map(async (workflow) => {
      const stateMachineArn = machineArn({ ...identity, region }, cluster, workflow);
      const { executions = [] } = await ask(target, async () => {
        try {
          return await sfn.send(new ListExecutionsCommand({ stateMachineArn, maxResults: last }));
        } catch (error) {
          if (error instanceof StateMachineDoesNotExist) throw notDeployed(target, `workflow ${workflow}`);
          throw error;
        }
      });
      return executions.map(({ executionArn = '', startDate }) => ({
        workflow,
        executionArn,
        at: startDate?.getTime() ?? 0,
      }));
    }),
  );
  const newest = lists
    .flat()
    .sort((a, b) => b.at - a.at)
    .slice(0, last);
  const found: Run[] = [];
  // One after the other: Step Functions lets few such calls through a second.
  for (const { workflow, executionArn } of newest) {
    found.push(await readRun(target, sfn, workflow, executionArn));
  }
  return found;
}

async function readRun(target: Target, sfn: SFNClient, workflow: string, executionArn: string): Promise<Run> {
  const execution = await ask(target, () => sfn.send(new DescribeExecutionCommand({ executionArn })));
  const { status = '', startDate = new Date(0), stopDate, input, error, cause } = execution;
  const asked = request.safeParse(parseJson(input));
  return {
    workflow,
    execution: executionArn,
    status,
    startedAt: startDate.toISOString(),
    seconds: Math.round(((stopDate ?? new Date()).getTime() - startDate.getTime()) / 100) / 10,
    ...(stopDate && { endedAt: stopDate.toISOString() }),
    ...(asked.success && { requestedBy: asked.data.requestedBy }),
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause: messageOf(cause) }),
  };
}

/** The message within a function's cause, or the cause as it is. */
function messageOf(cause: string): string {
  const parsed = z.object({ errorMessage: z.string() }).safeParse(parseJson(cause));
  return parsed.success ? parsed.data.errorMessage : cause;
}

function tableOf(found: readonly Run[]): string {
  const color = colors(process.stdout);
  const table = new Table({
    head: ['began', 'workflow', 'by', 'took', 'ended as'],
    style: { head: [], border: [], compact: true },
    wordWrap: true,
  });
  for (const { startedAt, workflow, requestedBy, seconds, status, error } of found) {
    const paint = status === 'SUCCEEDED' ? color.green : status === 'RUNNING' ? color.cyan : color.red;
    const how = paint([status.toLowerCase().replace('_', ' '), error].filter(Boolean).join(': '));
    table.push([
      `${startedAt.slice(0, 19).replace('T', ' ')} UTC`,
      workflow,
      requestedBy ?? '',
      duration(seconds * 1000),
      how,
    ]);
  }
  const causes = found.filter(({ cause }) => cause !== undefined);
  return [
    table.toString(),
    ...causes.map(({ workflow, startedAt, cause }) => `${workflow} of ${startedAt}: ${cause ?? ''}`),
  ].join('\n');
}
