import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { withClients } from '../../lambdas/shared/clients/clients';
import { handler as getReport } from '../../lambdas/get-report/handler';
import { handler as requestSleep } from '../../lambdas/request-sleep/handler';
import { handler as requestWake } from '../../lambdas/request-wake/handler';
import { HistoryStore } from '../../lambdas/shared/record/history-store';
import { logger } from '../../lambdas/shared/clients/logger';
import type { Twin } from '../../sim/run';
import { environmentOf } from '../../sim/steps';
import { seconds } from '../../sim/virtual-time';
import { apiEvent, CALLER, NO_CONTEXT } from '../../sim/api-event';
import { answerProblems } from '../support/api-document';
import { begin, live, liveAwake, stop } from './support';

const HANDLERS = { 'get-report': getReport, 'request-sleep': requestSleep, 'request-wake': requestWake };

async function ask({ model }: Twin, name: keyof typeof HANDLERS, route: string, body?: string) {
  const instance = withClients(model.clients(name), () => HANDLERS[name].instance(environmentOf(model)));
  const answer = await instance(apiEvent(route, { body }), NO_CONTEXT);
  const told = JSON.parse(answer.body ?? '') as Record<string, unknown>;
  expect(answerProblems(route, answer.statusCode ?? 0, told)).toEqual([]);
  return { status: answer.statusCode, body: told };
}

const report = async (twin: Twin, route: string) => (await ask(twin, 'get-report', route)).body;

beforeAll(() => logger.setLogLevel('SILENT'));

describe('POST /sleep', () => {
  test('puts a cluster that is awake to sleep, in the name of the caller and for his reason', () =>
    liveAwake('', async (twin) => {
      const { status, body } = await ask(twin, 'request-sleep', 'POST /sleep', '{"reason":"  the demo\\nis over "}');
      expect([status, body]).toEqual([
        202,
        expect.objectContaining({ state: 'awake', message: 'The cluster goes to sleep' }),
      ]);
      const [sleep] = twin.workflows.of('sleep');
      expect(body.execution).toBe(sleep!.arn);
      expect(JSON.parse(sleep!.input)).toEqual({ requestedBy: `api:${CALLER}`, reason: 'the demo is over' });
      await sleep!.over;
      expect(twin.model.record.state).toBe('asleep');
      expect((await report(twin, 'GET /runs')).runs).toMatchObject([
        { workflow: 'sleep', requestedBy: `api:${CALLER}`, reason: 'the demo is over', outcome: 'succeeded' },
        { workflow: 'bootstrap', outcome: 'succeeded' },
      ]);
    }));

  test('takes a double click for one, says that it is on its way, and that it is done', () =>
    liveAwake('', async (twin) => {
      const [first, second] = await Promise.all([
        ask(twin, 'request-sleep', 'POST /sleep'),
        ask(twin, 'request-sleep', 'POST /sleep'),
      ]);
      expect(second).toEqual(first);
      await seconds(15);
      const under = await ask(twin, 'request-sleep', 'POST /sleep');
      expect(under).toMatchObject({ status: 202, body: { state: 'sleeping', execution: first.body.execution } });
      expect(under.body.message).toMatch(/^Going to sleep since .*, at /);
      await twin.workflows.of('sleep')[0]!.over;
      const done = await ask(twin, 'request-sleep', 'POST /sleep');
      expect(done).toMatchObject({ status: 200, body: { state: 'asleep', message: 'The cluster is asleep' } });
    }));

  test('waits for a wake that is under way, and does not believe a dead lease', () =>
    liveAwake('', async (twin) => {
      await begin(twin, 'wake');
      await expect(ask(twin, 'request-sleep', 'POST /sleep')).resolves.toMatchObject({
        status: 202,
        body: { message: 'The sleep begins when wake has ended', behind: { workflow: 'wake' } },
      });
      stop(twin, 'wake');
      const { status, body } = await ask(twin, 'request-sleep', 'POST /sleep');
      expect([status, body.message]).toEqual([202, 'The cluster goes to sleep']);
    }));

  test.each([
    ['no JSON', 'soon'],
    ['a long reason', JSON.stringify({ reason: 'x'.repeat(121) })],
    ['a reason that is none', '{"reason":{"a":1}}'],
  ])('refuses %s, and starts nothing', (_what, body) =>
    liveAwake('', async (twin) => {
      await expect(ask(twin, 'request-sleep', 'POST /sleep', body)).resolves.toMatchObject({ status: 400 });
      await expect(ask(twin, 'request-wake', 'POST /wake', '')).resolves.toMatchObject({ status: 200 });
      expect(twin.workflows.of('sleep')).toEqual([]);
    }),
  );
});

