import { parseConfig } from '../../lib/config/load';
import { impossibleChanges, type RunningCluster } from '../../core/config/running-cluster';

const RUNNING = { kubernetes: '1.35.4', podCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/12', seats: 1 } as const;
const config = (kubernetes: object = {}, controlPlane: object = {}) =>
  parseConfig(JSON.stringify({ kubernetes: { version: '1.35.4', ...kubernetes }, controlPlane }));
const found = (wanted: ReturnType<typeof config>, now: Partial<RunningCluster> = { running: RUNNING }) =>
  impossibleChanges(wanted, { running: undefined, stateVolumesGiB: [8], ...now }).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

test.each([
  ['nothing', {}, {}],
  ['the next minor', { version: '1.36.2' }, {}],
  ['proxyMode', { proxyMode: 'nftables' }, {}],
  ['a larger volume', {}, { stateVolumeGiB: 9 }],
  ['three seats in place of one', {}, { seats: 3 }],
])('a change of %s is possible', (_what, kubernetes, controlPlane) => {
  expect(found(config(kubernetes, controlPlane))).toEqual([]);
});

test.each([
  [
    'kubernetes.version: 1.37.0 skips a minor after the 1.35.4 that runs: first deploy 1.36.x and wake the cluster with it, then go on',
    config({ version: '1.37.0' }),
    RUNNING,
  ],
  [
    "kubernetes.version: 1.35.4 is older than the 1.36.2 that runs: etcd's data cannot go back. Write 1.36.x",
    config(),
    { ...RUNNING, kubernetes: '1.36.2' },
  ],
  [
    'kubernetes.podCidr: 10.128.0.0/16 is not the 10.244.0.0/16 that the cluster has for life. Write 10.244.0.0/16; other networks need another cluster',
    config({ podCidr: '10.128.0.0/16' }),
    RUNNING,
  ],
  [
    'kubernetes.serviceCidr: 10.112.0.0/12 is not the 10.96.0.0/12 that the cluster has for life. Write 10.96.0.0/12; other networks need another cluster',
    config({ serviceCidr: '10.112.0.0/12' }),
    RUNNING,
  ],
  [
    'controlPlane.seats: 1 is less than the 3 that the cluster has: what is left would have no quorum. Write 3',
    config(),
    { ...RUNNING, seats: 3 as const },
  ],
])('refused: %s', (problem, wanted, running) => {
  expect(found(wanted, { running })).toEqual([problem]);
});

test('a smaller volume is refused, also where no seat ever came up', () => {
  expect(found(config({}, { stateVolumeGiB: 8 }), { stateVolumesGiB: [8, 20, 8] })).toEqual([
    'controlPlane.stateVolumeGiB: 8 is less than the 20 GiB that the volume has: volumes only grow. Write 20 or more',
  ]);
});

test('before the first deploy everything is possible', () => {
  expect(found(config({ version: '1.37.0' }), { stateVolumesGiB: [] })).toEqual([]);
});
