import {
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import { identityOf } from './aws';
import { explainAws } from './explain-aws';
import { machineArn, notDeployed, type Target } from './target';

/** How an execution has ended, in Step Functions' words. */
export interface Ended {
  /** `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`. */
  status: string;
  error: string | undefined;
  cause: string | undefined;
  /** What its last state left, as JSON; of one that succeeded. */
  output?: string | undefined;
}

/** Every workflow of a cluster that a person may start or look at. */
export const WORKFLOWS = [
  'bootstrap',
  'wake',
  'sleep',
  'install-platform',
  'snapshot-etcd',
  'restore-etcd',
  'join-node',
  'handle-node-loss',
  'recover-pools',
] as const;
export type WorkflowName = (typeof WORKFLOWS)[number];

/**
 * Starts a workflow in the name of the caller.
 * @param request what it is asked for beside that
 * @returns ARN of the execution
 * @throws CommandFailed if the cluster is not deployed, or the caller may not
 */
export async function startWorkflow(target: Target, workflow: WorkflowName, request: object = {}): Promise<string> {
  const { cluster, region, description } = target;
  const { account, partition, requestedBy } = await identityOf(target);
  try {
    const stateMachineArn = machineArn({ partition, region, account }, cluster, workflow);
    const input = JSON.stringify({ ...request, requestedBy });
    const { executionArn = '' } = await new SFNClient({ region }).send(
      new StartExecutionCommand({ stateMachineArn, input }),
    );
    return executionArn;
  } catch (error) {
    if (error instanceof StateMachineDoesNotExist) throw notDeployed(target, `workflow ${workflow}`);
    throw explainAws(error, description);
  }
}

/** How an execution has ended; undefined while it runs. */
export function lookAtEnd({ region, description }: Target, executionArn: string): () => Promise<Ended | undefined> {
  const client = new SFNClient({ region });
  return async () => {
    try {
      const { status = '', error, cause, output } = await client.send(new DescribeExecutionCommand({ executionArn }));
      return status === 'RUNNING' || status === 'PENDING_REDRIVE' ? undefined : { status, error, cause, output };
    } catch (error) {
      throw explainAws(error, description);
    }
  };
}
