import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { awakeHoursPerMonth } from '../../core/cost/month';
import { follow } from '../../cli/drowse/follow';
import { run } from '../../cli/drowse/program';
import { type Status, statusAnswer } from '../../cli/drowse/status-answer';
import { instantOf } from '../../cli/drowse/verbs/overrides';
import type { Ended } from '../../cli/drowse/workflows';
import { Progress } from '../../cli/terminal/progress';
import { parseConfig } from '../../lib/config/load';

const EXECUTION = 'arn:aws:states:us-east-1:123456789012:execution:drowse-wake:one';
const asleep = statusAnswer.parse({
  cluster: 'drowse',
  state: 'asleep',
  schedule: { next: [] },
  usualSeconds: {},
  nodes: [],
});

/** What the command prints, and how it ends. */
async function drowse(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const out = jest.spyOn(console, 'log').mockImplementation();
  const err = jest.spyOn(console, 'error').mockImplementation();
  const written = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    const code = await run(args);
    const text = (spy: jest.SpyInstance) => spy.mock.calls.map(([line]) => String(line)).join('\n');
    return { code, out: text(out), err: `${text(err)}${text(written)}` };
  } finally {
    jest.restoreAllMocks();
  }
}

describe('drowse', () => {
  const env = process.env;
  let server: Server;
  let answer: { status: number; body: string };
  let asked: string[];

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''} ${(request.headers.authorization ?? '').slice(0, 16)}`);
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    process.env = {
      ...env,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      DROWSE_API_URL: `http://127.0.0.1:${String(port)}`,
    };
  });
  afterEach(async () => {
    process.env = env;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('signs what it asks, and prints the answer as it is', async () => {
    answer = { status: 200, body: JSON.stringify({ ...asleep, more: 1 }) };
    const { code, out } = await drowse('status', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([0, { state: 'asleep', more: 1 }]);
    expect(asked).toEqual(['GET /status AWS4-HMAC-SHA256']);
  });

  test('tells of a cluster that nothing puts to sleep what that costs', async () => {
    answer = { status: 200, body: JSON.stringify(asleep) };
    const said = /costs \$0\.\d\d an hour awake.*\n {2}nothing puts it to sleep: \$\d+ a month/;
    expect((await drowse('status', '--config', 'test/e2e/cluster.yaml')).out).toMatch(said);
    expect((await drowse('status', '--config', 'examples/office-hours.yaml')).out).not.toContain('nothing puts');
  });

  test('ends as degraded where something is missing', async () => {
    const degraded = { ...asleep, state: 'awake-degraded', degraded: [{ pool: 'gpu', reason: 'no spot capacity' }] };
    answer = { status: 200, body: JSON.stringify(degraded) };
    const { code, out } = await drowse('status');
    expect(code).toBe(4);
    expect(out).toContain('gpu: no spot capacity');
  });

  test.each([
    [
      403,
      '{"message":"Forbidden"}',
      'GET /status is not allowed for your AWS identity (Forbidden)',
      /execute-api:Invoke/,
    ],
    [400, '{"error":"InvalidInput","message":"until: no"}', 'InvalidInput: until: no', /Correct that/],
    [409, '{"error":"NothingToSkip","message":"none"}', 'NothingToSkip: none', /drowse status shows/],
    [200, '{"state":1}', 'GET /status answered what this version of drowse does not know', /make deploy/],
    [200, '<html>', 'GET /status answered what this version of drowse does not know', /make deploy/],
  ])('explains an answer %s %s', async (status, body, message, remedy) => {
    answer = { status, body };
    const { code, err } = await drowse('status');
    expect([code, err]).toEqual([status === 400 ? 2 : 1, expect.stringContaining(message)]);
    expect(err).toMatch(remedy);
  });

  test('explains an API that is not there', async () => {
    process.env.DROWSE_API_URL = 'http://127.0.0.1:9';
    const { code, err } = await drowse('nodes');
    expect([code, err]).toEqual([1, expect.stringMatching(/does not answer .*Check the network/s)]);
  });

  test.each([
    ['nothing that it knows', ['fly']],
    ['an option that it does not know', ['status', '--jsom']],
    ['a workflow that no schedule has', ['skip-next', 'bootstrap']],
    ['no time', ['keep-awake']],
    ['a time and its end', ['keep-awake', '3h', '--end']],
    ['a configuration that is not there', ['cost', '--config', 'no/such.yaml']],
  ])('refuses %s as wrong use', async (_, args) => {
    const { code, err } = await drowse(...args);
    expect(code).toBe(2);
    expect(err).not.toMatch(/\bat .*\.ts:/);
    expect(asked).toEqual([]);
  });

  test('has an example for every verb', async () => {
    const written = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    await run(['--help']);
    const verbs = [...String(written.mock.calls).matchAll(/^ {2}([a-z-]+) \[options\]/gm)].map(([, verb = '']) => verb);
    for (const verb of verbs) {
      written.mockClear();
      expect(await run([verb, '--help'])).toBe(0);
      expect(String(written.mock.calls)).toContain(`$ drowse ${verb}`);
    }
    jest.restoreAllMocks();
    expect(verbs.length).toBeGreaterThan(8);
  });
});

describe('a workflow that is followed', () => {
  const terminal = () => Object.assign(new PassThrough(), { isTTY: false }) as unknown as WriteStream & PassThrough;
  const running = (...names: string[]): Status => ({
    ...asleep,
    state: 'waking',
    running: {
      workflow: 'wake',
      step: names[0]!,
      since: new Date().toISOString(),
      requestedBy: 'cli',
      execution: EXECUTION,
      states: names.map((name) => ({ name, since: new Date().toISOString(), usualSeconds: 20 })),
    },
  });
  const followed = async (looks: readonly Status[], end: Ended, signal = new AbortController().signal) => {
    const out = terminal();
    const left = [...looks];
    const options = {
      look: () => Promise.resolve(left.length > 1 ? left.shift()! : left[0]!),
      ended: () => Promise.resolve(left.length > 1 ? undefined : end),
      progress: new Progress(out),
      signal,
      lookMs: 1,
    };
    const result = await follow('wake', EXECUTION, options).catch((error: unknown) => error);
    return { result, text: String(out.read()) };
  };
  const succeeded = { status: 'SUCCEEDED', error: undefined, cause: undefined };

  test('shows each step that ends, and the state at the end', async () => {
    const awake = { ...asleep, state: 'awake' };
    const { result, text } = await followed(
      [asleep, running('StartSeats'), running('WaitForApi', 'StartPools'), running('StartPools'), awake],
      succeeded,
    );
    expect(result).toEqual(awake);
    expect(text.match(/· \w+/g)).toEqual(['· StartSeats', '· WaitForApi', '· StartPools']);
    expect(text).toContain('✓ wake: the cluster is awake');
  });

  test('ends with step, cause and where to look when it fails', async () => {
    const failure = {
      workflow: 'wake',
      step: 'WaitForApi',
      error: 'ApiNotReady',
      cause: 'no answer',
      at: '2026-11-20T08:03:00Z',
      execution: EXECUTION,
      log: '/drowse/drowse/wait-for-api',
      runbook: 'docs/runbook.md#apinotready',
    };
    const end = { status: 'FAILED', error: 'ApiNotReady', cause: 'no answer' };
    const { result } = await followed([running('WaitForApi'), { ...asleep, failure }], end);
    expect(result).toMatchObject({
      message: expect.stringMatching(
        /wake failed at WaitForApi .*ApiNotReady: no answer\n.*wait-for-api; what to do: docs\/runbook/,
      ) as string,
      exitCode: 1,
    });
  });

  test('ends as busy where another workflow holds the cluster', async () => {
    const { result } = await followed([asleep], { status: 'FAILED', error: 'ClusterBusy', cause: 'sleep holds it' });
    expect(result).toMatchObject({ message: 'wake ended as FAILED: ClusterBusy: sleep holds it', exitCode: 3 });
  });

  test('stops looking when it is interrupted', async () => {
    const interrupt = new AbortController();
    const going = followed([running('StartSeats'), running('StartSeats'), asleep], succeeded, interrupt.signal);
    interrupt.abort();
    expect((await going).result).toMatchObject({ name: 'AbortError' });
    await pause(0);
  });
});

test.each([
  ['90m', '2026-11-20T09:30:00.000Z'],
  ['3h', '2026-11-20T11:00:00.000Z'],
  ['2d', '2026-11-22T08:00:00.000Z'],
  ['22:00', '22:00'],
])('keep-awake %s is %s', (text, instant) => {
  expect(instantOf(text, new Date('2026-11-20T08:00:00Z'))).toBe(instant);
});

test.each([
  ['', 730],
  ['schedules: [{name: office, days: [mon, tue, wed, thu, fri], wake: "08:00", sleep: "18:00"}]', (50 / 168) * 730],
  ['schedules: [{name: nights, days: [mon], sleep: "22:00"}]', 0],
])('%s keeps it awake for %s hours a month', (yaml, hours) => {
  expect(awakeHoursPerMonth(parseConfig(yaml))).toBeCloseTo(hours);
});
