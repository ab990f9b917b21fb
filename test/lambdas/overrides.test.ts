import { withClients } from '../../lambdas/shared/clients/clients';
import { handler as keepAwake } from '../../lambdas/keep-awake/handler';
import { handler as postponeSleep } from '../../lambdas/postpone-sleep/handler';
import { logger } from '../../lambdas/shared/clients/logger';
import { handler as skipNext } from '../../lambdas/skip-next/handler';
import type { Twin } from '../../sim/run';
import { environmentOf, makeStep } from '../../sim/steps';
import { seconds } from '../../sim/virtual-time';
import { apiEvent, NO_CONTEXT } from '../../sim/api-event';
import { answerProblems } from '../support/api-document';
import { arn, live } from './support';

/** The twin begins on Friday, the 20th of November 2026, at 08:00 UTC. */
const NIGHTS = `
schedules: [{ name: nights, days: [mon, tue, wed, thu, fri], sleep: '19:00', wake: '07:00', timeZone: Europe/Berlin }]
holidays: { dates: [2026-11-23] }
`;
const HANDLERS = { 'keep-awake': keepAwake, 'skip-next': skipNext, 'postpone-sleep': postponeSleep };

async function ask({ model }: Twin, route: string, body?: unknown, more: object = {}) {
  const name = route.split(' /')[1] as keyof typeof HANDLERS;
  const instance = withClients(model.clients(name), () => HANDLERS[name].instance(environmentOf(model)));
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const event = apiEvent(route, {
    authorizer: { iam: { userArn: 'arn:ann' } },
    ...(body !== undefined && { body: text }),
    ...more,
  });
  const answer = await instance(event, NO_CONTEXT);
  const told = JSON.parse(answer.body ?? '') as Record<string, unknown>;
  expect(answerProblems(route, answer.statusCode ?? 0, told)).toEqual([]);
  return { status: answer.statusCode, body: told };
}

const overridesOf = ({ model }: Twin) => model.dynamo.items.get('overrides') ?? {};

beforeAll(() => logger.setLogLevel('SILENT'));

describe('PUT /keep-awake', () => {
  test('keeps who asked, when, and until when, in UTC', () =>
    live('', async (twin) => {
      await expect(ask(twin, 'PUT /keep-awake', { until: '2026-11-20T23:30:00+01:00' })).resolves.toEqual({
        status: 200,
        body: {
          keepAwake: { until: '2026-11-20T22:30:00.000Z' },
          message: 'Nothing but a person puts the cluster to sleep before 2026-11-20T22:30:00.000Z',
        },
      });
      expect(overridesOf(twin).keepAwake).toEqual({
        by: 'api:arn:ann',
        at: expect.stringMatching(/^2026-11-20T08:00:00/) as string,
        until: '2026-11-20T22:30:00.000Z',
      });
    }));

  test.each(['2026-11-20T23:30+01:00', '2026-11-20 23:30', '2026-11-20T23:30:00'])(
    'takes %s, local time as the schedules have it',
    (until) =>
      live(NIGHTS, async (twin) => {
        await expect(ask(twin, 'PUT /keep-awake', { until })).resolves.toMatchObject({
          status: 200,
          body: { keepAwake: { until: '2026-11-20T22:30:00.000Z' } },
        });
      }),
  );

  test('takes a body in Base64, as API Gateway may send it', () =>
    live('', async (twin) => {
      const body = Buffer.from('{"until":"2026-11-20T22:30:00Z"}').toString('base64');
      await expect(ask(twin, 'PUT /keep-awake', body, { isBase64Encoded: true })).resolves.toMatchObject({
        status: 200,
      });
    }));

  test.each([
    ['no body', undefined, /body of the request is wrong/],
    ['no JSON', 'until tomorrow', /body of the request is wrong/],
    ['no time', {}, /until/],
    ['a date only', { until: '2026-11-21' }, /until/],
    [
      'a time without its zone where no schedule has one',
      { until: '2026-11-21T10:00' },
      /^until: "2026-11-21T10:00" has no offset, and no schedule says in which time zone: write it as 2026-11-20T23:30\+01:00$/,
    ],
    [
      'the past',
      { until: '2026-11-20T07:59:59Z' },
      /^until: 2026-11-20T07:59:59.000Z is in the past: give a later time$/,
    ],
    ['too long', { until: '2026-12-21T08:10:00Z' }, /more than 31 days away: give a time before 2026-12-21T08:00/],
  ])('refuses %s, and says why', (_what, body, message) =>
    live('', async (twin) => {
      const answer = await ask(twin, 'PUT /keep-awake', body);
      expect(answer).toMatchObject({ status: 400, body: { error: 'InvalidInput' } });
      expect(answer.body.message).toMatch(message);
      expect(overridesOf(twin)).toEqual({});
    }),
  );

  test('31 days are allowed', () =>
    live('', async (twin) => {
      await expect(ask(twin, 'PUT /keep-awake', { until: '2026-12-21T08:00:00Z' })).resolves.toMatchObject({
        status: 200,
      });
    }));
});

