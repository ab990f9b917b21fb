import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  StartExecutionCommand,
  StateMachineDoesNotExist,
} from '@aws-sdk/client-sfn';
import { details } from './errors';
import { Service } from './service';

/** An execution, as Step Functions tells of it. */
export interface ExecutionRecord {
  arn: string;
  machineArn: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT';
  startedAt: Date;
  /** JSON. */
  input: string;
  history: HistoryEvent[];
  error?: string;
  cause?: string;
}

/** Step Functions' own API; what runs the machines is plugged in. */
export class StepFunctions extends Service {
  readonly prefix = 'states';
  readonly executions = new Map<string, ExecutionRecord>();
  /** Starts an execution of a machine; undefined if there is no such machine. */
  start: (machineArn: string, input: unknown, name: string) => ExecutionRecord | undefined = () => undefined;
  private count = 0;

  constructor() {
    super();
    this.on(StartExecutionCommand, ({ stateMachineArn = '', input = '{}', name }) => {
      this.count += 1;
      const named = name ?? `unnamed-${String(this.count)}`;
      const arn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${named}`;
      const existing = this.executions.get(arn);
      if (existing) {
        if (existing.status === 'RUNNING' && existing.input === input) return { executionArn: arn };
        throw new ExecutionAlreadyExists(details(`Execution Already Exists: '${arn}'`));
      }
      const started = this.start(stateMachineArn, JSON.parse(input), named);
      if (!started) throw new StateMachineDoesNotExist(details(`State Machine Does Not Exist: '${stateMachineArn}'`));
      return { executionArn: started.arn };
    });
    this.on(DescribeExecutionCommand, ({ executionArn = '' }) => {
      const { arn, machineArn, status, input, error, cause } = this.get(executionArn);
      return { executionArn: arn, stateMachineArn: machineArn, status, input, error, cause };
    });
    this.on(ListExecutionsCommand, ({ stateMachineArn, statusFilter }) => ({
      executions: [...this.executions.values()]
        .filter(({ machineArn, status }) => machineArn === stateMachineArn && status === statusFilter)
        .map(({ arn, machineArn, status, startedAt }) => ({
          executionArn: arn,
          stateMachineArn: machineArn,
          name: arn.split(':').at(-1),
          status,
          startDate: startedAt,
        })),
    }));
    this.on(GetExecutionHistoryCommand, ({ executionArn = '', reverseOrder, maxResults = 100, nextToken }) => {
      const events = [...this.get(executionArn).history];
      if (reverseOrder) events.reverse();
      const from = Number(nextToken ?? 0);
      const to = from + maxResults;
      return { events: events.slice(from, to), ...(to < events.length && { nextToken: String(to) }) };
    });
  }

  private get(arn: string): ExecutionRecord {
    const found = this.executions.get(arn);
    if (!found) throw new ExecutionDoesNotExist(details(`Execution Does Not Exist: '${arn}'`));
    return found;
  }
}
