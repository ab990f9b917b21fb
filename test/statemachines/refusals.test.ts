import { isFinal, outcomeOf, readRefusal } from '../../core/decisions/refusals';
import type { Twin } from '../../sim/run';
import { runSchedules } from '../../sim/schedules';
import { seconds } from '../../sim/virtual-time';
import { live } from '../lambdas/support';
import { expectAwake } from './expectations';
import { BALANCER_REFUSALS, LAUNCH_REFUSALS, type LaunchRefusal } from './refusals';

/** A pool beside the ingress, and what carries the Elastic IP; both of one type in one zone. */
const pools = (market: string) => `
zones: [a]
pools:
  - { name: web, instanceTypes: [t3.large], min: 1, ingress: true }
  - { name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, market: ${market}, min: 1 }
`;

const minutes = 60_000;
const group = ({ model }: Twin, name: string) => model.autoScaling.get(`drowse-${name}`);
const news = ({ model }: Twin) => model.sns.messages.map(({ subject, text }) => `${subject}\n${text}`).join('\n');

/** How a bootstrap ended, and when (ms). */
async function bootstrap(twin: Twin) {
  const began = Date.now();
  const { status, error, cause = '' } = await twin.run('bootstrap');
  return { status, error, cause, took: Date.now() - began };
}

describe.each(LAUNCH_REFUSALS)('a launch that AWS refuses ($code)', ({ message, words, final }: LaunchRefusal) => {
  const { remedy } = readRefusal(message);

  test('of a pool without the ingress: the wake goes on without it, and everybody is told why', () =>
    live(pools('on-demand'), async (twin) => {
      group(twin, 'pool-gpu').noCapacity = message;
      const { status, took } = await bootstrap(twin);
      expect(status).toBe('SUCCEEDED');
      expect(twin.model.record).toMatchObject({ state: 'awake-degraded', degraded: [{ pool: 'gpu' }] });
      const { degraded } = twin.model.record as { degraded: { reason: string }[] };
      for (const told of [degraded[0]!.reason, news(twin)]) {
        expect(told).toContain(`${words}: ${message}`);
        expect(told).toContain(remedy);
      }
      // Without the platform's own time, which both have: at once, or after five minutes of patience.
      if (final) expect(took).toBeLessThan(4.5 * minutes);
      else expect(took).toBeGreaterThan(5 * minutes);
      expect(took).toBeLessThan(8 * minutes);
    }));

  test('of spot, to a pool that may fall back: on-demand is tried at once, and the wake is whole', () =>
    live(pools('spot-with-fallback'), async (twin) => {
      group(twin, 'pool-gpu').noSpotCapacity = message;
      const { status, took } = await bootstrap(twin);
      expect(status).toBe('SUCCEEDED');
      expectAwake(twin);
      expect(group(twin, 'pool-gpu').onDemandPercent).toBe(100);
      expect(took).toBeLessThan(6 * minutes);
    }));

  test('of the ingress: ends at once with the remedy where no waiting cures it, else degrades', () =>
    live(pools('on-demand'), async (twin) => {
      group(twin, 'pool-web').noCapacity = message;
      const { status, error, took } = await bootstrap(twin);
      expect([status, error]).toEqual(final ? ['FAILED', 'LaunchRefused'] : ['SUCCEEDED', undefined]);
      expect(twin.model.record.state).toBe(final ? 'wake-failed' : 'awake-degraded');
      expect(took).toBeLessThan((final ? 1 : 15) * minutes);
      expect(JSON.stringify(twin.model.record).replaceAll('\\"', '"')).toContain(`${words}: ${message}`);
      // A failure is told in words of ours alone.
      for (const told of [words, remedy]) expect(news(twin)).toContain(told);
      if (final) expect(news(twin)).not.toContain(message);
    }));

  test('of a seat: ends at once with the remedy where no waiting cures it, else at the bound of the API', () =>
    live(pools('on-demand'), async (twin) => {
      group(twin, 'seat-0').noCapacity = message;
      const execution = twin.workflows.start('bootstrap');
      const began = Date.now();
      if (!final) {
        await seconds(40);
        expect(twin.model.record).toMatchObject({
          state: 'waking',
          seatShortages: [{ pool: 'seat 0', reason: expect.stringContaining(message) as string }],
        });
      }
      await execution.over;
      expect(execution).toMatchObject({ status: 'FAILED', error: final ? 'LaunchRefused' : 'ApiNotReady' });
      expect(Date.now() - began).toBeLessThan((final ? 1 : 12) * minutes);
      expect(twin.model.record).toMatchObject({
        state: 'wake-failed',
        failure: { step: 'WaitForApi', cause: expect.stringContaining(`${words}: ${message}`) as string },
      });
      expect(news(twin)).toContain(remedy);
      expect(twin.model.record).not.toHaveProperty('seatShortages');
    }));
});

