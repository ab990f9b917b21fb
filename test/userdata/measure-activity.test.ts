import { promqlProblem } from '../../lib/platform/check/promql';
import { bake } from './support/case';
import { Life } from './support/life';
import { seatData } from './support/nodes';

const life = new Life(seatData());
beforeAll(async () => {
  bake(await life.replace(), 'seat');
  expect((await life.boot({ playCurl: true })).code).toBe(0);
});
afterAll(() => life.end());

interface World {
  requests?: object[];
  gpu?: object[];
  nodes?: object[];
  jobs?: object[];
  pods?: object[];
}

/** As promtool prints a vector of one number. */
const number = (value: string) => [{ metric: {}, value: [1_795_000_000.1, value] }];
const job = (namespace: string, status: object) => ({ metadata: { namespace, name: 'j' }, status });
const pod = (name: string, phase: string) => ({ metadata: { namespace: 'app', name }, status: { phase } });
const GPU_NODE = { metadata: { name: 'i-2' } };

/** What the command says of a cluster; what is not given cannot be asked. */
async function measure({ requests, gpu, nodes = [], jobs, pods = [] }: World, ...options: string[]) {
  const { sandbox } = life;
  for (const [file, content] of Object.entries({
    'prometheus-requests.json': requests,
    'prometheus-gpu.json': gpu,
    'nodes.json': { items: nodes },
    'jobs.json': jobs && { items: jobs },
    'pods.json': { items: pods },
  })) {
    sandbox.removePath(`test/world/${file}`);
    if (content) sandbox.world(file, JSON.stringify(content));
  }
  sandbox.write('test/calls', '');
  const given = options.length > 0 ? options : ['--window-minutes', '10', '--pod-labels', 'app=notebook'];
  const { stdout, code } = await sandbox.run(['/opt/drowse/commands/measure-activity.sh', ...given]);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  const result = JSON.parse(stdout) as Record<string, unknown>;
  expect(code).toBe(result.ok === true ? 0 : 1);
  expect(life.problems).toEqual([]);
  return result;
}

const IDLE: World = { requests: number('0'), jobs: [] };

test('of a cluster that nobody uses', async () => {
  expect(await measure(IDLE)).toEqual({
    ok: true,
    requests: 0,
    gpuPercent: 0,
    jobs: 0,
    pods: 0,
    at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
  });
});

test('of one that is used', async () => {
  const result = await measure({
    requests: number('41.7'),
    gpu: number('97'),
    nodes: [GPU_NODE],
    jobs: [job('app', { active: 2 }), job('app', { succeeded: 1 }), job('kube-system', { active: 1 })],
    pods: [pod('a', 'Running'), pod('b', 'Pending'), pod('c', 'Succeeded')],
  });
  expect(result).toMatchObject({ requests: 42, gpuPercent: 97, jobs: 1, pods: 2 });
});

test('asks for its window, and takes the looks at the counter off', async () => {
  await measure(IDLE, '--window-minutes', '25', '--pod-labels', 'none');
  const [query] = life.sandbox.calls.filter((call) => call.includes('promtool'));
  expect(query).toContain(
    'exec statefulset/prometheus-monitoring-prometheus --container prometheus -- promtool query instant',
  );
  expect(query).toContain(
    'clamp_min(sum(increase(nginx_ingress_nginx_http_requests_total[25m])) - sum(count_over_time(nginx_ingress_nginx_http_requests_total[25m])), 0)',
  );
});

test('asks what Prometheus understands', async () => {
  await measure({ ...IDLE, nodes: [GPU_NODE], gpu: number('0') });
  const queries = life.sandbox.calls.flatMap((call) => call.split(' http://localhost:9090 ')[1] ?? []);
  expect(queries).toHaveLength(2);
  for (const query of queries) expect(promqlProblem(query)).toBeUndefined();
});

test('a pod with two of the labels is one', async () => {
  const pods = [pod('a', 'Running')];
  expect(
    await measure({ ...IDLE, pods }, '--window-minutes', '10', '--pod-labels', 'app=notebook,keep=yes'),
  ).toMatchObject({
    pods: 1,
  });
  expect(life.sandbox.calls.filter((call) => call.includes('get pods'))).toEqual([
    expect.stringContaining('--selector app=notebook') as string,
    expect.stringContaining('--selector keep=yes') as string,
  ]);
});

test.each([
  ['Prometheus does not answer', { jobs: [] }],
  ['Prometheus has no such figure yet', { requests: [], jobs: [] }],
  ['the figure is no number', { requests: number('NaN'), jobs: [] }],
])('%s: requests are not known, and the rest is', async (_what, world) => {
  expect(await measure(world)).toMatchObject({ ok: true, requests: null, gpuPercent: 0, jobs: 0 });
});

test('a GPU node without figures of its GPU is not known to be idle', async () => {
  expect(await measure({ ...IDLE, nodes: [GPU_NODE], gpu: [] })).toMatchObject({
    ok: true,
    requests: 0,
    gpuPercent: null,
  });
});

test('Jobs that cannot be listed are not known', async () => {
  expect(await measure({ requests: number('0') })).toMatchObject({ ok: true, jobs: null, requests: 0 });
});

test.each([
  [['--window-minutes', '10']],
  [['--window-minutes', '0', '--pod-labels', 'none']],
  [['--window-minutes', '10', '--pod-labels', '$(id)']],
])('refuses %j by name', async (options) => {
  expect(await measure(IDLE, ...options)).toMatchObject({ ok: false, error: 'BadArguments' });
});

test('says that the API does not answer', async () => {
  life.sandbox.removePath('test/world/api-up');
  expect(await measure(IDLE)).toMatchObject({ ok: false, error: 'ApiNotReady' });
  life.sandbox.world('api-up');
});