test('DELETE /keep-awake ends it now; twice, and without one, does no harm', () =>
  live('', async (twin) => {
    const none = { status: 200, body: { message: 'There is no keep-awake' } };
    await expect(ask(twin, 'DELETE /keep-awake')).resolves.toEqual(none);
    await ask(twin, 'PUT /keep-awake', { until: '2026-11-20T22:30:00Z' });
    await seconds(60);
    await expect(ask(twin, 'DELETE /keep-awake')).resolves.toMatchObject({
      body: { message: 'The keep-awake ends now' },
    });
    const ended = overridesOf(twin);
    expect(ended.keepAwake).toMatchObject({ until: expect.stringMatching(/^2026-11-20T08:01:/) as string });
    await expect(ask(twin, 'DELETE /keep-awake')).resolves.toEqual(none);
    expect(overridesOf(twin)).toEqual(ended);
  }));

describe('PUT /skip-next', () => {
  test('says which event it skips; a wake on a holiday is none', () =>
    live(NIGHTS, async (twin) => {
      const skip = (workflow: string) => ask(twin, 'PUT /skip-next', { workflow });
      await expect(skip('sleep')).resolves.toMatchObject({
        status: 200,
        body: { skipNext: { workflow: 'sleep', schedule: 'nights', at: '2026-11-20T18:00:00.000Z' } },
      });
      await expect(skip('wake')).resolves.toMatchObject({
        status: 200,
        body: { message: 'The next wake is skipped: that of nights at 2026-11-24T07:00 Europe/Berlin' },
      });
      expect(Object.keys(overridesOf(twin)).sort()).toEqual(['id', 'skipSleep', 'skipWake']);
      await expect(ask(twin, 'DELETE /skip-next')).resolves.toMatchObject({ status: 200 });
      expect(overridesOf(twin)).toEqual({ id: 'overrides' });
    }));

  test.each([
    [NIGHTS, { workflow: 'bootstrap' }, 400, 'InvalidInput'],
    [NIGHTS, undefined, 400, 'InvalidInput'],
    ['', { workflow: 'sleep' }, 409, 'NothingToSkip'],
  ])('refuses what cannot be skipped (%#)', (yaml, body, status, error) =>
    live(yaml, async (twin) => {
      await expect(ask(twin, 'PUT /skip-next', body)).resolves.toMatchObject({ status, body: { error } });
      expect(overridesOf(twin)).toEqual({});
    }),
  );
});

test('POST /postpone-sleep puts the idle detector off, where there is one', () =>
  live('idle: { enabled: true, postponeMinutes: 90 }', async (twin) => {
    const { status, body } = await ask(twin, 'POST /postpone-sleep');
    expect([status, body.postponedUntil]).toEqual([200, expect.stringMatching(/^2026-11-20T09:30:00/)]);
    expect(overridesOf(twin).postponed).toMatchObject({ by: 'api:arn:ann', until: body.postponedUntil });
  }));

test('POST /postpone-sleep says that nothing is to be postponed', () =>
  live('', async (twin) => {
    await expect(ask(twin, 'POST /postpone-sleep')).resolves.toMatchObject({
      status: 409,
      body: { error: 'IdleSleepDisabled', message: expect.stringContaining('PUT /keep-awake') as string },
    });
  }));

