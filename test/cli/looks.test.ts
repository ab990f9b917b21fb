import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { examineBudget, examineSchedules, examineToken, schedulesOf } from '../../cli/drowse/looks';
import type { WakeApi } from '../../cli/drowse/wake-api';
import { parseConfig } from '../../lib/config/load';

const config = parseConfig(
  "schedules: [{ name: nights, days: [mon], sleep: '19:00', wake: '07:00' }]\nbudget: { monthlyUsd: 100 }",
);
const target = { cluster: 'drowse', region: 'us-east-1', config, description: '' };
const ssm = mockClient(SSMClient);
const env = process.env;

/** What was asked, and what is answered to it: by path and query. */
let asked: { url: string; authorization: string | undefined }[];
let answers: Record<string, [status: number, body: object]>;
let server: Server;
let url: string;

beforeEach(async () => {
  ssm.reset();
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: 'secret-of-a-test' } });
  [asked, answers] = [[], {}];
  server = createServer((incoming, outgoing) => {
    const { url: path = '', headers } = incoming;
    asked.push({ url: path, authorization: headers.authorization });
    const [status, body] = answers[path] ?? [404, {}];
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  process.env = { ...env, AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' };
});
afterEach(async () => {
  process.env = env;
  await new Promise((resolve) => server.close(resolve));
});

describe('schedules', () => {
  const FIRST = '/schedules?ScheduleGroup=drowse';
  const all = (State = 'ENABLED') => schedulesOf(config).map((Name) => ({ Name, State }));

  test('are all there, over several pages, asked for with a signature', async () => {
    const [one, ...rest] = all();
    answers = {
      [FIRST]: [200, { Schedules: [one], NextToken: 'more+' }],
      [`${FIRST}&NextToken=more%2B`]: [200, { Schedules: rest }],
    };
    expect(await examineSchedules(target, config)).toEqual({ state: 'ok', detail: '4 switched on' });
    expect(asked).toHaveLength(2);
    for (const { authorization } of asked) expect(authorization).toMatch(/^AWS4-HMAC-SHA256 .*\/scheduler\//);
  });

  test('are told of where they are switched off or missing', async () => {
    const [first, second] = all('DISABLED');
    answers = { [FIRST]: [200, { Schedules: [{ ...first, State: 'ENABLED' }, second] }] };
    const { state, detail } = await examineSchedules(target, config);
    expect([state, detail]).toEqual([
      'warning',
      expect.stringMatching(
        /^missing: drowse-nights-wake, drowse-nights-rehearsal;.*switched off: drowse-nights-sleep;/,
      ),
    ]);
  });

  test('that AWS does not show are no schedules that are well', async () => {
    answers = { [FIRST]: [403, { Message: 'not authorized' }] };
    await expect(examineSchedules(target, config)).rejects.toThrow(/ListSchedules answers 403: .*not authorized/);
  });
});

describe('the Cloudflare token', () => {
  const PATH = '/client/v4/zones?per_page=50';
  const look = () => examineToken(target, 'app.example.com', url);

  test('is well if it is shown the domain’s zone', async () => {
    answers = { [PATH]: [200, { result: [{ name: 'other.org' }, { name: 'example.com' }] }] };
    expect(await look()).toEqual({ state: 'ok', detail: 'Cloudflare takes it, and shows it example.com' });
    expect(asked).toEqual([{ url: PATH, authorization: 'Bearer secret-of-a-test' }]);
  });

  test.each([
    ['that Cloudflare refuses', [403, {}], /refuses the token .*403/],
    ['that sees other zones only', [200, { result: [{ name: 'ample.com' }] }], /sees no zone of app.example.com/],
    ['that sees none', [200, { result: null }], /sees no zone/],
  ] as [string, [number, object], RegExp][])('%s is told of, and never shown', async (_, answer, said) => {
    answers = { [PATH]: answer };
    const found = await look();
    expect(found).toEqual({ state: 'warning', detail: expect.stringMatching(said) as string });
    expect(JSON.stringify(found)).not.toContain('secret-of-a-test');
  });

  test('that nobody has put there is told of, and nobody is asked', async () => {
    ssm.on(GetParameterCommand).rejects(new ParameterNotFound({ $metadata: {}, message: '' }));
    expect(await look()).toMatchObject({ state: 'warning', detail: expect.stringContaining('is missing') as string });
    expect(asked).toEqual([]);
  });
});

test.each([
  ['below it', 20, 60, 'ok'],
  ['above it already', 120, 60, 'warning'],
  ['above it by the schedules', 20, 130, 'warning'],
])('a month %s', async (_, usd, bySchedules, state) => {
  const api = { request: () => Promise.resolve({ month: { usd }, bySchedules }) } as unknown as WakeApi;
  expect(await examineBudget(api, config)).toEqual({
    state,
    detail: `$${usd.toFixed(2)} of $100.00 this month so far; the schedules come to $${bySchedules.toFixed(2)}`,
  });
});