test('GET /runs tells of failures, with step and error, and of who asked and why', () =>
  live('', async (twin) => {
    expect(await report(twin, 'GET /runs')).toEqual({ runs: [] });
    twin.model.faults.add({ caller: 'start-seats', with: () => new TypeError('broken') });
    await ask(twin, 'request-wake', 'POST /wake', '{"reason":"for the demo"}');
    await twin.workflows.of('wake')[0]!.over;
    const { runs } = (await report(twin, 'GET /runs')) as { runs: object[] };
    expect(runs).toEqual([
      {
        workflow: 'wake',
        startedAt: expect.stringMatching(/^2026-11-20T08:00/) as string,
        endedAt: expect.stringMatching(/^2026-11-20T08:/) as string,
        requestedBy: `api:${CALLER}`,
        reason: 'for the demo',
        outcome: 'failed',
        step: 'StartSeats',
        error: expect.any(String) as string,
      },
    ]);
  }));

test('a run that cannot be kept fails nothing', async () => {
  const client = { send: () => Promise.reject(new Error('Item size has exceeded the maximum allowed size')) };
  const history = new HistoryStore(client as unknown as DynamoDBDocumentClient, 'table');
  const at = '2026-11-20T08:00:00Z';
  const run = { workflow: 'wake', startedAt: at, endedAt: at, requestedBy: 'x', outcome: 'succeeded' } as const;
  await expect(history.record(run)).resolves.toBeUndefined();
});

test('GET /schedule tells two weeks, and what people have asked for beside them', () =>
  live(`schedules: [{ name: nights, days: [fri, sat], sleep: '19:00', wake: '07:00' }]`, async (twin) => {
    const { items } = twin.model.dynamo;
    const asked = { by: 'ann', at: 'x' };
    items.set('overrides', {
      id: 'overrides',
      keepAwake: { ...asked, until: '2026-11-20T21:00:00.000Z' },
      postponed: { ...asked, until: '2026-11-20T09:00:00.000Z' },
      skipWake: asked,
    });
    const schedule = (await report(twin, 'GET /schedule')) as { next: { skipped?: { reason: string } }[] };
    expect(schedule).toMatchObject({
      keepAwakeUntil: '2026-11-20T21:00:00.000Z',
      postponedUntil: '2026-11-20T09:00:00.000Z',
    });
    // Four a week, and the late sleep of the keep-awake.
    expect(schedule.next).toHaveLength(9);
    expect(schedule.next.map(({ skipped }) => skipped?.reason).slice(0, 3)).toEqual([
      'keep-awake',
      undefined,
      'skip-next',
    ]);
  }));

test('GET /cost bills the hours of this month that the record shows', () =>
  liveAwake('', async (twin) => {
    await seconds(2 * 3600);
    await twin.run('sleep');
    await seconds(4 * 3600);
    const { month, awakePerHour, asleepPerHour } = (await report(twin, 'GET /cost')) as {
      month: Record<'awakeHours' | 'asleepHours' | 'usd' | 'savedUsd', number>;
      awakePerHour: number;
      asleepPerHour: number;
    };
    expect(month.asleepHours).toBeCloseTo(4, 1);
    expect(month.awakeHours).toBeGreaterThan(2);
    expect(month.awakeHours).toBeLessThan(2.4);
    expect(month.savedUsd).toBeCloseTo(month.asleepHours * (awakePerHour - asleepPerHour), 6);
  }));

test('GET /openapi.json is the document', () =>
  live('', async (twin) => {
    expect(await report(twin, 'GET /openapi.json')).toMatchObject({ openapi: '3.1.0', paths: { '/status': {} } });
  }));
