import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';

/** True if an execution has ended, however it did. */
export async function isOver(sfn: SFNClient, executionArn: string): Promise<boolean> {
  try {
    const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return status !== 'RUNNING' && status !== 'PENDING_REDRIVE';
  } catch (error) {
    // AWS forgets an execution 90 days after its end.
    if (error instanceof ExecutionDoesNotExist) return true;
    throw error;
  }
}

/**
 * Starts an execution under a name that stands for its reason: a second start for the same reason starts nothing.
 * @returns ARN of the execution, whoever started it
 */
export async function startOnce(sfn: SFNClient, stateMachineArn: string, name: string, input: object): Promise<string> {
  try {
    const started = await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
    return started.executionArn ?? '';
  } catch (error) {
    if (!(error instanceof ExecutionAlreadyExists)) throw error;
    return `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  }
}
