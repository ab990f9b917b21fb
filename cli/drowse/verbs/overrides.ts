import * as z from 'zod';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { spanMs } from '../span';
import { type TargetOptions, targetOf } from '../target';
import { WakeApi } from '../wake-api';

const answer = z.looseObject({ message: z.string() });

/** Keeps the cluster awake until a time, or ends that. */
export async function keepAwake(
  until: string | undefined,
  options: TargetOptions & { end?: boolean },
  signal: AbortSignal,
): Promise<number> {
  if ((until === undefined) !== (options.end === true)) {
    throw new CommandFailed(
      'keep-awake needs a time, or --end, and not both',
      'For example: drowse keep-awake 3h, or drowse keep-awake 2026-11-20T22:00.',
      '',
      EXIT.wrongUse,
    );
  }
  const body = until === undefined ? undefined : { until: instantOf(until, new Date()) };
  return override(options, signal, body ? 'PUT' : 'DELETE', '/keep-awake', body);
}

/** Leaves the next sleep or wake of the schedules out, or takes that back. */
export async function skipNext(
  workflow: string | undefined,
  options: TargetOptions & { undo?: boolean },
  signal: AbortSignal,
): Promise<number> {
  const known = workflow === 'sleep' || workflow === 'wake';
  if (options.undo === true ? workflow !== undefined : !known) {
    throw new CommandFailed(
      `skip-next needs sleep or wake, or --undo alone${workflow === undefined ? '' : `, not ${workflow}`}`,
      'For example: drowse skip-next sleep.',
      '',
      EXIT.wrongUse,
    );
  }
  return override(
    options,
    signal,
    options.undo ? 'DELETE' : 'PUT',
    '/skip-next',
    options.undo ? undefined : { workflow },
  );
}

/** Puts a sleep for lack of use off. */
export function postpone(options: TargetOptions, signal: AbortSignal): Promise<number> {
  return override(options, signal, 'POST', '/postpone-sleep');
}

/** A span from now on as an instant; anything else as it is, for the API to read in the schedules' time zone. */
export function instantOf(text: string, now: Date): string {
  const span = spanMs(text);
  return span === undefined ? text : new Date(now.getTime() + span).toISOString();
}

async function override(
  options: TargetOptions,
  signal: AbortSignal,
  method: 'POST' | 'PUT' | 'DELETE',
  path: '/keep-awake' | '/skip-next' | '/postpone-sleep',
  body?: object,
): Promise<number> {
  const target = targetOf(options);
  const api = await WakeApi.connect(target, signal);
  const found = await api.request(answer, method, path, body);
  console.log(options.json ? JSON.stringify(found) : `${target.description}\n${found.message}.`);
  return EXIT.done;
}
