import {
  type Action,
  findAmiss,
  lookAfter,
  MOST_TRIES,
  ROWS,
  type Seen,
  type SeenGroup,
  type SeenNode,
  STOPPED,
} from '../../core/decisions/look-after';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const MINUTE = 60_000;
const ago = (minutes: number) => NOW - minutes * MINUTE;
const iso = (time: number) => new Date(time).toISOString();

const group = (name: string, more: Partial<SeenGroup> = {}): SeenGroup => ({
  name,
  role: name.startsWith('seat') ? 'seat' : 'pool',
  desired: 1,
  max: 1,
  configuredMax: 1,
  ...more,
});
const node = (id: string, of: string, more: Partial<SeenNode> = {}): SeenNode => ({
  id,
  role: of.startsWith('seat') ? 'seat' : 'pool',
  ingress: of === 'web',
  group: of,
  state: 'running',
  lifecycle: 'InService',
  phase: 'ready',
  since: ago(60),
  joining: false,
  ...more,
});
const SEAT = node('s0', 'seat-0');
const WEB = node('w0', 'web');

const AWAKE: Seen = {
  now: NOW,
  intent: { state: 'awake', since: iso(ago(90)), by: 'ann' },
  state: 'awake',
  since: ago(80),
  lease: undefined,
  failure: undefined,
  drainedAt: undefined,
  degraded: false,
  recovering: false,
  missed: undefined,
  nextWake: undefined,
  keepAwakeUntil: undefined,
  groups: [group('seat-0'), group('web')],
  nodes: [SEAT, WEB],
  address: { holder: 'w0' },
  balancer: { listens: true },
  wantsBalancer: true,
  tries: {},
};
const SHUT = { desired: 0, max: 0 };
const ASLEEP: Seen = {
  ...AWAKE,
  intent: { state: 'asleep', since: iso(ago(90)), by: 'ann' },
  state: 'asleep',
  groups: [group('seat-0', SHUT), group('web', SHUT)],
  nodes: [],
  address: { holder: undefined },
  balancer: undefined,
};
const lease = (workflow: 'wake' | 'sleep' | 'install-platform', over = false) => ({ owner: 'arn', workflow, over });
const failed = (workflow: 'wake' | 'sleep' | 'bootstrap', error: string, minutes = 1) => ({
  workflow,
  error,
  at: ago(minutes),
});
const WAKE_FAILED: Seen = { ...AWAKE, state: 'wake-failed', failure: failed('wake', 'ApiNotReady') };
const SLEEP_FAILED: Seen = {
  ...ASLEEP,
  state: 'sleep-failed',
  failure: failed('sleep', 'CommandFailed'),
  nodes: [SEAT],
};
const missed = { workflow: 'sleep', schedule: 'nights', at: iso(ago(10)) } as const;
const start = (workflow: 'sleep' | 'wake' | 'bootstrap') => [{ do: 'start', workflow }];

