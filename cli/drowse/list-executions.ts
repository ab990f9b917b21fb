import {
  DescribeExecutionCommand,
  ListExecutionsCommand,
  SFNClient,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { parseJson } from '../../core/parse-json';
import type { Run } from './answers';
import { ask, identityOf } from './aws';
import { machineArn, notDeployed, type Target } from './target';
import type { WorkflowName } from './workflows';

const request = z.object({ requestedBy: z.string() });

/** The last executions of a workflow, newest first, as Step Functions keeps them for 90 days. @throws CommandFailed */
export async function listExecutions(target: Target, workflow: WorkflowName, last: number): Promise<Run[]> {
  const { cluster, region } = target;
  const sfn = new SFNClient({ region });
  const stateMachineArn = machineArn({ ...(await identityOf(target)), region }, cluster, workflow);
  const { executions = [] } = await ask(target, async () => {
    try {
      return await sfn.send(new ListExecutionsCommand({ stateMachineArn, maxResults: last }));
    } catch (error) {
      if (error instanceof StateMachineDoesNotExist) throw notDeployed(target, `workflow ${workflow}`);
      throw error;
    }
  });
  const found: Run[] = [];
  // One after the other: Step Functions lets few such calls through a second.
  for (const { executionArn = '' } of executions) found.push(await readRun(target, sfn, workflow, executionArn));
  return found;
}

async function readRun(target: Target, sfn: SFNClient, workflow: string, executionArn: string): Promise<Run> {
  const execution = await ask(target, () => sfn.send(new DescribeExecutionCommand({ executionArn })));
  const { status, startDate = new Date(0), stopDate, input, error, cause } = execution;
  const asked = request.safeParse(parseJson(input));
  return {
    workflow,
    execution: executionArn,
    outcome: status === 'SUCCEEDED' ? 'succeeded' : status === 'RUNNING' ? 'running' : 'failed',
    startedAt: startDate.toISOString(),
    seconds: ((stopDate ?? new Date()).getTime() - startDate.getTime()) / 1000,
    ...(stopDate && { endedAt: stopDate.toISOString() }),
    ...(asked.success && { requestedBy: asked.data.requestedBy }),
    // What was stopped or took too long has no error of its own.
    ...(error === undefined ? status !== 'SUCCEEDED' && status !== 'RUNNING' && { error: status } : { error }),
    ...(cause !== undefined && { cause: messageOf(cause) }),
  };
}

/** The message within a function's cause, or the cause as it is. */
function messageOf(cause: string): string {
  const parsed = z.object({ errorMessage: z.string() }).safeParse(parseJson(cause));
  return parsed.success ? parsed.data.errorMessage : cause;
}
