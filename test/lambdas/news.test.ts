import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';
import { estimateCost } from '../../core/cost/estimate';
import { HOURS_PER_MONTH } from '../../core/cost/prices';
import { ERROR_IN_WORDS, errorInWords } from '../../core/decisions/error-words';
import { CLASS_OF, classOf } from '../../core/decisions/failure-classes';
import { logger } from '../../lambdas/shared/clients/logger';
import { inWords, notify } from '../../lambdas/shared/news/notify';
import type { Outbox } from '../../lambdas/shared/news/outbox';
import { seconds } from '../../sim/virtual-time';
import { TAG } from '../../core/config/names';
import { arn, begin, live, liveAwake, makeStep } from './support';

describe('notify', () => {
  const sent: PublishCommand['input'][] = [];
  const sns = {
    send: (command: PublishCommand) => {
      sent.push(command.input);
      return Promise.resolve({});
    },
  } as unknown as SNSClient;
  const outbox = { take: () => Promise.resolve(true), markSent: () => Promise.resolve() } as unknown as Outbox;
  beforeEach(() => (sent.length = 0));

  test.each([
    ['plain', 'plain'],
    ['two\nlines\tof it', 'two lines of it'],
    ['déjà vu – “quoted”', 'deja vu ? ?quoted?'],
    [`${'x'.repeat(97)}yyyy`, `${'x'.repeat(97)}...`],
  ])('a subject is what SNS takes: %j', async (subject, Subject) => {
    await notify({ outbox, sns, topicArn: 'arn:x' }, 'x', { subject, text: 'Größe\nbleibt' });
    expect(sent).toEqual([{ TopicArn: 'arn:x', Subject, Message: 'Größe\nbleibt' }]);
  });

  test('never fails what it tells of', async () => {
    const error = jest.spyOn(logger, 'error').mockImplementation();
    const broken = { send: () => Promise.reject(new Error('no')) } as unknown as SNSClient;
    await expect(
      notify({ outbox, sns: broken, topicArn: 'arn:x' }, 'x', { subject: 's', text: 't' }),
    ).resolves.toBeUndefined();
    expect(error).toHaveBeenCalledTimes(1);
  });
});

test.each([
  [0, '0 s'],
  [59_400, '59 s'],
  [250_000, '4 min 10 s'],
  [7_500_000, '2 h 5 min'],
])('%i ms in words: %s', (ms, words) => {
  expect(inWords(ms)).toBe(words);
});

test.each([
  ['StillBillable', 'needs-a-person'],
  ['Sandbox.Timedout', 'retryable'],
  ['AccessDeniedException', 'configuration'],
  ['InvalidAllocationID.NotFound', 'configuration'],
  ['TypeError', 'needs-a-person'],
])('%s is %s', (error, is) => {
  expect(classOf(error)).toBe(is);
});

test('every error of ours has words, and no other has', () => {
  expect(Object.keys(ERROR_IN_WORDS).sort()).toEqual(Object.keys(CLASS_OF).sort());
});

test('of a node’s words only the reasons are told by which nodes give up', () => {
  const cause =
    'i-1 is failed:start-failed, i-2 is failed:start-failed, i-3 is failed:call-this-number; open https://evil.example';
  expect(errorInWords('NodesNotReady', cause)).toBe(
    'Nodes were not ready in time: failed:start-failed (NodesNotReady)',
  );
});

test.each([
  ['NodesNotReady', 'Nodes were not ready in time (NodesNotReady)'],
  ['Sandbox.Timedout', 'AWS did not answer in time (Sandbox.Timedout)'],
  ['AccessDeniedException', 'AWS refused a call, or did not find what it was about (AccessDeniedException)'],
  ['TypeError', 'Something happened that nobody has foreseen (TypeError)'],
  ['Dear operator, open https://evil.example', 'Something happened that nobody has foreseen'],
])('%s in words: %s', (error, words) => {
  expect(errorInWords(error)).toBe(words);
});