/** What is seen, and what is done about it; nothing where nothing is to be done. */
const CASES: [what: string, seen: Seen, actions: Action[] | object[]][] = [
  ['awake as it should be', AWAKE, []],
  ['asleep as it should be', ASLEEP, []],
  ['never bootstrapped', { ...AWAKE, intent: undefined, nodes: [{ ...SEAT, phase: 'failed:start-failed' }] }, []],
  // Endings
  ['a workflow at work', { ...AWAKE, state: 'sleeping', lease: lease('sleep') }, []],
  [
    'a workflow that is over and has not said so',
    { ...AWAKE, state: 'sleeping', lease: lease('sleep', true), missed },
    [{ do: 'record-ending', owner: 'arn', workflow: 'sleep' }],
  ],
  // Schedules
  ['a missed event', { ...AWAKE, missed }, [{ do: 'start-missed', event: missed }]],
  ['a missed event while somebody has the cluster', { ...AWAKE, missed, lease: lease('install-platform') }, []],
  [
    'a missed event, and more that would be started',
    { ...WAKE_FAILED, missed },
    [{ do: 'start-missed', event: missed }],
  ],
  // Asleep
  ['an instance runs while asleep', { ...ASLEEP, nodes: [SEAT] }, start('sleep')],
  ['an instance that is still shown right after the sleep', { ...ASLEEP, since: ago(1), nodes: [SEAT] }, []],
  ['a group has a size while asleep', { ...ASLEEP, groups: [group('seat-0')] }, start('sleep')],
  ['a load balancer is there while asleep', { ...ASLEEP, balancer: { listens: true } }, start('sleep')],
  ['stopped beside its group', { ...ASLEEP, nodes: [{ ...WEB, state: 'stopped', lifecycle: 'Standby' }] }, []],
  [
    'stopped, but of no group',
    { ...ASLEEP, nodes: [{ ...WEB, state: 'stopped', group: undefined, lifecycle: '' }] },
    start('sleep'),
  ],
  ['an instance runs while it is put to sleep', { ...ASLEEP, lease: lease('sleep'), nodes: [SEAT] }, []],
  // Sleeps that failed
  ['a failed sleep', SLEEP_FAILED, start('sleep')],
  ['a sleep that died', { ...SLEEP_FAILED, state: 'sleeping', failure: undefined }, start('sleep')],
  ['a failed sleep shortly before the next wake', { ...SLEEP_FAILED, nextWake: NOW + 25 * MINUTE }, []],
  ['a failed sleep long before the next wake', { ...SLEEP_FAILED, nextWake: NOW + 35 * MINUTE }, start('sleep')],
  ['a failed sleep while somebody keeps it awake', { ...SLEEP_FAILED, keepAwakeUntil: NOW + MINUTE }, []],
  ['a failed sleep after that', { ...SLEEP_FAILED, keepAwakeUntil: ago(1) }, start('sleep')],
  ['a sleep that was denied', { ...SLEEP_FAILED, failure: failed('sleep', 'AccessDenied') }, []],
  ['a sleep that somebody stopped just now', { ...SLEEP_FAILED, failure: failed('sleep', STOPPED, 4) }, []],
  [
    'a sleep that somebody stopped a while ago',
    { ...SLEEP_FAILED, failure: failed('sleep', STOPPED, 6) },
    start('sleep'),
  ],
  // Wakes that failed
  ['a failed wake', WAKE_FAILED, start('wake')],
  ['a failed bootstrap', { ...WAKE_FAILED, failure: failed('bootstrap', 'NodeFailed') }, start('bootstrap')],
  ['a wake that died', { ...WAKE_FAILED, state: 'waking', failure: undefined }, start('wake')],
  ['a wake that AWS refuses for good', { ...WAKE_FAILED, failure: failed('wake', 'LaunchRefused') }, []],
  ['a wake without what it needs', { ...WAKE_FAILED, failure: failed('wake', 'PrerequisiteMissing') }, []],
  ['a seat that AWS has no instance for', { ...WAKE_FAILED, nodes: [WEB] }, []],
  [
    'that seat, once it is on its way',
    { ...WAKE_FAILED, nodes: [{ ...SEAT, phase: 'booting', since: ago(1) }] },
    start('wake'),
  ],
  [
    'one of three seats without an instance',
    { ...WAKE_FAILED, groups: [group('seat-0'), group('seat-1'), group('seat-2')], nodes: [SEAT] },
    start('wake'),
  ],
  [
    'a seat whose volume is blank: the next would find it so',
    { ...WAKE_FAILED, nodes: [{ ...SEAT, phase: 'failed:state-lost', since: ago(1) }] },
    [],
  ],
  // Zombies and hands while awake
  ['a group that a late step shut', { ...AWAKE, groups: [group('seat-0'), group('web', SHUT)] }, start('wake')],
  [
    'a pool that may not have nodes',
    { ...AWAKE, groups: [group('seat-0'), group('gpu', { ...SHUT, configuredMax: 0 })] },
    [],
  ],
  ['a pool scaled to nothing', { ...AWAKE, groups: [group('seat-0'), group('gpu', { desired: 0 })] }, []],
  [
    'a node left beside its group',
    { ...AWAKE, nodes: [SEAT, WEB, node('b0', 'batch', { lifecycle: 'Standby' })] },
    start('wake'),
  ],
  // Seats
  [
    'a seat that failed',
    { ...AWAKE, nodes: [{ ...SEAT, phase: 'failed:api-not-ready', since: ago(1) }, WEB] },
    [{ do: 'end-node', id: 's0', group: 'seat-0' }],
  ],
  ['a seat on its way', { ...AWAKE, nodes: [{ ...SEAT, phase: 'control-plane', since: ago(6) }, WEB] }, []],
  [
    'a seat that hangs, after a wake that failed by it',
    { ...WAKE_FAILED, nodes: [{ ...SEAT, phase: 'control-plane', since: ago(8) }, WEB] },
    [{ do: 'end-node', id: 's0', group: 'seat-0' }, ...start('wake')],
  ],
  [
    'two of three seats that failed: one at a time',
    {
      ...AWAKE,
      nodes: [
        SEAT,
        node('s1', 'seat-1', { phase: 'failed:start-failed' }),
        node('s2', 'seat-2', { phase: 'failed:start-failed' }),
        WEB,
      ],
    },
    [{ do: 'end-node', id: 's1', group: 'seat-1' }],
  ],
  [
    'a seat that failed, under a wake',
    { ...AWAKE, state: 'waking', lease: lease('wake'), nodes: [{ ...SEAT, phase: 'failed:start-failed' }, WEB] },
    [],
  ],
  // Pool nodes
  [
    'a restarted node that failed, under a wake',
    {
      ...AWAKE,
      state: 'waking',
      lease: lease('wake'),
      nodes: [SEAT, WEB, node('b0', 'batch', { phase: 'failed:join' })],
    },
    [{ do: 'end-node', id: 'b0', group: 'batch' }],
  ],
  [
    'a restarted node on its way',
    { ...AWAKE, nodes: [SEAT, WEB, node('b0', 'batch', { phase: 'joining', since: ago(6) })] },
    [],
  ],
  [
    'a restarted node that hangs',
    { ...AWAKE, nodes: [SEAT, WEB, node('b0', 'batch', { phase: 'joining', since: ago(8) })] },
    [{ do: 'end-node', id: 'b0', group: 'batch' }],
  ],
  [
    'a restarted node that waits for an API that has just come',
    { ...AWAKE, nodes: [{ ...SEAT, since: ago(6) }, WEB, node('b0', 'batch', { phase: 'joining', since: ago(30) })] },
    [],
  ],
  [
    'a restarted node that waits for an API that does not come',
    {
      ...AWAKE,
      nodes: [{ ...SEAT, phase: 'control-plane', since: ago(6) }, WEB, node('b0', 'batch', { phase: 'joining' })],
    },
    [],
  ],
  // Launch hooks
  ...(
    [
      ['that a join is about to answer', { joining: true }, undefined],
      ['that is young', { since: ago(4) }, undefined],
      ['of a node that is ready', { since: ago(6) }, 'CONTINUE'],
      ['of a node that waits for ever', { since: ago(6), phase: 'waiting-for-token' }, 'ABANDON'],
    ] as const
  ).map(([what, more, result]): (typeof CASES)[number] => [
    `a launch hook ${what}`,
    { ...AWAKE, nodes: [SEAT, WEB, node('g0', 'gpu', { lifecycle: 'Pending:Wait', ...more })] },
    result === undefined ? [] : [{ do: 'answer-hook', id: 'g0', group: 'gpu', result }],
  ]),
  // The Elastic IP
  ['the address on nothing', { ...AWAKE, address: { holder: undefined } }, [{ do: 'give-address', id: 'w0' }]],
  ['the address on what is gone', { ...AWAKE, address: { holder: 'w9' } }, [{ do: 'give-address', id: 'w0' }]],
  ['the address on nothing, and no node for it', { ...AWAKE, nodes: [SEAT], address: { holder: undefined } }, []],
  ['no address at all', { ...AWAKE, address: undefined }, []],
  // The API's load balancer
  ['no load balancer', { ...AWAKE, balancer: undefined }, [{ do: 'make-load-balancer' }]],
  ['one without its listener', { ...AWAKE, balancer: { listens: false } }, [{ do: 'make-load-balancer' }]],
  ['none, where people come through a tunnel', { ...AWAKE, balancer: undefined, wantsBalancer: false }, []],
  ['none yet, under a wake', { ...AWAKE, state: 'waking', lease: lease('wake'), balancer: undefined }, []],
  // Seats that AWS has no instance for
  ['a seat without an instance', { ...AWAKE, groups: [...AWAKE.groups, group('seat-1')] }, [{ do: 'wait' }]],
  // Cordons
  ['nodes that a sleep drained', { ...AWAKE, drainedAt: iso(ago(9)) }, [{ do: 'uncordon' }]],
  ['nodes that a sleep drains', { ...AWAKE, state: 'sleeping', lease: lease('sleep'), drainedAt: iso(ago(9)) }, []],
  [
    'nodes that a failed sleep drained',
    { ...SLEEP_FAILED, nextWake: NOW, drainedAt: iso(ago(9)) },
    [{ do: 'uncordon' }],
  ],
  ['drained nodes, and no seat to ask', { ...SLEEP_FAILED, nextWake: NOW, nodes: [], drainedAt: iso(ago(9)) }, []],
  // Missing pools
  [
    'missing pools that nobody waits for',
    { ...AWAKE, state: 'awake-degraded', degraded: true },
    [{ do: 'recover-pools' }],
  ],
  ['missing pools that are waited for', { ...AWAKE, state: 'awake-degraded', degraded: true, recovering: true }, []],
  ['pools missing for a day', { ...AWAKE, state: 'awake-degraded', degraded: true, since: ago(24 * 60) }, []],
];

