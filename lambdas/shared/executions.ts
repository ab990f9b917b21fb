import { DescribeExecutionCommand, ExecutionDoesNotExist, type SFNClient } from '@aws-sdk/client-sfn';

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
