/** Answers of the API of a deployed cluster, of the office-hours example, shortened in IDs alone; held to the API's document by the tests. */

const WAKE = 'arn:aws:states:us-east-1:123456789012:execution:office-wake:one';
const SLEEP = 'arn:aws:states:us-east-1:123456789012:execution:office-sleep:two';
const at = (time: string) => `2026-11-30T${time}.000Z`;
const consoleOf = (execution: string) =>
  `https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/${execution}`;

const base = {
  cluster: 'office',
  waiting: [],
  usualSeconds: { wake: 192.4, sleep: 95.1 },
  schedule: {
    next: [
      {
        ...{ at: at('19:00:00'), local: '2026-11-30T20:00', timeZone: 'Europe/Berlin', workflow: 'sleep' },
        ...{ schedule: 'office', startedBy: 'schedule' },
      },
      {
        ...{ at: '2026-12-01T06:30:00.000Z', local: '2026-12-01T07:30', timeZone: 'Europe/Berlin', workflow: 'wake' },
        ...{ schedule: 'office', startedBy: 'schedule' },
        skipped: { reason: 'skip-next', message: 'left out by ada' },
      },
    ],
  },
  snapshot: { key: 'snapshots/2026-11-30T15-30-00Z-hourly/etcd.db', at: at('15:30:00'), bytes: 20_480, sha256: 'b18d' },
  kubernetesApi: { through: 'load-balancer', command: 'drowse kubeconfig' },
};
const elasticIp = { publicIp: '203.0.113.7', instanceId: 'i-0b' };
const seat = {
  ...{ id: 'i-0a', type: 't3.medium', role: 'seat', seat: '0', ingress: false, state: 'running', phase: 'ready' },
  ...{ phaseAt: at('15:57:00'), publicIp: '198.51.100.4' },
};
const gpu = {
  ...{ id: 'i-0b', type: 'g4dn.xlarge', role: 'pool', pool: 'gpu', ingress: true, state: 'running', phase: 'joining' },
  ...{ phaseAt: at('15:59:18'), publicIp: '203.0.113.7' },
};

export const ASLEEP = {
  ...base,
  state: 'asleep',
  since: at('10:00:00'),
  nodes: [],
  elasticIp: { publicIp: '203.0.113.7' },
  cost: { currency: 'USD', perHour: 0.005971, unknown: [] },
  app: { url: 'https://office.example.org/' },
};

export const AWAKE = {
  ...base,
  state: 'awake',
  since: at('12:00:00'),
  nodes: [seat, { ...gpu, phase: 'ready' }],
  elasticIp,
  cost: { currency: 'USD', perHour: 0.592733, unknown: [] },
  app: { url: 'https://office.example.org/', answers: true },
  schedule: {
    ...base.schedule,
    keepAwakeUntil: at('21:00:00'),
    postponedUntil: at('18:00:00'),
    idleSleepAt: at('18:15:00'),
  },
};

export const WAKING = {
  ...base,
  state: 'waking',
  since: at('15:58:00'),
  running: {
    ...{ workflow: 'wake', step: 'wait-for-nodes', since: at('15:58:00'), requestedBy: 'api:arn:aws:iam::1:user/ada' },
    ...{ reason: 'demo', execution: WAKE, usualSeconds: 192.4, console: consoleOf(WAKE) },
    estimate: { secondsLeft: 72.4, secondsLeftAtMost: 140, runs: 10, late: false },
    states: [
      { name: 'WaitForNodes', since: at('15:59:00'), usualSeconds: 95 },
      { name: 'CreateLoadBalancer', since: at('15:59:10') },
    ],
  },
  waiting: [
    {
      ...{ workflow: 'sleep', execution: SLEEP, since: at('15:59:30') },
      behind: { workflow: 'wake', since: at('15:58:00') },
      estimate: { secondsLeft: 167.5, secondsLeftAtMost: 260, runs: 10, late: false },
    },
  ],
  nodes: [seat, gpu],
  elasticIp,
  cost: { currency: 'USD', perHour: 0.592733, unknown: [] },
  app: { url: 'https://office.example.org/' },
};

