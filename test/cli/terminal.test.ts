import { spawn, spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

const DROWSE = path.join(__dirname, '..', '..', 'bin', 'drowse');
const CONFIG = path.join(__dirname, '..', 'e2e', 'cluster.yaml');
const EXECUTION = 'arn:aws:states:us-east-1:123456789012:execution:drowse-wake:one';
const ESCAPE = '\u001b[';

/** A cluster that wakes, or never gets there: its API, and Step Functions at the same address. */
function makeCluster(ends = true): Server {
  let looks = 0;
  const status = () => ({
    cluster: 'drowse',
    state: ends && looks > 1 ? 'awake' : 'waking',
    schedule: { next: [] },
    usualSeconds: {},
    nodes: [],
    ...((looks < 2 || !ends) && {
      running: {
        ...{
          workflow: 'wake',
          step: 'StartSeats',
          since: new Date().toISOString(),
          requestedBy: 'api',
          execution: EXECUTION,
        },
        states: [
          {
            name: 'AStateWithANameThatIsLongerThanFortyColumnsAllow',
            since: new Date().toISOString(),
            usualSeconds: 90,
          },
        ],
      },
    }),
  });
  return createServer((request, response) => {
    const target = String(request.headers['x-amz-target'] ?? '');
    const answer = target.endsWith('DescribeExecution')
      ? { executionArn: EXECUTION, status: (looks += 1) > 1 && ends ? 'SUCCEEDED' : 'RUNNING', startDate: 0 }
      : request.method === 'POST'
        ? { state: 'waking', message: 'The cluster wakes', execution: EXECUTION }
        : status();
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
}

/** What the command writes on a terminal of a size, or into a pipe, and how it ends. */
async function wake(
  size: { rows: number; columns: number } | undefined,
  env: NodeJS.ProcessEnv = {},
  interrupt = false,
) {
  const server = makeCluster(!interrupt).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const line = `${DROWSE} wake --config ${CONFIG}`;
  const [program, args]: [string, string[]] = size
    ? ['script', ['-qefc', `stty rows ${String(size.rows)} cols ${String(size.columns)}; exec ${line}`, '/dev/null']]
    : ['sh', ['-c', line]];
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...{ PATH: process.env.PATH, TERM: 'xterm', DROWSE_API_URL: url, AWS_ENDPOINT_URL: url },
      ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
      ...env,
    },
  });
  let text = '';
  let interrupted = !interrupt;
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (interrupted || !text.includes('AState')) return;
    interrupted = true;
    child.stdin.write('\u0003');
  });
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  return { code, text };
}

describe('a wake that is followed', () => {
  test.each([
    [80, 24],
    [40, 10],
  ])('is a live line on a terminal of %i × %i, with colours', async (columns, rows) => {
    const { code, text } = await wake({ columns, rows });
    expect([code, text]).toEqual([0, expect.stringContaining('wake: the cluster is awake')]);
    expect(text).toContain(`${ESCAPE}32m✓`);
    expect(text).toContain(`${ESCAPE}0K`);
  });

  test.each([
    ['a terminal of 0 × 0', { columns: 0, rows: 0 }, {}],
    ['a pipe', undefined, {}],
    ['a pipe, though some other program is told to colour', undefined, { FORCE_COLOR: '1' }],
  ])('is plain lines on %s, and ends', async (_, size, env) => {
    const { code, text } = await wake(size, env);
    expect([code, text]).toEqual([0, expect.stringContaining('✓ wake: the cluster is awake')]);
    expect(text).not.toContain(ESCAPE);
  });

  test('goes on when Ctrl-C ends the view, and says so', async () => {
    const { code, text } = await wake({ columns: 80, rows: 24 }, {}, true);
    expect([code, text]).toEqual([130, expect.stringContaining('The wake goes on. drowse status --watch shows it.')]);
    // The cursor is there again.
    expect(text.lastIndexOf(`${ESCAPE}?25h`)).toBeGreaterThan(text.lastIndexOf(`${ESCAPE}?25l`));
  });

  test('has no colours where nobody wants them', async () => {
    const { code, text } = await wake({ columns: 80, rows: 24 }, { NO_COLOR: '1' });
    expect([code, text]).toEqual([0, expect.stringContaining('✓ wake: the cluster is awake')]);
    expect(text).not.toContain(`${ESCAPE}3`);
  });
});

test('ends quietly when whoever reads has had enough', () => {
  const line = `"$1" completion bash | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', line, 'bash', DROWSE], { encoding: 'utf8' });
  expect(stderr).toBe('');
  // It may have written all before the other end is closed.
  expect(['0\n', '141\n']).toContain(stdout);
});