test.each(CASES)('%s', (_what, seen, actions) => {
  expect(findAmiss(seen).map(({ action }) => action)).toEqual(actions);
});

test('every row of the table is tried', () => {
  const seen = CASES.map(([, one]) => one);
  const idle = ROWS.filter(({ finds }) => !seen.some((one) => one.intent && finds(one).length > 0));
  expect(idle.map(({ name }) => name)).toEqual([]);
});

describe('tries', () => {
  const key = `wake#${AWAKE.intent!.since}`;
  const tried = (count: number, minutes: number, told?: boolean): Seen => ({
    ...WAKE_FAILED,
    tries: { [key]: { count, at: iso(ago(minutes)), ...(told && { told }) } },
  });
  test.each([
    ['the first at once', WAKE_FAILED, [false]],
    ['the second after five minutes', tried(1, 4.9), []],
    ['the second after five minutes', tried(1, 5), [false]],
    ['the third after ten', tried(2, 9), []],
    ['the third after ten', tried(2, 10), [false]],
    ['the fourth after twenty', tried(3, 19), []],
    ['the fourth after twenty', tried(3, 20), [false]],
    ['the fifth after forty', tried(4, 39), []],
    ['the fifth after forty', tried(4, 40), [false]],
    ['then a person is told', tried(MOST_TRIES, 5), [true]],
    ['once', tried(MOST_TRIES, 500, true), []],
  ])('%s', (_what, seen, tells) => {
    expect(lookAfter(seen).decisions.map(({ tell }) => tell)).toEqual(tells);
  });

  test('of what does not tell of itself come faster, and go on where they do no harm', () => {
    const after = (count: number, minutes: number, told?: boolean): Seen => ({
      ...AWAKE,
      address: { holder: undefined },
      tries: { address: { count, at: iso(ago(minutes)), ...(told && { told }) } },
    });
    const tells = (seen: Seen) => lookAfter(seen).decisions.map(({ tell }) => tell);
    for (const [count, minutes] of [
      [1, 5],
      [2, 5],
      [3, 10],
      [4, 10],
    ] as const) {
      expect(tells(after(count, minutes - 0.1))).toEqual([]);
      expect(tells(after(count, minutes))).toEqual([false]);
    }
    expect(tells(after(MOST_TRIES, 5))).toEqual([true]);
    expect(tells(after(MOST_TRIES, 39, true))).toEqual([]);
    expect(tells(after(MOST_TRIES, 40, true))).toEqual([false]);
  });

  test('of a seat that AWS has no instance for: a person is told at the third look', () => {
    const after = (count: number): Seen => ({
      ...AWAKE,
      groups: [...AWAKE.groups, group('seat-1')],
      tries: { 'empty#seat-1': { count, at: iso(ago(5)) } },
    });
    expect([1, 2].map((count) => lookAfter(after(count)).decisions.map(({ tell }) => tell))).toEqual([[false], [true]]);
  });

  test('of a sleep they go on, since it costs money', () => {
    const tries = { [`sleep#${AWAKE.intent!.since}`]: { count: 5, at: iso(ago(40)), told: true } };
    expect(lookAfter({ ...SLEEP_FAILED, tries }).decisions).toMatchObject([{ tell: false, action: { do: 'start' } }]);
    expect(lookAfter({ ...SLEEP_FAILED, now: NOW - MINUTE, tries }).decisions).toEqual([]);
  });

  test('are forgotten once nothing is amiss for an hour, and not while somebody has the cluster', () => {
    const of = (minutes: number) => ({ web: { count: 3, at: iso(ago(minutes)) } });
    expect(lookAfter({ ...AWAKE, tries: of(61) }).forgotten).toEqual(['web']);
    expect(lookAfter({ ...AWAKE, tries: of(59) }).forgotten).toEqual([]);
    expect(lookAfter({ ...AWAKE, tries: of(61), lease: lease('wake') }).forgotten).toEqual([]);
    const failing = [SEAT, node('w0', 'web', { phase: 'failed:start-failed' })];
    expect(lookAfter({ ...AWAKE, nodes: failing, tries: of(61) }).forgotten).toEqual([]);
  });
});
