import { createHash } from 'node:crypto';
import { DescribeExecutionCommand, ExecutionDoesNotExist, type SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { eventKey, type ScheduleBook, type ScheduledWorkflow, scheduleEvents } from '../../lib/schedule/events';
import { dynamo, stepFunctions } from '../shared/clients';
import type { ClusterStore } from '../shared/cluster-store';
import { clusterStore } from '../shared/deps';
import { isOver, startOnce } from '../shared/executions';
import { classOf } from '../shared/failure-classes';
import { ScheduleStore, type TriggerRecord } from '../shared/schedule-store';
import { step } from '../shared/step';
import { env } from './env';

const input = z.object({ execution: z.string() });

/** Scheduler itself has this long to deliver a trigger (ms). */
const GRACE_MS = 5 * 60_000;
/** The longest keep-awake, and a day: no event that is older can be due (ms). */
const LOOK_BACK_MS = 32 * 24 * 3_600_000;

interface Deps {
  book: ScheduleBook;
  machines: Readonly<Record<ScheduledWorkflow, string>>;
  schedules: ScheduleStore;
  sfn: SFNClient;
  store: ClusterStore;
  now?: () => Date;
}

interface Answer {
  /** The execution that makes good for what was missed; none if nothing was, or it is too late. */
  started?: string;
}

/**
 * Makes good for what the schedules have missed: a trigger that was lost, one that ended in a passing failure, a local time
 * that the clock left out, a sleep that a keep-awake held back until now. Only the latest event counts, since it says what
 * the cluster is to be; and only until its deadline. Each is made good for once, by the name of the execution.
 */
export const catchUpSchedules = (deps: Deps) => async (): Promise<Answer> => {
  const { book, machines, schedules, sfn, store, now = () => new Date() } = deps;
  const present = now().getTime();
  const range = { from: new Date(present - LOOK_BACK_MS), to: new Date(present - GRACE_MS) };
  const events = scheduleEvents(book, range).filter(({ skipped }) => skipped === undefined);
  if (events.length === 0) return {};
  const since = await schedules.scheduledSince(digestOf(book));
  const { keepAwake } = await schedules.readOverrides();
  for (const event of events.toReversed()) {
    const trace = await schedules.readTrigger(eventKey(event));
    // A wake that was left out leaves the sleep before it standing.
    if (event.workflow === 'wake' && trace?.reason === 'skip-next') continue;
    if (trace ? !(await isMissed(sfn, trace)) : event.at < since) return {};
    const heldUntil = event.workflow === 'sleep' && keepAwake ? Date.parse(keepAwake.until) : 0;
    const due = Math.max(Date.parse(event.at), heldUntil);
    const { catchUpMinutes = 0 } = book.schedules.find(({ name }) => name === event.schedule) ?? {};
    if (due > present || present - due > catchUpMinutes * 60_000) return {};
    // Whatever holds the cluster now would make it end as ClusterBusy; the next look is in some minutes.
    const { lease } = await store.read();
    if (lease && !(await isOver(sfn, lease.owner))) return {};
    const name = `catch-up-${event.schedule}-${event.workflow}-${String(Math.floor(due / 60_000))}`;
    const request = { requestedBy: `catch-up:${event.schedule}`, scheduledAt: event.at };
    return { started: await startOnce(sfn, machines[event.workflow], name, request) };
  }
  return {};
};

function digestOf({ schedules }: ScheduleBook): string {
  return createHash('sha256').update(JSON.stringify(schedules)).digest('base64');
}

/** True if an event has not had its effect, and it would help to start it again. */
async function isMissed(sfn: SFNClient, trace: TriggerRecord): Promise<boolean> {
  if (trace.decision === 'skipped') return trace.reason === 'keep-awake';
  try {
    const { status, error = '' } = await sfn.send(new DescribeExecutionCommand({ executionArn: trace.execution }));
    // Whoever stopped it meant it.
    return status === 'TIMED_OUT' || (status === 'FAILED' && classOf(error) === 'retryable');
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return false;
    throw error;
  }
}

export const handler = step(
  {
    name: 'catch-up-schedules',
    input,
    env,
    deps: (env) => ({
      book: { schedules: env.SCHEDULES, holidays: env.HOLIDAYS },
      machines: { sleep: env.SLEEP_MACHINE_ARN, wake: env.WAKE_MACHINE_ARN },
      schedules: new ScheduleStore(dynamo(), env.TABLE_NAME),
      sfn: stepFunctions(),
      store: clusterStore(env),
    }),
    renewsLease: false,
  },
  catchUpSchedules,
);
