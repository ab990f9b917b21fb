import { handler as keepAwake } from '../../lambdas/keep-awake/handler';
import { handler as postponeSleep } from '../../lambdas/postpone-sleep/handler';
import { withClients } from '../../lambdas/shared/clients/clients';
import { handler as skipNext } from '../../lambdas/skip-next/handler';
import type { Twin } from '../../sim/run';
import { type Delivery, runSchedules } from '../../sim/schedules';
import { environmentOf } from '../../sim/steps';
import { seconds } from '../../sim/virtual-time';
import { apiEvent, NO_CONTEXT } from '../../sim/api-event';
import { liveAwake } from '../lambdas/support';
import { expectAsleep, expectAwake } from './expectations';

/** The twin begins on Friday, the 20th of November 2026, at 08:00 UTC. */
const NIGHTS = `
schedules: [{ name: nights, days: [mon, tue, wed, thu, fri, sat, sun], sleep: '19:00', wake: '07:00' }]
`;
const IDLE = 'idle: { enabled: true, afterMinutes: 60, warnMinutes: 15, postponeMinutes: 45 }';
const HANDLERS = { 'keep-awake': keepAwake, 'skip-next': skipNext, 'postpone-sleep': postponeSleep };

/** Asks the HTTP API, as somebody would. */
async function ask({ model }: Twin, route: string, body?: object): Promise<void> {
  const name = route.split(' /')[1] as keyof typeof HANDLERS;
  const instance = withClients(model.clients(name), () => HANDLERS[name].instance(environmentOf(model)));
  const { statusCode } = await instance(apiEvent(route, body && { body: JSON.stringify(body) }), NO_CONTEXT);
  expect(statusCode).toBe(200);
}

/** What was started and how it ended, as short lines: `19:00 sleep schedule:nights SUCCEEDED`. */
function starts({ workflows }: Twin): string[] {
  return [...workflows.of('sleep'), ...workflows.of('wake')]
    .map(({ workflow, input, status, error, states }) => ({
      line: `${workflow} ${(JSON.parse(input) as { requestedBy: string }).requestedBy} ${error ?? status}`,
      at: states[0]?.enteredAt ?? '',
    }))
    .sort((a, b) => a.at.localeCompare(b.at))
    .map(({ line, at }) => `${at.slice(8, 16).replace('T', ' ')} ${line}`);
}

function skips({ model }: Twin): string[] {
  return [...model.dynamo.items]
    .filter(([id]) => id.startsWith('skip#'))
    .map(
      ([, { workflow, reason, due }]) =>
        `${String(due).slice(8, 16).replace('T', ' ')} ${String(workflow)} ${String(reason)}`,
    )
    .sort();
}

/** The triggers whose time of day is `time` fare so, the first time only if a day is given. */
const delivered =
  (time: string, how: Delivery) =>
  ({ at }: { at: string }): Delivery =>
    at.slice(8, 16).replace('T', ' ').endsWith(time) ? how : {};

