import {
  estimateAfter,
  estimateRest,
  estimateWhole,
  quantile,
  type StateUnderWay,
  type TimedRun,
} from '../../core/record/estimate';
import { RunStore } from '../../lambdas/shared/record/run-store';
import { readStates } from '../../lambdas/shared/workflows/history';
import type { Twin } from '../../sim/run';
import { PLAN } from '../../sim/nodes';
import { seconds } from '../../sim/virtual-time';
import { liveAwake } from '../lambdas/support';

/** A run of three states: one as long as given, one of 20 s, one of 10 s. */
const run = (boot: number): TimedRun => ({
  seconds: boot + 32,
  states: [
    { name: 'AcquireLease', at: 0, seconds: 1 },
    { name: 'Boot', at: 1, seconds: boot },
    { name: 'Join', at: boot + 1, seconds: 20 },
    { name: 'Install', at: boot + 21, seconds: 10 },
  ],
});
const PAST = [60, 70, 80, 90, 100].map(run);
const T = 1_000_000;
/** States of a run that began at T: each with its end, in seconds from there. */
const states = (...ended: [name: string, from: number, to?: number][]): StateUnderWay[] =>
  ended.map(([name, from, to]) => ({
    name,
    enteredAt: T + from * 1000,
    exitedAt: to === undefined ? undefined : T + to * 1000,
  }));

describe('the rest of a run', () => {
  test.each<[what: string, now: number, states: StateUnderWay[], left: number, late?: boolean]>([
    ['at its start', 1, states(['AcquireLease', 0, 1], ['Boot', 1]), 111],
    ['a minute in, nobody is done', 61, states(['AcquireLease', 0, 1], ['Boot', 1]), 51],
    ['those that were done by now do not count', 110, states(['AcquireLease', 0, 1], ['Boot', 1]), 12],
    ['a slow boot that has ended says how long the rest is', 151, states(['AcquireLease', 0, 1], ['Boot', 1, 151]), 31],
    ['so does a quick one', 41, states(['AcquireLease', 0, 1], ['Boot', 1, 41], ['Join', 41]), 31],
    ['longer than ever', 140, states(['AcquireLease', 0, 1], ['Boot', 1]), 0, true],
  ])('%s', (_what, now, under, left, late = false) => {
    const estimate = estimateRest(PAST, under, T + now * 1000);
    expect(estimate).toMatchObject({ secondsLeft: expect.closeTo(left, 0) as number, runs: 5, late });
    expect(estimate!.secondsLeftAtMost).toBeGreaterThanOrEqual(estimate!.secondsLeft);
  });

  test('is not known without a past, without a mark, and from records that do not say when', () => {
    const under = states(['AcquireLease', 0, 1]);
    expect(estimateRest([], under, T)).toBeUndefined();
    expect(estimateRest(PAST, states(['AcquireLease', 0]), T)).toBeUndefined();
    expect(estimateRest(PAST, states(['Other', 0, 1]), T)).toBeUndefined();
    const old = [{ seconds: 90, states: [{ name: 'AcquireLease', seconds: 1 }] }];
    expect(estimateRest(old, under, T)).toBeUndefined();
    expect(estimateWhole(old)).toEqual({ seconds: 90, secondsAtMost: 90, runs: 1 });
  });
});

test('a whole run counts from when it has the cluster to itself', () => {
  expect(estimateWhole(PAST)).toEqual({ seconds: 111, secondsAtMost: expect.closeTo(127, 0) as number, runs: 5 });
  const queued: TimedRun = { seconds: 400, states: [{ name: 'AcquireLease', at: 0, seconds: 300 }] };
  expect(estimateWhole([queued])).toEqual({ seconds: 100, secondsAtMost: 100, runs: 1 });
  expect(estimateWhole([])).toBeUndefined();
});

test('what waits is done when both are', () => {
  const before = { secondsLeft: 20, secondsLeftAtMost: 40, runs: 4, late: true };
  expect(estimateAfter(before, estimateWhole(PAST))).toEqual({
    ...{ secondsLeft: 131, secondsLeftAtMost: expect.closeTo(167, 0) as number, runs: 4, late: true },
  });
  expect(estimateAfter(undefined, estimateWhole(PAST))).toBeUndefined();
  expect(estimateAfter(before, undefined)).toBeUndefined();
});

/** Wakes of the twin whose nodes take from 70 to 150 % of their time, phase by phase: of each, how wrong the estimate was. */
async function wake(twin: Twin, wakes: number): Promise<number[]> {
  let seed = 20;
  const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  const jitter = (usual: number) => usual * (0.7 + 0.8 * random() ** 2);
  twin.model.nodes.plan = ({ tags }) => {
    const { boot, runtime, last } = PLAN[tags['drowse:role'] === 'seat' ? 'seat' : 'pool'];
    return { boot: jitter(boot), runtime: jitter(runtime), last: jitter(last) };
  };
  const clients = twin.model.clients('test');
  const store = new RunStore(clients.dynamo, twin.model.names.table);
  const wrong: number[] = [];
  for (let n = 0; n < wakes; n += 1) {
    await twin.run('sleep');
    const past = await store.recent('wake');
    const execution = twin.workflows.start('wake', { requestedBy: 'test' });
    const looks: { at: number; left: number }[] = [];
    const runs = () => execution.status === 'RUNNING';
    while (runs()) {
      await Promise.race([seconds(15), execution.over]);
      const { states } = await readStates(clients.stepFunctions, execution.arn, { pages: 1, newest: true });
      const estimate = estimateRest(past, states, Date.now());
      if (estimate && runs()) looks.push({ at: Date.now(), left: estimate.secondsLeft });
    }
    expect(execution.status).toBe('SUCCEEDED');
    // The first wakes are what the estimate is made of.
    if (past.length < 5) continue;
    const end = Date.now();
    for (const { at, left } of looks) {
      const real = (end - at) / 1000;
      // In the last seconds nobody reads a share of them.
      if (real > 10) wrong.push((left - real) / real);
    }
  }
  return wrong;
}

test('half of the estimates are within 15 % of what the wake still takes, over wakes with jitter', () =>
  liveAwake('', async (twin) => {
    const wrong = await wake(twin, Number(process.env.DROWSE_WAKES ?? 60));
    const median = quantile(wrong.map(Math.abs), 0.5);
    if (process.env.DROWSE_WAKES !== undefined) console.log(wrong.length, median, quantile(wrong, 0.5));
    expect(wrong.length).toBeGreaterThan(100);
    expect(median).toBeLessThanOrEqual(0.15);
    // Neither always early nor always late.
    expect(Math.abs(quantile(wrong, 0.5))).toBeLessThanOrEqual(0.1);
  }));
