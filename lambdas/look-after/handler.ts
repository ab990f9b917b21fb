import * as z from 'zod';
import { type Decision, lookAfter as decide, type Seen } from '../../core/decisions/look-after';
import type { Care, ClusterRecord } from '../../core/record/cluster-record';
import { intentOf } from '../../core/record/intent';
import { logger } from '../shared/clients/logger';
import { sendUnsent } from '../shared/news/notify';
import { step } from '../shared/step/step';
import { act } from './act';
import { type CareDeps, careDeps } from './deps';
import { env } from './env';
import { observe } from './observe';
import { tellOfSleep } from './soon';

const input = z.object({
  execution: z.string(),
  /** True of an event that tells of a change: AWS is asked, also of a cluster that sleeps. */
  full: z.boolean().default(false),
});

/** After an ending was recorded, it is looked again at once. */
const ROUNDS = 2;

interface Answer {
  /** What was done, in words. */
  done: string[];
}

/**
 * Looks at what is, compares it with what should be, and puts right what is not: every few minutes, and whenever an event
 * tells of a change. Nothing is remembered between looks but how often something was tried, so that a lost, late or
 * doubled event changes nothing but the speed.
 */
export const lookAfter =
  (deps: CareDeps) =>
  async ({ full }: z.output<typeof input>): Promise<Answer> => {
    await unlessItFails('News not sent', () => sendUnsent(deps.notify));
    const { now = Date.now } = deps;
    const done: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const record = await deps.store.read();
      if (round === 0) await unlessItFails('A sleep not announced', () => tellOfSleep(deps, record, new Date(now())));
      if (intentOf(record) === undefined) break;
      const seen = await observe(deps, record, full);
      const { decisions, forgotten } = decide(seen);
      if (decisions.length > 0) logger.info('Not as it should be', { decisions });
      const acted = await carryOut(deps, record, seen, decisions, forgotten);
      done.push(...acted.map(({ action, what }) => `${action.do}: ${what}`));
      if (!acted.some(({ action }) => action.do === 'record-ending')) break;
    }
    return { done };
  };

/**
 * Acts one after the other. Each try is counted first, in one write that holds only as long as the cluster is what was seen:
 * whoever comes second, or late, does nothing.
 */
async function carryOut(
  deps: CareDeps,
  record: ClusterRecord,
  seen: Seen,
  decisions: readonly Decision[],
  forgotten: readonly string[],
): Promise<Decision[]> {
  const done: Decision[] = [];
  let care: Care = record.care ?? { version: 0, tries: {} };
  const { lease, state } = record;
  const claim = async (tries: Care['tries']) => {
    const next = { version: care.version + 1, tries };
    if (!(await deps.store.recordCare(next, { state, owner: lease?.owner }))) return false;
    care = next;
    return true;
  };
  if (forgotten.length > 0) {
    const kept = Object.fromEntries(Object.entries(care.tries).filter(([key]) => !forgotten.includes(key)));
    if (!(await claim(kept))) return done;
  }
  const at = new Date(seen.now).toISOString();
  for (const decision of decisions) {
    const { key, tell } = decision;
    const { count = 0, told } = care.tries[key] ?? {};
    const tried = tell ? { count, at, told: true } : { count: count + 1, at, ...(told && { told }) };
    const perform = () => unlessItFails(`Not done: ${decision.action.do}`, () => act(deps, decision, seen, record));
    // The outbox sees to it that news is told once; noted before, it would be lost with a function that dies in between.
    if (tell && !(await perform())) continue;
    if (!(await claim({ ...care.tries, [key]: tried }))) break;
    if (tell || (await perform())) done.push(decision);
  }
  return done;
}

/** What fails is found again by the next look. */
async function unlessItFails(what: string, run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    logger.error(what, error as Error);
    return false;
  }
}

export const handler = step({ name: 'look-after', input, env, deps: careDeps, renewsLease: false }, lookAfter);