describe('a night by the schedule', () => {
  test('the cluster sleeps and wakes, and the catch-up finds nothing to do', () =>
    liveAwake(NIGHTS, async (twin) => {
      await runSchedules(twin, 24);
      expect(starts(twin)).toEqual([
        '20 19:00 sleep schedule:nights SUCCEEDED',
        '21 07:00 wake schedule:nights SUCCEEDED',
      ]);
      expectAwake(twin);
      expect(skips(twin)).toEqual([]);
    }));

  test('a trigger that comes twice starts one workflow; the other ends quietly', () =>
    liveAwake(NIGHTS, async (twin) => {
      await runSchedules(twin, 12, () => ({ twice: true }));
      const [first, second] = twin.workflows.of('sleep');
      expect([first?.status, second?.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
      expect([first, second].map((one) => one!.states.length).sort((a, b) => a - b)[0]).toBe(1);
      expectAsleep(twin);
      expect(skips(twin)).toEqual([]);
    }));

  test('a cluster that sleeps already is left alone', () =>
    liveAwake(NIGHTS, async (twin) => {
      await twin.run('sleep');
      const { since } = twin.model.record;
      await runSchedules(twin, 12);
      expect(skips(twin)).toEqual(['20 19:00 sleep already']);
      expect(twin.model.record).toMatchObject({ state: 'asleep', since });
    }));
});

describe('what is left out', () => {
  test('on a holiday nobody is woken; lease and state are not touched, somebody is told', () =>
    liveAwake(`${NIGHTS}holidays: { dates: [2026-11-21] }`, async (twin) => {
      await runSchedules(twin, 24);
      expectAsleep(twin);
      expect(skips(twin)).toEqual(['21 07:00 wake holiday']);
      const wake = twin.workflows.of('wake')[0]!;
      expect([wake.status, wake.states.map(({ name }) => name)]).toEqual(['SUCCEEDED', ['CheckTrigger']]);
      expect(twin.model.sns.messages.at(-1)).toMatchObject({
        subject: 'drowse: wake skipped',
        text: expect.stringContaining('2026-11-21 is a holiday') as string,
      });
    }));

  test('a person is woken all the same', () =>
    liveAwake(`${NIGHTS}holidays: { dates: [2026-11-20] }`, async (twin) => {
      await twin.run('sleep', { requestedBy: 'ann' });
      await twin.run('wake', { requestedBy: 'ann' });
      expectAwake(twin);
    }));

  test('skip-next: the next sleep, once', () =>
    liveAwake(NIGHTS, async (twin) => {
      await ask(twin, 'PUT /skip-next', { workflow: 'sleep' });
      await runSchedules(twin, 48);
      expect(skips(twin)).toEqual(['20 19:00 sleep skip-next', '21 07:00 wake already']);
      expect(starts(twin)).toContain('21 19:00 sleep schedule:nights SUCCEEDED');
      expectAwake(twin);
    }));

  test('skip-next: the next wake, and the catch-up does not make good for it', () =>
    liveAwake(NIGHTS, async (twin) => {
      await ask(twin, 'PUT /skip-next', { workflow: 'wake' });
      await runSchedules(twin, 25);
      expect(skips(twin)).toEqual(['21 07:00 wake skip-next']);
      expectAsleep(twin);
    }));

  test('skip-next taken back', () =>
    liveAwake(NIGHTS, async (twin) => {
      await ask(twin, 'PUT /skip-next', { workflow: 'sleep' });
      await ask(twin, 'DELETE /skip-next');
      await runSchedules(twin, 12);
      expectAsleep(twin);
    }));
});

describe('keep-awake', () => {
  test('holds the sleep back until it runs out in the night: the sleep takes place then', () =>
    liveAwake(NIGHTS, async (twin) => {
      await ask(twin, 'PUT /keep-awake', { until: '2026-11-20T23:30:00Z' });
      await runSchedules(twin, 22);
      expect(starts(twin)).toEqual(
        ['20 19:00 sleep schedule:nights SUCCEEDED', '20 23:32 sleep catch-up:nights SUCCEEDED'].map(
          (line) => expect.stringMatching(line.replace('23:32', '23:3\\d')) as string,
        ),
      );
      expect(skips(twin)).toEqual(['20 19:00 sleep keep-awake']);
      expectAsleep(twin);
    }));

  test('extended, it holds on; ended by hand, the sleep takes place within minutes', () =>
    liveAwake(NIGHTS, async (twin) => {
      await ask(twin, 'PUT /keep-awake', { until: '2026-11-20T23:30:00Z' });
      const night = runSchedules(twin, 22);
      await seconds(12 * 3600);
      await ask(twin, 'PUT /keep-awake', { until: '2026-11-21T05:00:00Z' });
      await seconds(6 * 3600);
      expect(twin.model.record).toMatchObject({ state: 'awake' });
      await ask(twin, 'DELETE /keep-awake');
      await seconds(1800);
      expectAsleep(twin);
      await night;
    }));

  test('over the whole night: nothing sleeps, and it ends by itself', () =>
    liveAwake(NIGHTS, async (twin) => {
      await ask(twin, 'PUT /keep-awake', { until: '2026-11-21T12:00:00Z' });
      await runSchedules(twin, 30);
      expect(skips(twin)).toEqual(['20 19:00 sleep keep-awake', '21 07:00 wake already']);
      expectAwake(twin);
    }));

  test('does not hold a person back', () =>
    liveAwake(NIGHTS, async (twin) => {
      await ask(twin, 'PUT /keep-awake', { until: '2026-11-20T23:30:00Z' });
      await twin.run('sleep', { requestedBy: 'ann' });
      expectAsleep(twin);
    }));
});

describe('the catch-up', () => {
  test('makes good for a trigger that was lost, once', () =>
    liveAwake(NIGHTS, async (twin) => {
      await runSchedules(twin, 20, delivered('19:00', { lost: true }));
      expect(starts(twin)).toEqual([expect.stringMatching(/^20 19:\d\d sleep catch-up:nights SUCCEEDED$/) as string]);
      expectAsleep(twin);
    }));

  test('a trigger that comes later than its catch-up does nothing any more', () =>
    liveAwake(NIGHTS, async (twin) => {
      await runSchedules(twin, 20, delivered('19:00', { lateSeconds: 1500 }));
      expect(starts(twin)).toEqual([
        expect.stringMatching(/^20 19:\d\d sleep catch-up:nights SUCCEEDED$/) as string,
        '20 19:25 sleep schedule:nights SUCCEEDED',
      ]);
      expect(
        twin.workflows
          .of('sleep')
          .map(({ states }) => states.length)
          .sort((a, b) => a - b)[0],
      ).toBe(1);
      expectAsleep(twin);
      expect(skips(twin)).toEqual([]);
    }));

  test('gives up after the deadline, and a later event counts instead of an earlier one', () =>
    liveAwake(NIGHTS, async (twin) => {
      // It fails for four hours, so nobody can make good for it in time.
      const night = runSchedules(twin, 34, delivered('19:00', { lost: true }));
      await seconds(10 * 3600);
      twin.model.faults.add({ caller: 'look-after', with: () => new Error('down') });
      await seconds(5 * 3600);
      twin.model.faults.clear();
      await night;
      expect(starts(twin)).toEqual(['21 07:00 wake schedule:nights SUCCEEDED']);
      expectAwake(twin);
    }));

  test('starts again what failed, once', () =>
    liveAwake(NIGHTS, async (twin) => {
      const fault = () => Object.assign(new Error('down'), { name: 'InternalFailure', $fault: 'server' });
      twin.model.faults.add({ action: 'DeleteLoadBalancer', with: fault, times: 6 });
      await runSchedules(twin, 20);
      expect(starts(twin)).toEqual([
        '20 19:00 sleep schedule:nights AwsUnavailable',
        expect.stringMatching(/^20 19:\d\d sleep look-after:the cluster is sleep-failed SUCCEEDED$/) as string,
      ]);
      expectAsleep(twin);
    }));

  test('leaves what another deployment has to cure', () =>
    liveAwake(NIGHTS, async (twin) => {
      const denied = () => Object.assign(new Error('no'), { name: 'AccessDenied' });
      twin.model.faults.add({ action: 'DeleteLoadBalancer', with: denied });
      await runSchedules(twin, 14);
      expect(starts(twin)).toEqual(['20 19:00 sleep schedule:nights AccessDenied']);
    }));

  test('a schedule that was deployed after its time is no missed one', () =>
    liveAwake(`schedules: [{ name: n, days: [fri], sleep: '07:55' }]`, async (twin) => {
      await runSchedules(twin, 4);
      expect(starts(twin)).toEqual([]);
    }));

  test('waits for whoever holds the cluster, and does not wait for a dead one', () =>
    liveAwake(NIGHTS, async (twin) => {
      const night = runSchedules(twin, 20, delivered('19:00', { lost: true }));
      await seconds(10 * 3600 + 2500);
      const wake = twin.workflows.start('wake');
      await seconds(5);
      wake.stop();
      await night;
      expectAsleep(twin);
    }));
});

describe('a cluster that nobody uses', () => {
  const messages = ({ model }: Twin) => model.sns.messages.map(({ subject }) => subject);

  test('is warned of, and put to sleep', () =>
    liveAwake(IDLE, async (twin) => {
      const before = messages(twin).length;
      await runSchedules(twin, 1.25);
      expect(messages(twin).slice(before)[0]).toMatch(/^drowse sleeps at 2026-11-20T09:\d\d.*: nobody uses it$/);
      expect(starts(twin)).toEqual([
        expect.stringMatching(/^20 09:\d\d sleep idle:nobody used it since .* SUCCEEDED$/) as string,
      ]);
      const slept = Date.parse(twin.workflows.of('sleep')[0]!.states[0]!.enteredAt);
      const warned = Date.parse(twin.model.sns.messages[before]!.at);
      expect((slept - warned) / 60_000).toBeGreaterThanOrEqual(14.9);
      expectAsleep(twin);
      // Asleep, no seat is there to be asked, and none is.
      const sent = twin.model.calls.all.filter(
        ({ caller, action }) => caller === 'detect-idle' && action === 'SendCommand',
      );
      await runSchedules(twin, 2);
      expect(
        twin.model.calls.all.filter(({ caller, action }) => caller === 'detect-idle' && action === 'SendCommand'),
      ).toHaveLength(sent.length);
    }));

  test.each([
    ['requests', { requests: 11 }],
    ['a GPU', { gpuPercent: 6 }],
    ['a Job', { jobs: 1 }],
    ['a pod', { pods: 1 }],
    ['nobody knows what', { requests: null }],
  ])('stays awake while it is used: %s', (_what, activity) =>
    liveAwake(IDLE, async (twin) => {
      Object.assign(twin.model.inside.activity, activity);
      await runSchedules(twin, 4);
      expect(starts(twin)).toEqual([]);
      expectAwake(twin);
    }),
  );

  test('stays awake while somebody has a session on a node; one elsewhere does not count', () =>
    liveAwake(IDLE, async (twin) => {
      const [instance] = twin.model.ec2.instances.keys();
      twin.model.ssm.sessions.add(instance!);
      await runSchedules(twin, 3);
      expect(starts(twin)).toEqual([]);
      twin.model.ssm.sessions.clear();
      twin.model.ssm.sessions.add('i-0somebodyelses');
      await runSchedules(twin, 3);
      expectAsleep(twin);
    }));

  test('stays awake while it cannot be asked', () =>
    liveAwake(IDLE, async (twin) => {
      twin.model.ssm.documents.set('drowse-measure-activity', () => ({
        seconds: 1,
        result: { ok: false, error: 'ApiNotReady', message: 'no' },
      }));
      await runSchedules(twin, 4);
      expect(starts(twin)).toEqual([]);
    }));

  test('a lease whose holder died keeps it awake no longer', () =>
    liveAwake(IDLE, async (twin) => {
      const installation = twin.workflows.start('install-platform');
      await seconds(5);
      installation.stop();
      await installation.over;
      expect(twin.model.record).toHaveProperty('lease');
      await runSchedules(twin, 2);
      expectAsleep(twin);
    }));

  test('a small use counts as none', () =>
    liveAwake(IDLE, async (twin) => {
      Object.assign(twin.model.inside.activity, { requests: 10, gpuPercent: 5 });
      await runSchedules(twin, 2);
      expectAsleep(twin);
    }));

  test('use after the warning calls the sleep off', () =>
    liveAwake(IDLE, async (twin) => {
      const time = runSchedules(twin, 1.9);
      await seconds(56 * 60);
      twin.model.inside.activity.requests = 500;
      await seconds(12 * 60);
      twin.model.inside.activity.requests = 0;
      await time;
      expect(starts(twin)).toEqual([]);
      expect(messages(twin).at(-1)).toBe('drowse stays awake');
    }));

  test('is postponed, warned of again, and sleeps then', () =>
    liveAwake(IDLE, async (twin) => {
      const time = runSchedules(twin, 2.5);
      await seconds(56 * 60);
      await ask(twin, 'POST /postpone-sleep');
      await time;
      expect(messages(twin).filter((subject) => subject.includes('nobody uses it'))).toHaveLength(2);
      const [sleep] = twin.workflows.of('sleep');
      expect(sleep!.states[0]!.enteredAt > '2026-11-20T09:40').toBe(true);
      expectAsleep(twin);
    }));

  test('a keep-awake holds it off', () =>
    liveAwake(IDLE, async (twin) => {
      await ask(twin, 'PUT /keep-awake', { until: '2026-11-20T14:00:00Z' });
      await runSchedules(twin, 5.5);
      expect(starts(twin)).toEqual([]);
      await runSchedules(twin, 1);
      expectAsleep(twin);
    }));

  test('what was seen before it slept says nothing of it once it is awake again', () =>
    liveAwake(IDLE, async (twin) => {
      await runSchedules(twin, 2);
      expectAsleep(twin);
      await twin.run('wake');
      const woken = twin.model.sns.messages.length;
      await runSchedules(twin, 0.7);
      expect(twin.model.sns.messages).toHaveLength(woken);
      expectAwake(twin);
    }));
});
