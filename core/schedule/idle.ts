import * as z from 'zod';
import type { ClusterConfig } from '../config/schema';
import { parseJson } from '../parse-json';

/** How often the detector looks, in minutes. */
export const LOOK_MINUTES = 5;
/** Over how many minutes a look asks: twice the interval, so that nothing falls between two. */
export const WINDOW_MINUTES = 2 * LOOK_MINUTES;

/** One sign of use, as far as it is known. */
export interface Sign {
  /** `requests`, `gpu`, `jobs`, `pods` or `sessions`. */
  source: string;
  state: 'idle' | 'active' | 'unknown';
  /** For a person, for example `2 Jobs run`. */
  detail: string;
}

/** What is remembered from look to look. */
export const idleRecord = z.object({
  /** Which look wrote it: the number of intervals since 1970. */
  look: z.int(),
  /** UTC ISO time since which nobody was seen to use the cluster; none while it is in use. */
  since: z.string().optional(),
  /** UTC ISO time for which a sleep has been announced. */
  sleepAt: z.string().optional(),
});
export type IdleRecord = z.infer<typeof idleRecord>;

/** What is to be done about a cluster that nobody uses, and what is to be remembered. */
export interface Assessment {
  record: IdleRecord;
  /** `call-off`: somebody came after the warning. */
  act: 'nothing' | 'warn' | 'call-off' | 'sleep';
}

interface Look {
  idle: Pick<ClusterConfig['idle'], 'afterMinutes' | 'warnMinutes'>;
  signs: readonly Sign[];
  /** What the last look left. */
  record: IdleRecord | undefined;
  /** UTC ISO times until which somebody wants it awake. */
  keptUntil: readonly (string | undefined)[];
  now: Date;
}

/**
 * Whether a cluster has been idle for long enough. Whatever is not known counts as use, since a sleep too late costs some
 * cents and one too early somebody's work. No sleep without a warning, and none earlier than it said.
 */
export function assessIdle({ idle, signs, record, keptUntil, now }: Look): Assessment {
  const look = lookAt(now);
  if (signs.some(({ state }) => state !== 'idle')) {
    return { record: { look }, act: record?.sleepAt === undefined ? 'nothing' : 'call-off' };
  }
  const since = record?.since ?? now.toISOString();
  const planned = Math.max(
    Date.parse(since) + idle.afterMinutes * 60_000,
    ...keptUntil.flatMap((until) => (until === undefined ? [] : [Date.parse(until)])),
  );
  const { sleepAt } = record ?? {};
  if (sleepAt !== undefined && Date.parse(sleepAt) >= planned) {
    return { record: { look, since, sleepAt }, act: Date.parse(sleepAt) <= now.getTime() ? 'sleep' : 'nothing' };
  }
  const warnAt = planned - idle.warnMinutes * 60_000;
  if (now.getTime() < warnAt) return { record: { look, since }, act: 'nothing' };
  const announced = new Date(Math.max(planned, now.getTime() + idle.warnMinutes * 60_000)).toISOString();
  return { record: { look, since, sleepAt: announced }, act: 'warn' };
}

/** Number of the look that a moment belongs to: a second trigger in the same interval is the same look. */
export function lookAt(now: Date): number {
  return Math.floor(now.getTime() / (LOOK_MINUTES * 60_000));
}

/** Environment of the functions that know when the cluster counts as idle. */
export const idleEnv = z.object({
  /** JSON of the configuration's `idle`. */
  IDLE: z.preprocess(
    parseJson,
    z.object({
      enabled: z.boolean(),
      afterMinutes: z.int(),
      warnMinutes: z.int(),
      postponeMinutes: z.int(),
      requestsPerMinute: z.number(),
      gpuPercent: z.number(),
      podLabels: z.array(z.string()),
    }),
  ),
});
