import * as z from 'zod';
import { workflow } from './contracts';

/** A workflow that has ended: who asked for it, why, and how it went. */
export const pastRun = z.object({
  workflow,
  /** UTC ISO times. */
  startedAt: z.string(),
  endedAt: z.string(),
  requestedBy: z.string(),
  /** In the words of whoever asked. */
  reason: z.string().optional(),
  outcome: z.enum(['succeeded', 'degraded', 'failed']),
  /** Where it failed, and by which error. */
  step: z.string().optional(),
  error: z.string().optional(),
});
export type PastRun = z.infer<typeof pastRun>;

/** `2026-11` of a UTC ISO time: what was done is kept by the month in which it began. */
export function monthOf(at: string): string {
  return at.slice(0, 7);
}

/** The month before, `2025-12` of `2026-01`. */
export function monthBefore(month: string): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 2)).toISOString().slice(0, 7);
}