describe('a workflow that goes well', () => {
  test('is told with who asked and how long it took', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'sleep');
      await seconds(249.5);
      await makeStep(twin.model, 'record-success')({ ...leased, snapshot: { key: 'k' } });
      const [message] = twin.model.sns.messages;
      expect(message).toMatchObject({ subject: 'drowse is asleep' });
      expect(message!.text).toMatch(
        /^sleep of cluster drowse, asked for by test, took 4 min 10 s\.\n\nNo instance runs\. /,
      );
      expect(message!.text).toContain('The Elastic IP costs $3.65 a month');
    }));

  test('a sleep tells what sleeping has saved this month', () =>
    live('', async (twin) => {
      const now = Date.now();
      const hours = (n: number) => new Date(now - n * 3_600_000).toISOString();
      const run = { requestedBy: 'test', outcome: 'succeeded' };
      // Ten hours awake, ten asleep, ten awake, within the month.
      expect(new Date(now - 31 * 3_600_000).getUTCMonth()).toBe(new Date(now).getUTCMonth());
      const runs = [
        { ...run, workflow: 'bootstrap', startedAt: hours(30), endedAt: hours(30) },
        { ...run, workflow: 'sleep', startedAt: hours(20), endedAt: hours(20) },
        { ...run, workflow: 'wake', startedAt: hours(10), endedAt: hours(10) },
      ];
      const id = `month#${hours(0).slice(0, 7)}`;
      twin.model.dynamo.items.set(id, {
        id,
        ...Object.fromEntries(runs.map((one) => [`${one.startedAt} ${one.workflow}`, one])),
      });
      await makeStep(twin.model, 'record-success')({ ...(await begin(twin, 'sleep')), snapshot: { key: 'k' } });
      const { awakePerHour, asleepPerMonth } = estimateCost(twin.model.config);
      const asleepPerHour = asleepPerMonth / HOURS_PER_MONTH;
      const saved = (10 * (awakePerHour - asleepPerHour)).toFixed(2);
      const cost = (20 * awakePerHour + 10 * asleepPerHour).toFixed(2);
      expect(twin.model.sns.messages[0]!.text).toContain(
        `Sleeping has saved about $${saved} this month so far; the cluster has cost about $${cost} (list prices).`,
      );
    }));

  test('a wake tells where the app is; one that nobody reaches, and a sleep, do not', () =>
    live('app: { domain: app.example.org, email: ops@example.org }', async (twin) => {
      const told = async (workflow: 'wake' | 'sleep', end = {}) => {
        await makeStep(
          twin.model,
          'record-success',
        )({ ...(await begin(twin, workflow, arn(`${workflow}${JSON.stringify(end).length}`))), ...end });
        return twin.model.sns.messages.at(-1)!.text;
      };
      expect(await told('wake')).toMatch(
        /^wake of cluster drowse, asked for by test, took \d+ s\.\n\nThe app: https:\/\/app\.example\.org\/\n/,
      );
      expect(await told('sleep', { snapshot: { key: 'k' } })).not.toContain('app.example.org');
      const probe = { Error: 'AppNotReachable', Cause: JSON.stringify({ errorMessage: 'see https://evil.example' }) };
      const degraded = await told('wake', { probe });
      expect(degraded).toContain(
        'The app is not reachable. Nobody could reach the app from outside (AppNotReachable).',
      );
      expect(degraded).not.toMatch(/evil|The app: /);
    }));

  test('a sleep that came without a snapshot says so', () =>
    live('', async (twin) => {
      await makeStep(twin.model, 'record-success')(await begin(twin, 'sleep'));
      expect(twin.model.sns.messages[0]!.text).toContain('etcd was not saved: no seat could be asked');
    }));

  test('tells of a seat’s words about pods only what is a pod’s name, or a reason of ours', () =>
    live('', async (twin) => {
      const drain = {
        drained: [],
        stuck: [
          { pod: 'db/pg-0', node: 'i-1', reason: 'waits for the finalizer example.org/guard' },
          { pod: 'Dear operator', node: 'i-1', reason: 'open https://evil.example' },
        ],
      };
      await makeStep(twin.model, 'record-success')({ ...(await begin(twin, 'sleep')), drain, snapshot: { key: 'k' } });
      const [{ text } = { text: '' }] = twin.model.sns.messages;
      expect(text).toContain(
        'db/pg-0 ended with its node: waits for the finalizer example.org/guard\n\na pod ended with its node: the log of drain-nodes says why',
      );
      expect(text).not.toMatch(/Dear|evil/);
    }));

  test('tells what it went on without', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'sleep');
      const drain = {
        drained: [],
        stuck: [{ pod: 'db/pg-0', node: 'i-1', reason: 'its disruption budget forbids it' }],
        stuckPods: 3,
      };
      const snapshot = { Error: 'ApiNotReady', Cause: '{}' };
      await makeStep(twin.model, 'record-success')({ ...leased, drain, snapshot });
      const [{ text } = { text: '' }] = twin.model.sns.messages;
      expect(text).toContain(
        'db/pg-0 ended with its node: its disruption budget forbids it\n\n2 more pods ended with their nodes',
      );
      expect(text).toContain('etcd was not saved (ApiNotReady): docs/runbook.md#apinotready');
    }));

  test('says what runs, and what that costs by the hour', () =>
    liveAwake('', async (twin) => {
      const one = twin.model.sns.messages.at(-1);
      // A t3.medium, a g4dn.xlarge, and an address each.
      expect(one!.text).toContain('2 instances run, for about $0.58 an hour');
      expect(one!.text).not.toContain('at least');
      twin.model.ec2.launch({ [TAG.cluster]: 'drowse' }, 'x9.huge');
      const leased = await begin(twin, 'wake', arn('next'));
      await makeStep(twin.model, 'record-success')(leased);
      expect(twin.model.sns.messages.at(-1)!.text).toContain(
        '3 instances run, for at least $0.58 an hour: what x9.huge costs here is not known, and comes on top.',
      );
      twin.model.faults.add({ action: 'DescribeInstances', with: () => new Error('no') });
      await makeStep(twin.model, 'record-success')(await begin(twin, 'wake', arn('bootstrap')));
      expect(twin.model.sns.messages.at(-1)!.text).not.toContain('$');
    }));

  test('is recorded even if nobody understands what its steps left, or the topic is gone', () =>
    live('', async (twin) => {
      twin.model.faults.add({ service: 'sns', with: () => new Error('gone') });
      const leased = await begin(twin, 'wake');
      const end = { ...leased, prerequisites: 7, drain: 'x', snapshot: [] };
      await expect(makeStep(twin.model, 'record-success')(end)).resolves.toEqual({ state: 'awake' });
      expect(twin.model.record).toMatchObject({ state: 'awake' });
    }));

  test('without some pool names it, and warnings of the pre-checks', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      const nodes = { missing: 1, degraded: [{ pool: 'gpu', reason: 'AWS has no capacity: x' }] };
      const prerequisites = { warnings: ['The newest snapshot is two days old'] };
      await makeStep(twin.model, 'record-success')({ ...leased, nodes, prerequisites });
      const [message] = twin.model.sns.messages;
      expect(message!.subject).toBe('drowse is awake-degraded without gpu');
      expect(message!.text).toContain('Pool gpu is not up. AWS has no capacity: x');
      expect(message!.text).toContain('Warning: The newest snapshot is two days old');
    }));
});

