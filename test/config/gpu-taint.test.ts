import { parseConfig } from '../../lib/config/load';

const GPU = 'name: gpu, instanceTypes: [g4dn.xlarge], gpu: true';
const OWN = [{ key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' }];

/** The taints of the GPU pool beside others. */
const taintsOf = (...pools: string[]) =>
  parseConfig(`pools:\n${pools.map((pool) => `  - { ${pool} }\n`).join('')}`).pools.find(({ gpu }) => gpu)!.taints;

test('beside a pool that takes any pod, GPUs are kept for what asks for them', () => {
  expect(taintsOf('name: web, instanceTypes: [t3.large], ingress: true', GPU)).toEqual(OWN);
});

test.each([
  ['no other pool', [`${GPU}, ingress: true`]],
  ['only pools with GPUs', [`${GPU}, ingress: true`, 'name: big, instanceTypes: [g5.xlarge], gpu: true']],
  [
    'only pools that keep ordinary pods off',
    [
      `${GPU}, ingress: true`,
      'name: executor, instanceTypes: [c5.large], taints: [{ key: workload-type, value: executor, effect: NoSchedule }]',
    ],
  ],
])('where there is %s, everything shares them', (_what, pools) => {
  expect(taintsOf(...pools)).toEqual([]);
});

test('a taint of that key in cluster.yaml stays as it is, others stay beside it', () => {
  const web = 'name: web, instanceTypes: [t3.large], ingress: true';
  const soft = { key: 'nvidia.com/gpu', value: 'mine', effect: 'PreferNoSchedule' };
  const team = { key: 'team', value: 'a', effect: 'NoSchedule' };
  const pool = (...taints: object[]) => `${GPU}, taints: ${JSON.stringify(taints)}`;
  expect(taintsOf(web, pool(soft))).toEqual([soft]);
  expect(taintsOf(web, pool(team))).toEqual([team, ...OWN]);
});
