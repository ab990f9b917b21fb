import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  ListExecutionsCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';

/** A workflow that was asked for and has yet to get its turn. */
export interface Waiting {
  workflow: 'wake' | 'sleep';
  /** ARN of the execution. */
  execution: string;
  /** UTC ISO time of its start. */
  since: string;
}

/** Executions of a machine that run now. */
export async function runningExecutions(
  sfn: SFNClient,
  stateMachineArn: string,
): Promise<Pick<Waiting, 'execution' | 'since'>[]> {
  const { executions = [] } = await sfn.send(new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING' }));
  return executions.flatMap(({ executionArn, startDate = new Date(0) }) =>
    executionArn === undefined ? [] : [{ execution: executionArn, since: startDate.toISOString() }],
  );
}

/**
 * Wakes and sleeps that run without holding the lease: they wait for its holder. The oldest first.
 * @param machines ARNs of the state machines
 * @param holder execution that has the lease
 */
export async function findWaiting(
  sfn: SFNClient,
  machines: Readonly<Record<Waiting['workflow'], string>>,
  holder: string | undefined,
): Promise<Waiting[]> {
  const found = await Promise.all(
    (['wake', 'sleep'] as const).map(async (workflow) =>
      (await runningExecutions(sfn, machines[workflow])).map((one) => ({ workflow, ...one })),
    ),
  );
  return found
    .flat()
    .filter(({ execution }) => execution !== holder)
    .sort((a, b) => a.since.localeCompare(b.since));
}

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

/** An execution that took the lease so recently (ms) may not be shown yet: Step Functions answers from what it has copied. */
const APPEARS_MS = 5 * 60_000;

/** True if whoever holds the lease has ended. */
export async function isHolderOver(
  sfn: SFNClient,
  { owner, since }: { owner: string; since: string },
  now = Date.now(),
): Promise<boolean> {
  return (await isOver(sfn, owner)) && (now - Date.parse(since) > APPEARS_MS || (await isKnown(sfn, owner)));
}

async function isKnown(sfn: SFNClient, executionArn: string): Promise<boolean> {
  try {
    await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return true;
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return false;
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