describe('check-trigger', () => {
  const check = (twin: Twin, request: object, workflow = 'sleep', execution = arn(workflow)) =>
    makeStep(twin.model, 'check-trigger')({ execution, startedAt: '2026-11-20T18:00:31.123Z', workflow, request });
  const at = '2026-11-20T18:00:00Z';
  const KEY = 'sleep#nights#2026-11-20T18:00:00.000Z';

  test.each(['ann', 'api:arn:aws:iam::1:user/ann', 'cli', 'capacity:gpu'])(
    'lets %s pass, and looks at nothing',
    (requestedBy) =>
      live(NIGHTS, async (twin) => {
        await expect(check(twin, { requestedBy })).resolves.toEqual({ allowed: true });
        expect(twin.model.calls.all).toEqual([]);
      }),
  );

  test('a skip is for one event: the same asks again and gets the same, the next does not', () =>
    live(NIGHTS, async (twin) => {
      twin.model.dynamo.items.set('cluster', { id: 'cluster', state: 'awake', since: '2026-11-20T08:00:00.000Z' });
      await ask(twin, 'PUT /skip-next', { workflow: 'sleep' });
      const skipped = { allowed: false, reason: 'somebody asked to skip the next sleep' };
      const request = { requestedBy: 'schedule:nights', scheduledAt: at };
      await expect(check(twin, request)).resolves.toEqual(skipped);
      await expect(check(twin, request)).resolves.toEqual(skipped);
      const next = { requestedBy: 'schedule:nights', scheduledAt: '2026-11-21T18:00:00Z' };
      await expect(check(twin, next, 'sleep', 'arn:next')).resolves.toEqual({ allowed: true });
      expect(twin.model.dynamo.items.get(`skip#${KEY}`)).toMatchObject({
        reason: 'skip-next',
        workflow: 'sleep',
        schedule: 'nights',
        due: '2026-11-20T18:00:00.000Z',
        execution: arn('sleep'),
        expiresAt: expect.any(Number) as number,
      });
    }));

  test('goes by its start where the engine does not say when it was due', () =>
    live(NIGHTS, async (twin) => {
      twin.model.dynamo.items.set('cluster', { id: 'cluster', state: 'awake', since: '2026-11-20T08:00:00.000Z' });
      await check(twin, { requestedBy: 'schedule:nights', scheduledAt: '<aws.scheduler.scheduled-time>' });
      expect(twin.model.dynamo.items.get(`trigger#${KEY}`)).toMatchObject({
        decision: 'started',
        execution: arn('sleep'),
      });
    }));

  test('of two executions for one event the second is not allowed, but for the catch-up', () =>
    live(NIGHTS, async (twin) => {
      twin.model.dynamo.items.set('cluster', { id: 'cluster', state: 'awake', since: '2026-11-20T08:00:00.000Z' });
      const request = (kind: string) => ({ requestedBy: `${kind}:nights`, scheduledAt: at });
      await expect(check(twin, request('schedule'))).resolves.toEqual({ allowed: true });
      await expect(check(twin, request('schedule'), 'sleep', 'arn:other')).resolves.toMatchObject({ allowed: false });
      await expect(check(twin, request('catch-up'), 'sleep', 'arn:later')).resolves.toEqual({ allowed: true });
      expect(twin.model.sns.messages).toEqual([]);
    }));

  test('does not take a state under a lease for the cluster’s', () =>
    live(NIGHTS, async (twin) => {
      const lease = { owner: 'arn:x', workflow: 'sleep', requestedBy: 'a', since: at, until: at, step: 'stop-pools' };
      twin.model.dynamo.items.set('cluster', { id: 'cluster', state: 'asleep', lease });
      await expect(check(twin, { requestedBy: 'schedule:nights', scheduledAt: at })).resolves.toEqual({
        allowed: true,
      });
    }));

  test('a topic that does not answer holds nothing up', () =>
    live(NIGHTS, async (twin) => {
      twin.model.faults.add({ action: 'Publish', with: () => new Error('down') });
      await expect(check(twin, { requestedBy: 'schedule:nights', scheduledAt: at })).resolves.toEqual({
        allowed: false,
        reason: 'the cluster was never bootstrapped',
      });
    }));

  test.each(['sleep', 'wake'])('starts no %s of a cluster that nobody has bootstrapped', (workflow) =>
    live(NIGHTS, async (twin) => {
      await expect(check(twin, { requestedBy: 'schedule:nights', scheduledAt: at }, workflow)).resolves.toMatchObject({
        allowed: false,
      });
      expect(twin.model.dynamo.items.get('cluster')).toBeUndefined();
    }),
  );
});
