import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  type HistoryEvent,
  paginateGetExecutionHistory,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed } from '../../cli/terminal/errors';

/** Time that one state of a workflow took. */
export interface StateRun {
  name: string;
  /** UTC ISO. */
  enteredAt: string;
  seconds: number;
}

/** How one workflow went. */
export interface WorkflowRun {
  name: string;
  status: string;
  seconds: number;
  states: StateRun[];
  error?: string;
  cause?: string;
}

const POLL_MS = 200;
/** For what hangs: a machine ten times as busy takes minutes. */
const BOUND_MS = 900_000;

/** How a workflow is started and followed. */
export interface FollowOptions {
  /** Input of the execution. */
  input?: Record<string, unknown>;
  /** How long it may take, in milliseconds. */
  boundMs?: number;
}

/** States that only hold others together are not shown. */
const STRUCTURE = /^(Parallel|Map|Choice|Pass|Succeed|Fail)State/;

/**
 * Starts a workflow and follows it to its end.
 * @param onState called with the states under way, whenever one begins or ends
 * @throws CommandFailed it did not end within its bound, fifteen minutes by default
 */
export async function runWorkflow(
  client: SFNClient,
  stateMachineArn: string,
  name: string,
  onState: (running: string[], ended: StateRun | undefined) => void,
  signal: AbortSignal,
  { input = {}, boundMs = BOUND_MS }: FollowOptions = {},
): Promise<WorkflowRun> {
  const startedAt = Date.now();
  const { executionArn } = await client.send(
    new StartExecutionCommand({ stateMachineArn, input: JSON.stringify({ requestedBy: 'local', ...input }) }),
  );
  const follower = new HistoryFollower(onState);
  for (;;) {
    signal.throwIfAborted();
    const execution = await client.send(new DescribeExecutionCommand({ executionArn }));
    for await (const page of paginateGetExecutionHistory({ client }, { executionArn }))
      follower.read(page.events ?? []);
    if (execution.status !== 'RUNNING') return toRun(name, execution, follower.ended, Date.now() - startedAt);
    if (Date.now() - startedAt > boundMs) {
      throw new CommandFailed(
        `The workflow ${name} did not end within ${String(boundMs / 1000)} s; it is at ${follower.running.join(', ')}`,
        'Run it again with --verbose, and look at local/out/emulator.log.',
      );
    }
    await sleep(POLL_MS, undefined, { signal });
  }
}

class HistoryFollower {
  private lastId = 0;
  private readonly entered = new Map<string, Date>();
  readonly ended: StateRun[] = [];

  constructor(private readonly onState: (running: string[], ended: StateRun | undefined) => void) {}

  get running(): string[] {
    return [...this.entered.keys()];
  }

  read(events: readonly HistoryEvent[]): void {
    for (const event of events) {
      if ((event.id ?? 0) <= this.lastId) continue;
      this.lastId = event.id ?? 0;
      if (STRUCTURE.test(event.type ?? '')) continue;
      const entered = event.stateEnteredEventDetails?.name;
      const exited = event.stateExitedEventDetails?.name;
      const at = event.timestamp ?? new Date();
      if (entered !== undefined) {
        this.entered.set(entered, at);
        this.onState(this.running, undefined);
      } else if (exited !== undefined) {
        const since = this.entered.get(exited) ?? at;
        this.entered.delete(exited);
        const state = {
          name: exited,
          enteredAt: since.toISOString(),
          seconds: (at.getTime() - since.getTime()) / 1000,
        };
        this.ended.push(state);
        this.onState(this.running, state);
      }
    }
  }
}

function toRun(name: string, execution: DescribeExecutionCommandOutput, states: StateRun[], ms: number): WorkflowRun {
  return {
    name,
    status: execution.status ?? 'UNKNOWN',
    seconds: ms / 1000,
    states,
    ...(execution.error !== undefined && { error: execution.error }),
    ...(execution.cause !== undefined && { cause: execution.cause }),
  };
}