describe('a load balancer that AWS refuses', () => {
  /** Awake without the door, within the usual time and half a minute, and everybody is told why. */
  const expectWithoutDoor = (twin: Twin, took: number, why: string) => {
    expect(twin.model.record).toMatchObject({ state: 'awake' });
    expect(twin.model.record).not.toHaveProperty('lease');
    expect(took).toBeLessThan(4.5 * minutes);
    const { warnings } = twin.model.record as { warnings: string[] };
    for (const told of [warnings.join('\n'), news(twin)]) {
      expect(told).toContain(`there is no API load balancer (${why}`);
      expect(told).toContain('the next wake tries again');
    }
  };

  test.each(BALANCER_REFUSALS)('by $name of $action is a warning', ({ action, name, message }) =>
    live(pools('on-demand'), async (twin) => {
      const refuse = () => Object.assign(new Error(message), { name, $fault: 'client' });
      twin.model.faults.add({ caller: 'create-load-balancer', action, with: refuse });
      const { status, took } = await bootstrap(twin);
      expect(status).toBe('SUCCEEDED');
      expectWithoutDoor(twin, took, name === 'ThrottlingException' ? 'AwsUnavailable: ThrottlingException' : name);
    }),
  );

  test('that never answers is a warning, and hardly later', () =>
    live(pools('on-demand'), async (twin) => {
      const fault = { caller: 'create-load-balancer', action: 'CreateLoadBalancer', with: 'hang' as const };
      twin.model.faults.add(fault);
      const { status, took } = await bootstrap(twin);
      expect(status).toBe('SUCCEEDED');
      expectWithoutDoor(twin, took, '');
    }));

  test('is tried again by the next wake, which then has no warning', () =>
    live(pools('on-demand'), async (twin) => {
      twin.model.faults.add({ caller: 'create-load-balancer', service: 'lambda', with: () => new TypeError('broken') });
      await bootstrap(twin);
      twin.model.faults.clear();
      const { status } = await twin.run('wake');
      expect(status).toBe('SUCCEEDED');
      expectAwake(twin);
      // Nobody has saved etcd yet, which is another warning.
      expect(twin.model.record.warnings).toEqual(['there is no snapshot of etcd']);
    }));
});

