import { estimateCost } from '../../core/cost/estimate';
import { withClients } from '../../lambdas/shared/clients/clients';
import { handler as getStatus } from '../../lambdas/get-status/handler';
import { handler as requestWake } from '../../lambdas/request-wake/handler';
import { logger } from '../../lambdas/shared/clients/logger';
import type { Twin } from '../../sim/run';
import { environmentOf } from '../../sim/steps';
import { seconds } from '../../sim/virtual-time';
import { apiEvent, CALLER, NO_CONTEXT } from '../../sim/api-event';
import { answerProblems } from '../support/api-document';
import { arn, begin, live, liveAwake, stop } from './support';

const WAKE_MACHINE_ARN = 'arn:aws:states:us-east-1:123456789012:stateMachine:drowse-wake';
const ROUTES = { 'request-wake': 'POST /wake', 'get-status': 'GET /status' };
const HANDLERS = { 'request-wake': requestWake, 'get-status': getStatus };

interface Estimate {
  secondsLeft: number;
}
interface Queue {
  running: { estimate: Estimate };
  waiting: [{ estimate: Estimate }];
}

async function ask({ model }: Twin, name: keyof typeof HANDLERS, event: unknown = apiEvent(ROUTES[name])) {
  const environment = { ...environmentOf(model), WAKE_MACHINE_ARN };
  const answer = await withClients(model.clients(name), () => HANDLERS[name].instance(environment))(event, NO_CONTEXT);
  expect(answer.headers).toEqual({ 'content-type': 'application/json', 'cache-control': 'no-store' });
  const body = JSON.parse(answer.body ?? '') as Record<string, unknown>;
  expect(answerProblems(ROUTES[name], answer.statusCode ?? 0, body)).toEqual([]);
  return { status: answer.statusCode, body };
}

beforeAll(() => logger.setLogLevel('SILENT'));

