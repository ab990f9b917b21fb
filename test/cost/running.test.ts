import { estimateCost } from '../../core/cost/estimate';
import { pricesEnvironment } from '../../core/cost/instance-price';
import { type BilledNode, runningCost, runningEnv, surroundingsEnvironment } from '../../core/cost/running';
import { HOURS_PER_MONTH } from '../../core/cost/prices';
import type { ClusterConfig } from '../../core/config/schema';
import { parseConfig } from '../../lib/config/load';

const ELASTIC_IP = '203.0.113.7';
const told = (config: ClusterConfig) =>
  runningEnv.parse({ ...pricesEnvironment(config), ...surroundingsEnvironment(config) });

/** Every node of a configuration at its desired size, the first of a pool with the Elastic IP. */
function whole({ controlPlane, pools }: ClusterConfig): BilledNode[] {
  const node = (role: 'seat' | 'pool', type: string | undefined, pool?: string): BilledNode => ({
    ...{ role, pool, type: type ?? '', state: 'running', publicIp: '198.51.100.1' },
  });
  const seats = Array.from({ length: controlPlane.seats }, () => node('seat', controlPlane.instanceTypes[0]));
  const others = pools.flatMap(({ name, desired, instanceTypes: [type] }) =>
    Array.from({ length: desired }, () => node('pool', type, name)),
  );
  return [...seats, ...others.map((one, index) => (index === 0 ? { ...one, publicIp: ELASTIC_IP } : one))];
}

const STOP = 'pools: [{name: app, instanceTypes: [t3.large], ingress: true, desired: 2, max: 2, sleep: stop}]';

test.each([
  ['the default', ''],
  ['one with a load balancer', 'operatorCidrs: [203.0.113.0/24]'],
  ['three seats', 'controlPlane: {seats: 3}\nzones: [a, b, c]\noperatorCidrs: [203.0.113.0/24]'],
  ['stopped pools', STOP],
])('a whole cluster costs what its configuration says: %s', (_what, yaml) => {
  const config = parseConfig(yaml);
  const { perHour, unknown } = runningCost(told(config), whole(config), ELASTIC_IP);
  expect(perHour).toBeCloseTo(estimateCost(config).awakePerHour, 4);
  expect(unknown).toEqual([]);
});

test.each([
  ['nothing is left', '', () => []],
  ['nodes are stopped', STOP, (nodes: BilledNode[]) => nodes.filter(({ role }) => role === 'pool')],
])('asleep it costs what its configuration says: %s', (_what, yaml, left) => {
  const config = parseConfig(yaml);
  const nodes = left(whole(config)).map((node) => ({ ...node, state: 'stopped', publicIp: undefined }));
  const { perHour } = runningCost(told(config), nodes, ELASTIC_IP);
  expect(perHour * HOURS_PER_MONTH).toBeCloseTo(estimateCost(config).asleepPerMonth, 1);
});

test('counts what runs, not what was configured', () => {
  const config = parseConfig('');
  const nodes = whole(config);
  const gpu = nodes.filter(({ role }) => role === 'pool').map((node) => ({ ...node, publicIp: '198.51.100.2' }));
  const more = runningCost(told(config), [...nodes, ...gpu], ELASTIC_IP).perHour;
  const less = runningCost(told(config), nodes, ELASTIC_IP).perHour;
  expect(more - less).toBeCloseTo(0.526 + 0.005 + (100 * 0.08) / 730, 4);
});

test('names a type whose price nobody knows', () => {
  const config = parseConfig('');
  const nodes = whole(config).map((node) => ({ ...node, type: 'x9.large' }));
  expect(runningCost(told(config), nodes, ELASTIC_IP)).toMatchObject({ unknown: ['x9.large'] });
});
