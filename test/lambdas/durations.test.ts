import type { Twin } from '../../sim/run';
import { seconds } from '../../sim/virtual-time';
import { RunStore } from '../../lambdas/shared/record/run-store';
import { readStates } from '../../lambdas/shared/workflows/history';
import { arn, begin, live, liveAwake, makeStep, stop } from './support';

const itemsOf = ({ model }: Twin, prefix: string) =>
  [...model.dynamo.items].filter(([id]) => id.startsWith(prefix)).map(([, item]) => item);
const storeOf = ({ model }: Twin) => new RunStore(model.clients('record-durations').dynamo, model.names.table);

describe('record-durations', () => {
  test('keeps how long each state of a wake took, for a year', () =>
    liveAwake('', async (twin) => {
      await twin.run('sleep');
      const wake = await twin.run('wake', { requestedBy: 'ann' });
      const [run, ...others] = itemsOf(twin, 'run#wake#');
      expect(others).toEqual([]);
      expect(run).toMatchObject({ workflow: 'wake', requestedBy: 'ann', outcome: 'succeeded' });
      const { startedAt, states, expiresAt } = run as { startedAt: string; states: object[]; expiresAt: number };
      expect(run!.id).toBe(`run#wake#${startedAt}`);
      const expected = wake.states.filter(({ name }) => !['RecordDurations', 'RecordSuccess'].includes(name));
      expect(states).toEqual(
        expected.map(({ name, seconds = 0 }) => ({
          name,
          // To get its turn is no part of it.
          seconds: name === 'AcquireLease' ? 0 : Math.round(seconds * 10) / 10,
          at: expect.any(Number) as number,
        })),
      );
      expect(run!.seconds).toBeGreaterThan(100);
      expect(expiresAt - Date.parse(startedAt) / 1000).toBeGreaterThan(364 * 24 * 3600);
      expect(itemsOf(twin, 'run#').map(({ workflow }) => workflow)).toEqual(['bootstrap', 'sleep', 'wake']);
    }));

  test('says so when something was missing, and counts a repeated call once', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      const step = makeStep(twin.model, 'record-durations');
      await seconds(90);
      await step({ ...leased, nodes: { missing: 1 } });
      await step({ ...leased, nodes: { missing: 0 }, probe: { Error: 'AppNotReachable', Cause: '{}' } });
      expect(itemsOf(twin, 'run#')).toMatchObject([{ outcome: 'degraded', states: [] }]);
      expect(itemsOf(twin, 'runs#')).toEqual([]);
      await step({ ...leased, nodes: { missing: 0 } });
      await step({ ...leased, nodes: { missing: 0 } });
      expect((itemsOf(twin, 'runs#')[0] as { runs: object[] }).runs).toHaveLength(1);
      await expect(storeOf(twin).usual('wake')).resolves.toMatchObject({ seconds: expect.closeTo(90, -1) as number });
    }));
});

test('what a wake waited for its turn, and a wake of what was awake, say nothing of how long the next takes', () =>
  liveAwake('', async (twin) => {
    const sleep = twin.workflows.start('sleep');
    await seconds(3);
    const queued = twin.workflows.start('wake');
    await Promise.all([sleep.over, queued.over]);
    const { seconds: usual = 0 } = (await storeOf(twin).usual('wake')) ?? {};
    const waited = queued.states.find(({ name }) => name === 'AcquireLease')?.seconds ?? 0;
    expect(waited).toBeGreaterThan(60);
    expect(usual).toBeLessThan((Date.now() - queued.startedAt.getTime()) / 1000 - waited + 1);
    await twin.run('wake');
    expect(itemsOf(twin, 'run#wake#')).toHaveLength(2);
    await expect(storeOf(twin).usual('wake')).resolves.toMatchObject({ seconds: usual });
  }));

describe('RunStore', () => {
  const run = (n: number, duration: number, states: { name: string; seconds: number }[] = []) => ({
    workflow: 'wake' as const,
    startedAt: `2026-11-${String(n).padStart(2, '0')}T08:00:00.000Z`,
    seconds: duration,
    states,
    requestedBy: 'ann',
    outcome: 'succeeded' as const,
  });

  test('answers by the median of the last ten runs', () =>
    live('', async (twin) => {
      const store = storeOf(twin);
      await expect(store.usual('wake')).resolves.toBeUndefined();
      for (let n = 1; n <= 12; n += 1) {
        await store.record(run(n, n === 12 ? 900 : 100 + n, [{ name: 'WaitForApi', seconds: n }]), true);
      }
      // The runs 3 to 12: the slow one does not move the answer.
      await expect(store.usual('wake')).resolves.toEqual({ seconds: 107.5, states: { WaitForApi: 7.5 } });
      expect(itemsOf(twin, 'run#wake#')).toHaveLength(12);
    }));

  test('stays small, whatever a history holds', () =>
    live('', async (twin) => {
      const states = Array.from({ length: 500 }, (_, n) => ({ name: `AStateWithALongName${String(n)}`, seconds: n }));
      for (let n = 1; n <= 12; n += 1) await storeOf(twin).record(run(n, 100, states), true);
      for (const item of twin.model.dynamo.items.values()) expect(JSON.stringify(item).length).toBeLessThan(50_000);
    }));
});

describe('readStates', () => {
  test('pages through a history, and no further than it is told', () =>
    live('', async (twin) => {
      await begin(twin, 'wake');
      const { history } = twin.model.stepFunctions.executions.get(arn('wake'))!;
      const event = (type: string, at: number, name: string) => {
        const details = type === 'TaskStateEntered' ? 'stateEnteredEventDetails' : 'stateExitedEventDetails';
        history.push({ id: history.length + 1, type, timestamp: new Date(at), [details]: { name } } as never);
      };
      event('TaskStateEntered', 1000, 'First');
      for (let poll = 0; poll < 1500; poll += 1) {
        history.push({ id: history.length + 1, type: 'LambdaFunctionScheduled', timestamp: new Date(2000) });
      }
      event('TaskStateExited', 9000, 'First');
      event('TaskStateEntered', 9500, 'Second');
      const { stepFunctions } = twin.model.clients('record-durations');
      const first = { name: 'First', enteredAt: 1000, exitedAt: 9000 };
      const second = { name: 'Second', enteredAt: 9500, exitedAt: undefined };
      await expect(readStates(stepFunctions, arn('wake'), { pages: 5 })).resolves.toEqual({
        states: [first, second],
        ended: undefined,
      });
      await expect(readStates(stepFunctions, arn('wake'), { pages: 1 })).resolves.toMatchObject({
        states: [{ name: 'First', exitedAt: undefined }],
      });
      await expect(readStates(stepFunctions, arn('wake'), { pages: 1, newest: true })).resolves.toMatchObject({
        states: [second],
      });
      stop(twin, 'wake');
      await expect(readStates(stepFunctions, arn('sleep'), { pages: 1 })).resolves.toEqual({
        states: [],
        ended: 'FORGOTTEN',
      });
    }));
});
