import {
  ExecutionDoesNotExist,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type SFNClient,
} from '@aws-sdk/client-sfn';

/** What Step Functions answers at most in one page. */
const PAGE = 1000;

/** One task state of an execution: from when to when it was in it, retries included (epoch ms). */
export interface StateRun {
  name: string;
  enteredAt: number;
  /** Undefined while it is under way. */
  exitedAt: number | undefined;
}

/** An execution's task states in the order in which they were entered. */
export interface ExecutionStates {
  states: StateRun[];
  /** How the execution ended, in Step Functions' words (`ABORTED`, …), or `FORGOTTEN`; undefined while it runs. */
  ended: string | undefined;
}

/**
 * The states of an execution, out of its history: from its start, or with `newest` from its end, no further than so many
 * pages of a thousand events. A wake writes a few hundred.
 */
export async function readStates(
  sfn: SFNClient,
  executionArn: string,
  { pages, newest = false }: { pages: number; newest?: boolean },
): Promise<ExecutionStates> {
  const events = await readEvents(sfn, executionArn, pages, newest);
  if (events === undefined) return { states: [], ended: 'FORGOTTEN' };
  events.sort((a, b) => (a.id ?? 0) - (b.id ?? 0));
  const [, ended] = /^Execution(Succeeded|Failed|Aborted|TimedOut)$/.exec(events.at(-1)?.type ?? '') ?? [];
  return { states: toRuns(events), ended: ended?.toUpperCase() };
}

/** Undefined for an execution that AWS does not know, or no longer: it forgets them after 90 days. */
async function readEvents(
  sfn: SFNClient,
  executionArn: string,
  pages: number,
  reverseOrder: boolean,
): Promise<HistoryEvent[] | undefined> {
  const events: HistoryEvent[] = [];
  const input = { executionArn, maxResults: PAGE, reverseOrder, includeExecutionData: false };
  let nextToken: string | undefined;
  try {
    for (let page = 0; page < pages; page += 1) {
      const answer = await sfn.send(new GetExecutionHistoryCommand({ ...input, nextToken }));
      events.push(...(answer.events ?? []));
      nextToken = answer.nextToken;
      if (nextToken === undefined) break;
    }
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return undefined;
    throw error;
  }
  return events;
}

function toRuns(events: readonly HistoryEvent[]): StateRun[] {
  const runs: StateRun[] = [];
  for (const { type, timestamp, stateEnteredEventDetails: entered, stateExitedEventDetails: exited } of events) {
    const at = timestamp?.getTime() ?? 0;
    if (type === 'TaskStateEntered' && entered?.name !== undefined) {
      runs.push({ name: entered.name, enteredAt: at, exitedAt: undefined });
    }
    const run = type === 'TaskStateExited' ? runs.findLast(({ name }) => name === exited?.name) : undefined;
    if (run) run.exitedAt = at;
  }
  return runs;
}
