import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import type { ClusterRecord } from '../../core/record/cluster-record';
import { failureInWords } from '../../core/words';
import type { ApiAnswer } from '../shared/api/api';
import { check } from '../shared/step/check';
import { InvalidInput } from '../shared/step/errors';

/** API Gateway gives a function 30 s for an answer. */
const LONGEST_SECONDS = 25;
/** Between two looks at the record (ms). */
const LOOK_MS = 1_500;

const query = z.object({
  for: z.enum(['awake', 'asleep']).default('awake'),
  seconds: z.coerce.number().min(0).max(LONGEST_SECONDS).default(LONGEST_SECONDS),
});

interface WaitDeps {
  store: { read: () => Promise<ClusterRecord> };
  now?: () => Date;
  wait?: (ms: number) => Promise<unknown>;
}

/**
 * Waits for the end of a wake or a sleep, as long as one request may take: 200 when it is there, 202 to be asked again, 409 when it
 * will not come by itself. A function that waits costs a hundredth of a cent a minute; what polls instead costs as much.
 */
export async function waitFor(
  { store, now = () => new Date(), wait = pause }: WaitDeps,
  asked: URLSearchParams,
): Promise<ApiAnswer> {
  const { for: goal, seconds } = check(query, Object.fromEntries(asked), InvalidInput, 'query of the request');
  const until = now().getTime() + seconds * 1000;
  for (;;) {
    const record = await store.read();
    const answer = answerOf(record, goal);
    if (answer.statusCode !== 202 || now().getTime() + LOOK_MS > until) return answer;
    await wait(LOOK_MS);
  }
}

function answerOf({ state, since, lease, failure }: ClusterRecord, goal: 'awake' | 'asleep'): ApiAnswer {
  const there = goal === 'asleep' ? state === 'asleep' : state === 'awake' || state === 'awake-degraded';
  if (there && !lease) return { statusCode: 200, body: { state, since, message: `The cluster is ${state}` } };
  if (state.endsWith('-failed') && !lease && failure) {
    const { step, advice } = failureInWords(failure);
    const message = `It failed at “${step}” (${failure.error}). ${advice}`;
    return { statusCode: 409, body: { error: state === 'wake-failed' ? 'WakeFailed' : 'SleepFailed', message } };
  }
  const message = lease ? `${lease.workflow} is at ${lease.step}` : `The cluster is ${state}; nothing has begun yet`;
  return { statusCode: 202, body: { state, since, message } };
}
