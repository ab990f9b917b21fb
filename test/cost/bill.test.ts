import { type BilledLife, monthBill } from '../../core/cost/bill';
import { parseConfig } from '../../lib/config/load';
import { ratesEnv, ratesEnvironment } from '../../core/cost/rates';
import type { PastRun } from '../../core/record/past-run';

const RATES = { awakePerHour: 1, asleepPerHour: 0.1 };
const NOW = new Date('2026-11-20T12:00:00Z');

const run = (
  workflow: PastRun['workflow'],
  startedAt: string,
  endedAt: string,
  outcome: PastRun['outcome'] = 'succeeded',
): PastRun => ({ workflow, startedAt: `2026-${startedAt}Z`, endedAt: `2026-${endedAt}Z`, requestedBy: 'x', outcome });
const wake = (at: string, outcome?: PastRun['outcome']) => run('wake', at, at.replace(':00:', ':05:'), outcome);
const sleep = (at: string, outcome?: PastRun['outcome']) => run('sleep', at.replace(':00:', ':55:'), at, outcome);
const bill = (life: Partial<BilledLife>) => monthBill({ runs: [], state: 'asleep', now: NOW, ...life }, RATES);

test.each<[what: string, life: Partial<BilledLife>, awake: number, asleep: number]>([
  ['never started', {}, 0, 0],
  ['awake since before there was a record', { state: 'awake' }, 19.5 * 24, 0],
  ['first wake this month', { runs: [wake('11-20T10:00:00')], state: 'awake' }, 2, 0],
  ['asleep since', { runs: [wake('11-20T08:00:00'), sleep('11-20T10:00:00')] }, 2, 2],
  [
    'in any order',
    { runs: [sleep('11-20T10:00:00'), wake('11-20T11:00:00'), wake('11-20T08:00:00')], state: 'awake' },
    3,
    1,
  ],
  ['awake over the turn of the month', { runs: [wake('10-31T20:00:00'), sleep('11-01T06:00:00')] }, 6, 19.5 * 24 - 6],
  ['asleep over the turn', { runs: [wake('10-30T20:00:00'), sleep('10-31T06:00:00')] }, 0, 19.5 * 24],
  ['a failed sleep goes on costing', { runs: [wake('11-20T08:00:00'), sleep('11-20T10:00:00', 'failed')] }, 4, 0],
  ['so does a failed wake', { runs: [wake('11-20T08:00:00', 'failed')], state: 'wake-failed' }, 4, 0],
  ['a wake of what is awake', { runs: [wake('11-20T08:00:00'), wake('11-20T09:00:00')], state: 'awake' }, 4, 0],
  [
    'a wake that runs now',
    {
      runs: [wake('11-20T08:00:00'), sleep('11-20T09:00:00')],
      running: { workflow: 'wake', since: '2026-11-20T11:00:00Z' },
      state: 'waking',
    },
    2,
    2,
  ],
])('%s', (_what, life, awake, asleep) => {
  const { awakeHours, asleepHours, usd, alwaysOnUsd, savedUsd } = bill(life);
  expect([awakeHours, asleepHours]).toEqual([expect.closeTo(awake, 6), expect.closeTo(asleep, 6)]);
  expect(usd).toBeCloseTo(awake + asleep * 0.1, 6);
  expect(savedUsd).toBeCloseTo(asleep * 0.9, 6);
  expect(alwaysOnUsd).toBeCloseTo(usd + savedUsd, 6);
});

test('functions are told the rates of the configuration, in a few hundred bytes', () => {
  const environment = ratesEnvironment(
    parseConfig('schedules: [{ name: nights, days: [mon], sleep: "22:00" }]\nregion: eu-west-1'),
  );
  expect(environment.RATES.length).toBeLessThan(800);
  expect(ratesEnv.parse(environment).RATES).toMatchObject({
    awakePerHour: expect.closeTo(0.6, 0) as number,
    asleepPerHour: expect.closeTo(0.006, 3) as number,
    bySchedules: expect.closeTo(4.36, 1) as number,
    notes: [expect.stringContaining('Prices of eu-west-1') as string],
  });
});
