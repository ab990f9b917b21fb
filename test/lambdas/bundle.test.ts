import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseConfig } from '../../lib/config/load';
import { type Bundle, bundleHandlers, handlerNames } from '../../lib/bundle';
import { Model } from '../../sim/model';
import { environmentOf, STEPS } from '../../sim/steps';

/** Bytes that a bundle may have. */
const LIMIT = 1_000_000;
const run = promisify(execFile);

/** Calls bundles as Lambda's runtime would, in a process of their own, and prints `{name: errorType}`. */
const CALLER = `
  const [folder, cases] = [process.argv[1], JSON.parse(process.argv[2])];
  console.log = console.warn = console.error = console.info = () => {};
  const call = async ({ name, event, env }) => {
    for (const key of ['CLUSTER_NAME', 'TABLE_NAME', 'ELASTIC_IP_ID']) delete process.env[key];
    Object.assign(process.env, env);
    const { handler } = require(folder + '/' + name + '/index.js');
    return handler(event, { functionName: name }).then(() => 'none', (error) => error.name);
  };
  (async () => {
    const found = [];
    for (const one of cases) found.push(await call(one));
    process.stdout.write(JSON.stringify(found));
  })();
`;

const TEXTS = ['owner', 'requestedBy', 'since', 'until', 'step'].map((field) => [field, { S: '2026-11-20T08:00:00Z' }]);
const LEASE = { ...Object.fromEntries(TEXTS), workflow: { S: 'sleep' } } as object;

/** An AWS on which a sleep holds the lease: what it answers to each action. */
const BUSY: Record<string, [status: number, body: object]> = {
  UpdateItem: [400, { __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException', message: 'no' }],
  GetItem: [200, { Item: { lease: { M: LEASE } } }],
  DescribeExecution: [200, { status: 'RUNNING' }],
};

async function serveBusy(): Promise<Server> {
  const server = createServer((request, response) => {
    const action = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    const [status, body] = BUSY[action] ?? [500, {}];
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

describe('the bundles', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drowse-bundles-'));
  let bundles: Bundle[];
  beforeAll(async () => {
    // It says how far it is, for whoever waits at a terminal.
    const progress = jest.spyOn(console, 'error').mockImplementation(() => undefined);
    bundles = await bundleHandlers(folder);
    progress.mockRestore();
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const call = async (cases: { name: string; event: unknown; env: Record<string, string> }[]): Promise<string[]> => {
    const { stdout } = await run(process.execPath, ['-e', CALLER, folder, JSON.stringify(cases)], {
      env: { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' },
    });
    return JSON.parse(stdout) as string[];
  };

  test('there is one for each handler, of at most 1 MB', () => {
    expect(bundles.map(({ name }) => name)).toEqual(handlerNames());
    expect(bundles.filter(({ bytes }) => bytes > LIMIT)).toEqual([]);
  });

  test('they are not made again while nothing changed', async () => {
    const made = () => statSync(join(folder, 'acquire-lease', 'index.js')).mtimeMs;
    const before = made();
    await bundleHandlers(folder);
    expect(made()).toBe(before);
  });

  const steps = Object.keys(STEPS);
  const env = environmentOf(new Model(parseConfig(''))) as Record<string, string>;

  test('error names survive minification: InvalidEnvironment, InvalidInput', async () => {
    // In one process: to load all bundles is nearly all of the work.
    const withEnvironment = (env: Record<string, string>) => steps.map((name) => ({ name, event: {}, env }));
    const found = await call([...withEnvironment({}), ...withEnvironment(env)]);
    expect(found).toHaveLength(2 * steps.length);
    expect(new Set(found.slice(0, steps.length))).toEqual(new Set(['InvalidEnvironment']));
    expect(new Set(found.slice(steps.length))).toEqual(new Set(['InvalidInput']));
  });

  test('error names survive minification: ClusterBusy, of a cluster that another workflow holds', async () => {
    const server = await serveBusy();
    try {
      const AWS_ENDPOINT_URL = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
      const event = { execution: 'x', startedAt: '2026-11-20T08:00:00Z', workflow: 'wake', request: {} };
      await expect(call([{ name: 'acquire-lease', event, env: { ...env, AWS_ENDPOINT_URL } }])).resolves.toEqual([
        'ClusterBusy',
      ]);
    } finally {
      server.close();
    }
  });
});
