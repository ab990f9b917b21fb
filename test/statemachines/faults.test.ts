import { serviceFault } from '../../sim/aws/errors';
import { allStates, readDefinition, stepOf } from '../../sim/definitions';
import type { Twin } from '../../sim/run';
import { live } from '../lambdas/support';
import { expectAsleep, expectAwake } from './expectations';

/** A workflow's steps: where it starts, and what holds once it has ended well. */
const WORKFLOWS = {
  bootstrap: { before: [], check: expectAwake },
  sleep: { before: ['bootstrap'], check: expectAsleep },
  wake: { before: ['bootstrap', 'sleep'], check: expectAwake },
} satisfies Record<string, { before: string[]; check: (twin: Twin) => void }>;

const FAILED = { bootstrap: 'wake-failed', sleep: 'sleep-failed', wake: 'wake-failed' };

const cases = Object.keys(WORKFLOWS).flatMap((name) => {
  const workflow = name as keyof typeof WORKFLOWS;
  return allStates(readDefinition(workflow)).flatMap(([state, { Resource = '' }]) => {
    const step = stepOf(Resource);
    return step === undefined || state === 'RecordFailure' ? [] : [{ workflow, state, step }];
  });
});

/** Steps without which everything works. */
const OPTIONAL = ['RecordDurations', 'CreateLoadBalancer'];
/** So that a door that could not be made is none that is missing. */
const WITHOUT_DOOR = 'operatorCidrs: []';

/** How long a workflow takes that succeeds (s). */
async function timed(twin: Twin, workflow: string): Promise<number> {
  const began = Date.now();
  const { status, cause } = await twin.run(workflow);
  expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
  return (Date.now() - began) / 1000;
}

async function prepare(twin: Twin, workflow: keyof typeof WORKFLOWS): Promise<void> {
  for (const before of WORKFLOWS[workflow].before) await twin.run(before);
}

const outOfOrder = () => Object.assign(new Error('out of order'), { name: 'Lambda.ServiceException' });

describe.each(cases)('$workflow, when $state', ({ workflow, state, step }) => {
  test.each([
    ["fails once for a fault of Lambda's", { service: 'lambda', with: outOfOrder }],
    ["fails once for a fault of AWS's", { with: () => serviceFault() }],
    ['never answers, once', { service: 'lambda', with: 'hang' as const }],
  ])('%s, succeeds all the same', (_how, fault) =>
    live('', async (twin) => {
      await prepare(twin, workflow);
      twin.model.faults.add({ caller: step, times: 1, ...fault });
      const { status, cause } = await twin.run(workflow);
      expect([status, cause]).toEqual(['SUCCEEDED', undefined]);
      WORKFLOWS[workflow].check(twin);
    }),
  );

  if (OPTIONAL.includes(state)) {
    test.each([
      ['fails always', { with: () => new TypeError('broken') }],
      ['never answers', { with: 'hang' as const }],
      [
        'is throttled',
        { with: () => Object.assign(new Error('throttled'), { name: 'Lambda.TooManyRequestsException' }) },
      ],
    ])('%s, all else is well, and hardly later', async (_how, fault) => {
      const run = (faulty: boolean) =>
        live(WITHOUT_DOOR, async (twin) => {
          await prepare(twin, workflow);
          if (faulty) twin.model.faults.add({ caller: step, service: 'lambda', ...fault });
          const took = await timed(twin, workflow);
          WORKFLOWS[workflow].check(twin);
          return took;
        });
      expect((await run(true)) - (await run(false))).toBeLessThan(30);
    });
    return;
  }

  test('fails always, ends with that step on record and the lease free, and the next run repairs it', () =>
    live('', async (twin) => {
      await prepare(twin, workflow);
      twin.model.faults.add({ caller: step, service: 'lambda', with: () => new TypeError('broken') });
      const { status } = await twin.run(workflow);
      expect(status).toBe('FAILED');
      // These fail before there is a lease; nothing has begun, and nothing is recorded.
      if (state !== 'CheckTrigger' && state !== 'AcquireLease') {
        // The child of a wake ends with the same step, so that one fails first.
        const failed = state === 'RecordSuccess' && workflow !== 'sleep' ? 'InstallPlatform' : state;
        expect(twin.model.record).toMatchObject({ state: FAILED[workflow], failure: { workflow, step: failed } });
      }
      expect(twin.model.record).not.toHaveProperty('lease');
      twin.model.faults.clear();
      await twin.run(workflow);
      WORKFLOWS[workflow].check(twin);
    }));
});

test('what a cluster costs is not waited for: news go out without', () =>
  live('', async (twin) => {
    await twin.run('bootstrap');
    twin.model.faults.add({ caller: 'record-success', action: 'DescribeInstances', with: 'hang' });
    const sleep = await twin.run('sleep');
    expect([sleep.status, sleep.cause]).toEqual(['SUCCEEDED', undefined]);
    expect(sleep.states.find(({ name }) => name === 'RecordSuccess')!.seconds).toBeLessThan(10);
    expect(twin.model.sns.messages.at(-1)!.subject).toBe('drowse is asleep');
  }));