describe('POST /wake', () => {
  test('wakes a cluster that sleeps', () =>
    live('', async (twin) => {
      const { status, body } = await ask(twin, 'request-wake');
      expect(status).toBe(202);
      expect(body).toMatchObject({ state: 'asleep', message: 'The cluster wakes up' });
      const [wake] = twin.workflows.of('wake');
      expect(body.execution).toBe(wake!.arn);
      expect(body.look).toEqual({ status: 'GET /status', console: expect.stringContaining(wake!.arn) as string });
      expect(JSON.parse(wake!.input)).toEqual({ requestedBy: `api:${CALLER}` });
      await wake!.over;
      expect(twin.model.record.state).toBe('awake');
    }));

  test('takes a double click for one', () =>
    live('', async (twin) => {
      const [first, second] = await Promise.all([ask(twin, 'request-wake'), ask(twin, 'request-wake')]);
      expect(second).toEqual(first);
      expect(twin.workflows.of('wake')).toHaveLength(1);
    }));

  test('answers with the execution even if it has ended within those seconds', () =>
    live('', async (twin) => {
      twin.model.faults.add({ service: 'lambda', with: () => new Error('broken') });
      const first = await ask(twin, 'request-wake');
      await seconds(1);
      expect(twin.workflows.of('wake')[0]!.status).toBe('FAILED');
      expect(await ask(twin, 'request-wake')).toEqual(first);
    }));

  test('names the execution that wakes it already', () =>
    live('', async (twin) => {
      const { execution } = await begin(twin, 'wake');
      await expect(ask(twin, 'request-wake')).resolves.toMatchObject({
        status: 202,
        body: {
          state: 'waking',
          execution,
          message: expect.stringMatching(/^Waking since .*, at acquire-lease$/) as string,
        },
      });
      expect(twin.workflows.of('wake')).toHaveLength(0);
    }));

  test('does not believe the lease of an execution that is over', () =>
    live('', async (twin) => {
      await begin(twin, 'wake');
      stop(twin, 'wake');
      await expect(ask(twin, 'request-wake')).resolves.toMatchObject({
        status: 202,
        body: { message: 'The cluster wakes up' },
      });
      await twin.workflows.of('wake')[0]!.over;
      expect(twin.model.record).toMatchObject({ state: 'awake' });
    }));

  test('a wake during a sleep is remembered, and starts when the sleep ends', () =>
    liveAwake('', async (twin) => {
      const sleep = twin.workflows.start('sleep');
      await seconds(30);
      const { status, body } = await ask(twin, 'request-wake');
      expect(status).toBe(202);
      expect(body).toMatchObject({
        state: 'sleeping',
        message: 'The cluster goes to sleep; it wakes as soon as that is done',
        behind: { workflow: 'sleep' },
      });
      const [wake] = twin.workflows.of('wake');
      const { body: told } = await ask(twin, 'get-status');
      expect(told).toMatchObject({
        state: 'sleeping',
        running: { workflow: 'sleep' },
        waiting: [
          {
            ...{ workflow: 'wake', execution: wake!.arn, since: expect.stringMatching(/^2026-11-20T/) as string },
            behind: { workflow: 'sleep' },
          },
        ],
      });
      await sleep.over;
      expect(sleep.status).toBe('SUCCEEDED');
      expect(wake!.status).toBe('RUNNING');
      await wake!.over;
      expect(wake!.status).toBe('SUCCEEDED');
      expect(twin.model.record.state).toBe('awake');
    }));

  test('says how much longer it takes, from the start, under way, and behind a sleep', () =>
    liveAwake('', async (twin) => {
      await twin.run('sleep');
      await twin.run('wake');
      await twin.run('sleep');
      const left = async () => ((await ask(twin, 'request-wake')).body.estimate as Estimate).secondsLeft;
      const whole = await left();
      expect(whole).toBeGreaterThan(100);
      await seconds(60);
      expect(whole - (await left())).toBeCloseTo(60, -1);
      await twin.workflows.of('wake').at(-1)!.over;
      const sleep = twin.workflows.start('sleep');
      await seconds(30);
      const behind = await left();
      const { waiting, running } = (await ask(twin, 'get-status')).body as unknown as Queue;
      const [{ estimate }] = waiting;
      expect(behind).toBeCloseTo(whole + running.estimate.secondsLeft, 0);
      expect(estimate.secondsLeft).toBeCloseTo(behind, 0);
      await sleep.over;
    }));

  test('answers although nothing can be read of the past', () =>
    live('', async (twin) => {
      const { execution } = await begin(twin, 'wake');
      const broken = Object.assign(new Error('no'), { name: 'AccessDeniedException' });
      twin.model.faults.add({ action: 'GetExecutionHistory', with: () => broken });
      const { status, body } = await ask(twin, 'request-wake');
      expect([status, body.execution, body.estimate]).toEqual([202, execution, undefined]);
    }));

  test('says that it is awake', () =>
    liveAwake('', async (twin) => {
      await expect(ask(twin, 'request-wake')).resolves.toMatchObject({
        status: 200,
        body: { state: 'awake', message: 'The cluster is awake' },
      });
      expect(twin.workflows.of('wake')).toHaveLength(0);
    }));

  test.each([
    [{ iam: { userArn: 'arn:aws:iam::1:user/ann' } }, 'api:arn:aws:iam::1:user/ann'],
    [{ jwt: { claims: { sub: '42', email: 'ann@example.org' } } }, 'api:ann@example.org'],
    [{ jwt: { claims: { sub: '42' } } }, 'api:42'],
  ])('records who asked: %j', (authorizer, requestedBy) =>
    live('', async (twin) => {
      await ask(twin, 'request-wake', apiEvent('POST /wake', { authorizer }));
      expect(JSON.parse(twin.workflows.of('wake')[0]!.input)).toEqual({ requestedBy });
    }),
  );

  test.each([
    ['no authorizer', undefined],
    ['an authorizer that names nobody', {}],
    ['an empty name', { iam: { userArn: '' } }],
    ['no name', { iam: { userArn: null } }],
    ['claims without a subject', { jwt: { claims: { iss: 'x' } } }],
    ['something else', 'arn:aws:iam::1:user/ann'],
  ])('refuses a request that came past the front door: %s', (_what, authorizer) =>
    live('', async (twin) => {
      const event = apiEvent('POST /wake') as { requestContext: object };
      const past = { ...event, requestContext: { ...event.requestContext, authorizer } };
      const body = { error: 'UnauthorizedError' };
      await expect(ask(twin, 'request-wake', past)).resolves.toMatchObject({ status: 401, body });
      expect(twin.workflows.of('wake')).toEqual([]);
      const status = {
        ...apiEvent('GET /status'),
        requestContext: { ...past.requestContext, http: { method: 'GET', path: '/status' } },
      };
      await expect(ask(twin, 'get-status', status)).resolves.toMatchObject({ status: 401, body });
    }),
  );

  test('tells a bad request from a fault of its own, and never shows a stack trace', () =>
    live('', async (twin) => {
      await expect(ask(twin, 'request-wake', apiEvent('POST /other'))).resolves.toMatchObject({
        status: 404,
        body: { error: 'NotFoundError' },
      });
      await expect(ask(twin, 'request-wake', {})).rejects.toThrow(
        expect.objectContaining({ name: 'InvalidEventError' }) as Error,
      );
      const broken = Object.assign(new Error('secret detail'), { name: 'AccessDenied' });
      twin.model.faults.add({ caller: 'request-wake', with: () => broken });
      await expect(ask(twin, 'request-wake')).resolves.toEqual({
        status: 500,
        body: { error: 'AccessDenied', message: 'The request failed; the log of the function says why' },
      });
    }));
});