export const DEGRADED = {
  ...AWAKE,
  state: 'awake-degraded',
  degraded: [{ pool: 'gpu', reason: 'AWS has no capacity of g4dn.xlarge in us-east-1a' }],
  unreachable: 'app not reachable: the connection was refused',
  warnings: ['there is no snapshot of etcd from the last day'],
  nodes: [seat],
  elasticIp: { publicIp: '203.0.113.7' },
  cost: { currency: 'USD', perHour: 0.06, unknown: ['x9.large'] },
  app: { url: 'https://office.example.org/', answers: false, reason: 'app not reachable: the connection was refused' },
};

export const FAILED = {
  ...base,
  state: 'wake-failed',
  since: at('15:40:00'),
  failure: {
    ...{ workflow: 'wake', step: 'WaitForApi', error: 'ApiNotReady', cause: 'seat 0: booting for 10 min' },
    ...{ at: at('15:40:00'), execution: WAKE, class: 'retryable' },
    ...{ log: '/aws/lambda/office-wait-for-api', runbook: 'docs/runbook.md#apinotready' },
  },
  nodes: [{ ...seat, phase: 'booting', phaseAt: at('15:30:00') }],
  elasticIp: { publicIp: '203.0.113.7' },
  cost: { currency: 'USD', perHour: 0.055, unknown: [] },
  app: { url: 'https://office.example.org/' },
};

export const CUT_OFF = {
  ...WAKING,
  running: { ...WAKING.running, estimate: undefined, ended: 'ABORTED', states: [] },
  waiting: [],
};

export const START = {
  state: 'asleep',
  since: at('10:00:00'),
  execution: WAKE,
  message: 'The cluster wakes up',
  estimate: { secondsLeft: 192.4, secondsLeftAtMost: 240, runs: 10, late: false },
  look: { status: 'GET /status', console: consoleOf(WAKE) },
};

export const ALREADY = { state: 'awake', since: at('12:00:00'), message: 'The cluster is awake' };

export const RUNS = {
  runs: [
    {
      ...{ workflow: 'sleep', startedAt: at('09:58:24'), endedAt: at('10:00:00') },
      ...{ requestedBy: 'api:arn:aws:sts::1:assumed-role/op/ada', reason: 'lunch', outcome: 'succeeded' },
    },
    {
      ...{ workflow: 'wake', startedAt: at('06:30:00'), endedAt: at('06:40:00'), requestedBy: 'schedule:office' },
      ...{ outcome: 'failed', step: 'WaitForApi', error: 'ApiNotReady' },
    },
    {
      ...{ workflow: 'bootstrap', startedAt: '2026-11-29T08:00:00.000Z', endedAt: '2026-11-29T08:14:00.000Z' },
      ...{ requestedBy: 'cli:ada', outcome: 'degraded' },
    },
  ],
};

export const KEEP_AWAKE = {
  keepAwake: { until: at('19:00:00') },
  message: `Nothing but a person puts the cluster to sleep before ${at('19:00:00')}`,
};

export const SKIP = {
  skipNext: { workflow: 'sleep', schedule: 'office', at: at('19:00:00') },
  message: `The sleep of office at ${at('19:00:00')} is left out`,
};

export const POSTPONE = {
  postponedUntil: at('17:00:00'),
  message: `No sleep for lack of use before ${at('17:00:00')}`,
};

export const LINKS = {
  links: [
    {
      ...{ id: 'ab12', name: 'Ann', rights: ['look', 'wake'], expiresAt: '2026-12-30T16:00:00.000Z' },
      ...{ createdAt: at('15:00:00'), createdBy: 'api:arn:aws:iam::1:user/ada' },
    },
  ],
};

export const LINK = {
  ...{ id: 'ab12', name: 'Ann', rights: ['look', 'wake'], expiresAt: '2026-12-30T16:00:00.000Z' },
  ...{ secret: 'body.signature', message: 'A link for Ann, until 2026-12-30T16:00:00.000Z' },
};
