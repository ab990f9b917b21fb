import { createHash } from 'node:crypto';
import { DescribeExecutionCommand, ExecutionDoesNotExist, type SFNClient } from '@aws-sdk/client-sfn';
import type { MissedEvent } from '../../core/decisions/look-after';
import { type ClusterRecord, STATES_OF } from '../../core/record/cluster-record';
import { eventKey, type ScheduleBook, type ScheduleEvent, scheduleEvents } from '../../core/schedule/events';
import {
  overridesOf,
  type OverrideRecord,
  type ScheduleStore,
  type TriggerRecord,
} from '../shared/record/schedule-store';

/** Scheduler itself has this long to deliver a trigger (ms). */
const GRACE_MS = 5 * 60_000;
/** The longest keep-awake, and a day: no event that is older can be due (ms). */
const LOOK_BACK_MS = 32 * 24 * 3_600_000;
/** Every schedule acts each week (ms). */
const LOOK_AHEAD_MS = 8 * 24 * 3_600_000;

interface Deps {
  book: ScheduleBook;
  schedules: ScheduleStore;
  sfn: SFNClient;
}

/** What the schedules have to say at a moment. */
export interface ScheduleView {
  missed: MissedEvent | undefined;
  /** Epoch ms. */
  nextWake: number | undefined;
  keepAwakeUntil: number | undefined;
}

/** What the schedules want, and what of it was missed. */
export async function viewSchedules(deps: Deps, record: ClusterRecord, now: Date): Promise<ScheduleView> {
  const { book, schedules } = deps;
  const overrides = await schedules.readOverrides();
  const { until } = overrides.keepAwake ?? {};
  const range = { from: now, to: new Date(now.getTime() + LOOK_AHEAD_MS) };
  const ahead = scheduleEvents(book, range, overridesOf(overrides));
  const nextWake = ahead.find(({ workflow, skipped }) => workflow === 'wake' && skipped === undefined);
  return {
    missed: await findMissed(deps, record, overrides, now.getTime()),
    nextWake: nextWake && Date.parse(nextWake.at),
    keepAwakeUntil: until === undefined ? undefined : Date.parse(until),
  };
}

/**
 * The schedules' latest event, if it was not taken in: a trigger that was lost, one whose execution ended before it had the
 * cluster, a local time that the clock left out, a sleep that a keep-awake held back until now. Only the latest counts,
 * since it says what the cluster is to be; and only until its deadline.
 */
async function findMissed(
  { book, schedules, sfn }: Deps,
  record: ClusterRecord,
  { keepAwake }: OverrideRecord,
  now: number,
): Promise<MissedEvent | undefined> {
  const range = { from: new Date(now - LOOK_BACK_MS), to: new Date(now - GRACE_MS) };
  const events = scheduleEvents(book, range).filter(({ skipped }) => skipped === undefined);
  if (events.length === 0) return undefined;
  const since = await schedules.scheduledSince(digestOf(book));
  for (const event of events.toReversed()) {
    const trace = await schedules.readTrigger(eventKey(event));
    // A wake that was left out leaves the sleep before it standing.
    if (event.workflow === 'wake' && trace?.reason === 'skip-next') continue;
    if (trace ? !(await isMissed(sfn, record, event, trace)) : event.at < since) return undefined;
    const heldUntil = event.workflow === 'sleep' && keepAwake ? Date.parse(keepAwake.until) : 0;
    const due = Math.max(Date.parse(event.at), heldUntil);
    const { catchUpMinutes = 0 } = book.schedules.find(({ name }) => name === event.schedule) ?? {};
    if (due > now || now - due > catchUpMinutes * 60_000) return undefined;
    const { workflow, schedule, at } = event;
    return { workflow, schedule, at };
  }
  return undefined;
}

function digestOf({ schedules }: ScheduleBook): string {
  return createHash('sha256').update(JSON.stringify(schedules)).digest('base64');
}

/** True if an event has not had its effect: the cluster was never meant to be what it says. */
async function isMissed(
  sfn: SFNClient,
  { wanted, state }: ClusterRecord,
  { workflow, at }: ScheduleEvent,
  trace: TriggerRecord,
): Promise<boolean> {
  if (trace.decision === 'skipped') return trace.reason === 'keep-awake';
  // Taken in: what became of it since is another matter.
  if (wanted && wanted.state === STATES_OF[workflow].wanted && wanted.since >= at) return false;
  try {
    const { status, error } = await sfn.send(new DescribeExecutionCommand({ executionArn: trace.execution }));
    if (status === 'RUNNING' || status === 'SUCCEEDED') return false;
    // What lost against somebody's own wake has lost; unless that wake failed.
    return error !== 'ClusterBusy' || state === 'wake-failed';
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return false;
    throw error;
  }
}
