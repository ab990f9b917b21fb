import { GetExecutionHistoryCommand, type HistoryEvent, type SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { functionLogGroup, namesOf, workflowLogGroup } from '../../../core/config/names';
import type { FailureRecord } from '../../../core/record/cluster-record';
import { type failure, workflow } from '../../../core/record/contracts';
import { classOf, type FailureClass } from '../../../core/decisions/failure-classes';

/** Events looked at from the end of an execution; what came before a failure is close to it. */
const EVENTS = 200;

const lambdaCause = z.object({ errorMessage: z.string() });
const childCause = z.object({ Error: z.string(), Cause: z.string().default('') });

/**
 * A failure in the words of the step: Step Functions gives a Lambda's error as JSON with a stack trace, and a child
 * execution's as JSON of the whole execution under an error name of its own.
 */
export function readFailure({ Error, Cause }: z.output<typeof failure>): { error: string; cause: string } {
  const told = parseJson(Cause);
  const lambda = lambdaCause.safeParse(told);
  if (lambda.success) return { error: Error, cause: lambda.data.errorMessage };
  const child = childCause.safeParse(told);
  if (child.success) return readFailure(child.data);
  return { error: Error, cause: Cause };
}

/** What an error is, where to read on, and what to do about it. */
export interface Pointers {
  class: FailureClass;
  /** CloudWatch log group of what failed. */
  log: string;
  /** Entry of the runbook. */
  runbook: string;
}

/** A failure for the cluster's record: what went wrong, of which class, where to read on, what to do. */
export function toRecord<Failed extends Pick<FailureRecord, 'step' | 'error'>>(
  cluster: string,
  failed: Failed,
): Failed & Pointers {
  const { step, error } = failed;
  return { ...failed, class: classOf(error), log: logGroupOf(cluster, step), runbook: runbookOf(error) };
}

/** The runbook's entry of an error. */
export function runbookOf(error: string): string {
  return `docs/runbook.md#${error.toLowerCase().replaceAll('.', '')}`;
}

/** The log group in which a state's work is told: its function's, or the child workflow's. */
function logGroupOf(cluster: string, state: string): string {
  const name = state.replace(/\B[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  const names = namesOf(cluster);
  const isWorkflow = (workflow.options as readonly string[]).includes(name);
  return isWorkflow ? workflowLogGroup(names.workflow(name)) : functionLogGroup(names.step(name));
}

/** Name of the state that failed with this error, by the execution's own history; undefined if it does not tell. */
export async function findFailedState(
  sfn: SFNClient,
  cluster: string,
  execution: string,
  error: string,
): Promise<string | undefined> {
  const { events = [] } = await sfn.send(
    new GetExecutionHistoryCommand({ executionArn: execution, reverseOrder: true, maxResults: EVENTS }),
  );
  const byId = new Map(events.map((event) => [event.id, event]));
  let event = events.find((candidate) => errorOf(candidate) === error);
  while (event) {
    const state = stateOf(event, cluster);
    if (state !== undefined) return state;
    event = byId.get(event.previousEventId ?? (event.id ?? 0) - 1);
  }
  return undefined;
}

function errorOf(event: HistoryEvent): string | undefined {
  return (
    event.lambdaFunctionFailedEventDetails ??
    event.lambdaFunctionTimedOutEventDetails ??
    event.lambdaFunctionScheduleFailedEventDetails ??
    event.taskFailedEventDetails ??
    event.taskTimedOutEventDetails
  )?.error;
}

/** The state of an event: by its own name, or by the function that it calls, which is named after the state. */
function stateOf(event: HistoryEvent, cluster: string): string | undefined {
  const { name } = event.stateEnteredEventDetails ?? {};
  if (name !== undefined) return name;
  const resource = event.lambdaFunctionScheduledEventDetails?.resource ?? event.taskFailedEventDetails?.resource ?? '';
  const [, step] = resource.split(`:function:${namesOf(cluster).step('')}`);
  return step?.replace(/:.*$/, '').replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Plain text: the caller takes it as it is.
  }
}