describe('GET /status', () => {
  test('tells of a cluster that is awake', () =>
    liveAwake('', async (twin) => {
      const { status, body } = await ask(twin, 'get-status');
      expect(status).toBe(200);
      expect(body).toMatchObject({
        cluster: 'drowse',
        state: 'awake',
        elasticIp: { publicIp: '203.0.113.7', instanceId: 'i-00000000000000002' },
        nodes: [
          { role: 'seat', seat: '0', state: 'running', phase: 'ready' },
          { role: 'pool', pool: 'gpu', state: 'running', phase: 'ready', publicIp: '203.0.113.7' },
        ],
        cost: { perHour: expect.closeTo(estimateCost(twin.model.config).awakePerHour, 2) as number, unknown: [] },
        app: { answers: true },
        kubernetesApi: { through: 'load-balancer', command: 'drowse kubeconfig' },
      });
      expect(body).not.toHaveProperty('running');
    }));

  test('tells of a workflow that runs, and of the last failure', () =>
    live('', async (twin) => {
      await begin(twin, 'sleep');
      const failure = {
        workflow: 'wake',
        step: 'WaitForApi',
        error: 'ApiNotReady',
        cause: 'x',
        at: 'y',
        execution: 'z',
      };
      twin.model.record.failure = failure;
      await expect(ask(twin, 'get-status')).resolves.toMatchObject({
        status: 200,
        body: {
          state: 'sleeping',
          running: { workflow: 'sleep', step: 'acquire-lease', execution: arn('sleep') },
          failure,
        },
      });
    }));

  test('tells which steps are under way, since when, and how long they usually take', () =>
    liveAwake('', async (twin) => {
      await twin.run('sleep');
      await twin.run('wake');
      await twin.run('sleep');
      const asleep = await ask(twin, 'get-status');
      const { wake, sleep } = asleep.body.usualSeconds as { wake: number; sleep: number };
      expect([wake > 100, sleep > 60]).toEqual([true, true]);
      const execution = twin.workflows.start('wake', { requestedBy: 'ann' });
      await seconds(40);
      const { body } = await ask(twin, 'get-status');
      expect(body.running).toMatchObject({
        workflow: 'wake',
        requestedBy: 'ann',
        usualSeconds: wake,
        estimate: { secondsLeft: expect.closeTo(wake - 40, -1) as number, late: false },
        console: expect.stringContaining(execution.arn) as string,
        states: [{ name: 'WaitForApi', since: expect.stringMatching(/^2026-11-20T/) as string }],
      });
      const [{ usualSeconds }] = (body.running as { states: [{ usualSeconds: number }] }).states;
      expect(usualSeconds).toBeGreaterThan(30);
      execution.stop();
      await execution.over;
      expect((await ask(twin, 'get-status')).body.running).toMatchObject({ ended: 'ABORTED' });
    }));

  test('tells what is missing or soon will be', () =>
    live('', async (twin) => {
      await begin(twin, 'wake');
      const told = {
        degraded: [{ pool: 'gpu', reason: 'AWS has no capacity' }],
        shortages: [{ pool: 'web', reason: 'the spot quota is used up' }],
        unreachable: 'app not reachable: no answer',
        warnings: ['there is no snapshot of etcd'],
        snapshot: { key: 'snapshots/a', at: '2026-11-20T00:00:00Z', bytes: 1, sha256: 'a' },
      };
      Object.assign(twin.model.record, told);
      expect((await ask(twin, 'get-status')).body).toMatchObject(told);
    }));

  test('tells what the schedules do next, and what people have asked for', () =>
    live(`schedules: [{ name: nights, days: [fri, sat], sleep: '19:00', wake: '07:00' }]`, async (twin) => {
      const { items } = twin.model.dynamo;
      const keepAwake = { by: 'ann', at: 'x', until: '2026-11-20T21:00:00.000Z' };
      items.set('overrides', { id: 'overrides', keepAwake, skipWake: { by: 'ann', at: 'x' } });
      items.set('idle', { id: 'idle', look: 1, sleepAt: '2026-11-20T08:30:00.000Z' });
      const { body } = await ask(twin, 'get-status');
      expect(body.schedule).toMatchObject({
        next: [
          { at: '2026-11-20T19:00:00.000Z', workflow: 'sleep', skipped: { reason: 'keep-awake' } },
          { at: '2026-11-20T21:00:00.000Z', workflow: 'sleep', startedBy: 'catch-up' },
          { at: '2026-11-21T07:00:00.000Z', workflow: 'wake', skipped: { reason: 'skip-next' } },
          { at: '2026-11-21T19:00:00.000Z', workflow: 'sleep', schedule: 'nights' },
        ],
        keepAwakeUntil: '2026-11-20T21:00:00.000Z',
        idleSleepAt: '2026-11-20T08:30:00.000Z',
      });
    }));

  test('tells where the app is, why it does not answer, and how to reach the API', () =>
    liveAwake('app: {domain: app.example.org}\napiAccess: tunnel', async (twin) => {
      twin.model.record.unreachable = 'app not reachable: no answer';
      expect((await ask(twin, 'get-status')).body).toMatchObject({
        app: { url: 'https://app.example.org/', answers: false, reason: 'app not reachable: no answer' },
        kubernetesApi: { through: 'tunnel', command: 'drowse tunnel' },
      });
    }));

  test('knows a cluster that was never used', () =>
    live('', async (twin) => {
      const { status, body } = await ask(twin, 'get-status');
      expect([status, body]).toMatchObject([200, { state: 'asleep', nodes: [], app: {} }]);
      expect(body.app).not.toHaveProperty('answers');
      expect((body.cost as { perHour: number }).perHour).toBeCloseTo(0.006, 3);
    }));
});

test.each(Object.entries(HANDLERS))('%s does not start without its environment', (_name, handler) => {
  expect(() => handler.instance({})).toThrow(expect.objectContaining({ name: 'InvalidEnvironment' }) as Error);
});