describe('a refusal', () => {
  const messageOf = (wanted: string) => LAUNCH_REFUSALS.find(({ code }) => code === wanted)!.message;
  const unsupported = messageOf('Unsupported');
  const verification = messageOf('PendingVerification');

  test('from before this wake is not taken for an answer to it, however final it was', () =>
    live(pools('on-demand'), async (twin) => {
      const gpu = group(twin, 'pool-gpu');
      gpu.noCapacity = verification;
      await bootstrap(twin);
      await twin.run('sleep');
      gpu.noCapacity = undefined;
      const wake = await twin.run('wake');
      expect(wake.status).toBe('SUCCEEDED');
      expectAwake(twin);
    }));

  test('from before this wake is the best that is known where AWS stays silent: on-demand is tried', () =>
    live(pools('spot-with-fallback'), async (twin) => {
      const gpu = group(twin, 'pool-gpu');
      gpu.noCapacity = messageOf('UnfulfillableCapacity');
      await bootstrap(twin);
      await twin.run('sleep');
      gpu.noCapacity = undefined;
      gpu.stalled = true;
      const wake = twin.workflows.start('wake');
      await seconds(110);
      expect(gpu.onDemandPercent).toBe(0);
      await seconds(60);
      expect(gpu.onDemandPercent).toBe(100);
      gpu.stalled = false;
      twin.model.autoScaling.resize(gpu, gpu.min, gpu.desired, gpu.max);
      await wake.over;
      expectAwake(twin);
    }));

  test('of spot from before the change to on-demand is not taken for on-demand’s', () =>
    live(pools('spot-with-fallback'), async (twin) => {
      const gpu = group(twin, 'pool-gpu');
      gpu.noSpotCapacity = verification;
      // On-demand's first try comes a minute later, as AWS's does.
      twin.workflows.beforeTask = (_execution, state) => {
        if (state === 'WaitForNodes') gpu.noCapacity = undefined;
      };
      await bootstrap(twin);
      expectAwake(twin);
    }));

  test('of both markets that no waiting cures is not waited for', () =>
    live(pools('spot-with-fallback'), async (twin) => {
      group(twin, 'pool-gpu').noCapacity = verification;
      const { status, took } = await bootstrap(twin);
      expect(status).toBe('SUCCEEDED');
      expect(twin.model.record.state).toBe('awake-degraded');
      expect(took).toBeLessThan(6 * minutes);
    }));

  test('of one of three seats degrades the wake, which names the seat, until the seat is there', () =>
    live('controlPlane: { seats: 3 }\nzones: [a, b, c]\n', async (twin) => {
      group(twin, 'seat-2').noCapacity = verification;
      const { status } = await bootstrap(twin);
      expect(status).toBe('SUCCEEDED');
      expect(twin.model.record).toMatchObject({ state: 'awake-degraded', degraded: [{ pool: 'seat 2' }] });
      await runSchedules(twin, 0.5);
      expect(news(twin)).not.toContain('needs you');
      group(twin, 'seat-2').noCapacity = undefined;
      await seconds(1800);
      expect(twin.model.record.state).toBe('awake');
      expect(news(twin)).toContain('is awake, with seat 2');
    }));

  test('of two of three seats, for good, ends the wake: one alone has no quorum', () =>
    live('controlPlane: { seats: 3 }\nzones: [a, b, c]\n', async (twin) => {
      for (const seat of ['seat-0', 'seat-1']) group(twin, seat).noCapacity = verification;
      twin.model.nodes.plan = () => ({ boot: 600, runtime: 600, last: 600 });
      expect(await bootstrap(twin)).toMatchObject({ status: 'FAILED', error: 'LaunchRefused' });
    }));

  test('that AWS does not tell at all degrades a pool after ten minutes', () =>
    live(pools('on-demand'), async (twin) => {
      group(twin, 'pool-gpu').stalled = true;
      const { status, took } = await bootstrap(twin);
      expect(status).toBe('SUCCEEDED');
      expect(twin.model.record).toMatchObject({
        state: 'awake-degraded',
        degraded: [{ pool: 'gpu', reason: 'gpu has 0 of 1: no instance yet, and no word from AWS' }],
      });
      expect(took).toBeGreaterThan(10 * minutes);
      expect(took).toBeLessThan(13 * minutes);
    }));

  test.each([
    ['one type in one zone', [unsupported], ['g5.xlarge'], ['a'], true],
    ['one type in two zones, one tried', [unsupported], ['g5.xlarge'], ['a', 'b'], false],
    ['one type in two zones, both tried', [unsupported, `${unsupported} b`], ['g5.xlarge'], ['a', 'b'], true],
    ['two tries in the same zone', [unsupported, unsupported], ['g5.xlarge'], ['a', 'b'], false],
    ['one with capacity lacking in between', [unsupported, 'InsufficientInstanceCapacity'], ['x'], ['a', 'b'], false],
    ['the whole account', [verification], ['x', 'y'], ['a', 'b', 'c'], true],
    ['nothing', [], ['x'], ['a'], false],
  ])('is final for a group of %s: %#', (_, messages, instanceTypes, zones, final) => {
    expect(isFinal(messages, { instanceTypes, zones })).toBe(final);
  });

  test.each([
    ['Failed', 'InsufficientInstanceCapacity', 'refused'],
    ['Cancelled', 'Termination Reason: Client.InternalError: Client error on launch', 'refused'],
    ['Cancelled', 'The group was resized', undefined],
    ['Cancelled', 'Termination Reason: Server.SpotInstanceTermination: Spot instance termination', undefined],
    [
      'Failed',
      "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token 1 was abandoned: Lifecycle Action Completed with ABANDON Result",
      undefined,
    ],
    ['InProgress', '', undefined],
    ['Successful', '', 'launched'],
  ])('is read from an activity that is %s with “%s”: %s', (StatusCode, StatusMessage, outcome) => {
    expect(outcomeOf({ StatusCode, StatusMessage, Description: 'Launching a new EC2 instance' })).toBe(outcome);
  });

  test('is not read from the end of an instance', () => {
    expect(outcomeOf({ StatusCode: 'Successful', Description: 'Terminating EC2 instance: i-1' })).toBeUndefined();
  });
});