describe('a workflow that fails', () => {
  const failure = { Error: 'PrerequisiteMissing', Cause: JSON.stringify({ errorMessage: 'no image' }) };

  test('is told with step, error in words, class, where to read on and what to do, and with nothing that anybody wrote freely', () =>
    live('', async (twin) => {
      const leased = await begin(twin, 'wake');
      await makeStep(twin.model, 'record-failure')({ ...leased, failure });
      const [message] = twin.model.sns.messages;
      expect(message!.subject).toBe('drowse: wake failed at wake (PrerequisiteMissing)');
      expect(message!.text).toContain('Something is missing that a wake needs (PrerequisiteMissing).');
      expect(message!.text).not.toContain('no image');
      expect(message!.text).toContain('Configuration: ');
      expect(message!.text).toContain('docs/runbook.md#prerequisitemissing');
      expect(message!.text).toContain('Log: /aws/vendedlogs/states/drowse-wake');
      expect(message!.text).toContain(`Execution: ${leased.execution}`);
    }));

  test('of a child is told once, by its parent', () =>
    live('', async (twin) => {
      const parent = await begin(twin, 'wake');
      const child = { ...parent, execution: 'arn:child', workflow: 'install-platform', failure };
      twin.model.stepFunctions.executions.set('arn:child', {
        arn: 'arn:child',
        machineArn: 'arn',
        status: 'RUNNING',
        input: '{}',
        startedAt: new Date(),
        history: [],
      });
      await makeStep(twin.model, 'record-failure')(child);
      expect(twin.model.sns.messages).toEqual([]);
    }));
});
