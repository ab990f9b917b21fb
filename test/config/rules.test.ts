import { InvalidConfig, parseConfig } from '../../lib/config/load';

/** The problems of a configuration, one line each. */
function problemsOf(yaml: string): readonly string[] {
  try {
    parseConfig(yaml);
    return [];
  } catch (error) {
    if (error instanceof InvalidConfig) return error.problems;
    throw error;
  }
}

const pools = (...lines: string[]) => `pools:\n${lines.map((line) => `  - { ${line} }\n`).join('')}`;
const WEB = 'name: web, instanceTypes: [t3.large], ingress: true';
const schedules = (...lines: string[]) => `schedules:\n${lines.map((line) => `  - { ${line} }\n`).join('')}`;
const NIGHTS = 'name: nights, days: [mon, tue, wed, thu, fri], sleep: "19:00", wake: "07:00"';

const CERTIFICATE = 'arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012';

/** What is wrong, and the one message that it must give. */
const WRONG: [what: string, yaml: string, message: string][] = [
  [
    'an unknown field',
    'regoin: eu-west-1',
    'line 1: regoin: unknown field; did you mean region? use one of name, region,',
  ],
  ['a wrong type', 'controlPlane: { diskGiB: big }', 'line 1: controlPlane.diskGiB: "big": use a number'],
  [
    'access for a session',
    "access: [{ arn: 'arn:aws:sts::111122223333:assumed-role/Dev/ann' }]",
    'line 1: access[0].arn: "arn:aws:sts::111122223333:assumed-role/Dev/ann": it is one session of a role: use the ARN of the role itself, which ends with :iam::111122223333:role/Dev',
  ],
  [
    'access for the root',
    "access: [{ arn: 'arn:aws:iam::111122223333:root' }]",
    'it is the account’s root, which is nobody in particular',
  ],
  [
    'access for a group',
    "access: [{ arn: 'arn:aws:iam::111122223333:group/ops' }]",
    'use the ARN of an IAM role or user',
  ],
  [
    'a group that passes by RBAC',
    "access: [{ arn: 'arn:aws:iam::111122223333:role/Dev', groups: [system:masters] }]",
    'line 1: access[0].groups[0]: "system:masters": groups that begin with system: or kubeadm: are Kubernetes’ own',
  ],
  [
    'the seats’ own group',
    "access: [{ arn: 'arn:aws:iam::111122223333:role/Dev', groups: ['kubeadm:cluster-admins'] }]",
    'groups that begin with system: or kubeadm: are Kubernetes’ own',
  ],
  [
    'a role twice, by two paths',
    "access: [{ arn: 'arn:aws:iam::111122223333:role/Dev' }, { arn: 'arn:aws:iam::111122223333:role/a/Dev' }]",
    'line 1: access[1].arn: arn:aws:iam::111122223333:role/a/Dev: it is there already',
  ],
  [
    'two roles whose people have one name',
    "access: [{ arn: 'arn:aws:iam::111122223333:role/Dev' }, { arn: 'arn:aws:iam::111122223333:role/Ops', name: Dev }]",
    'line 1: access[1].name: Dev: another’s people are named so',
  ],
  [
    'more access than a function can be told of',
    `access:\n${Array.from({ length: 25 }, (_, i) => `  - { arn: 'arn:aws:iam::111122223333:role/${'r'.repeat(50)}${String(i)}', groups: ['${'g'.repeat(60)}'] }\n`).join('')}`,
    'line 1: access: it takes 4856 characters of the 3000',
  ],
  ['two seats', 'controlPlane: { seats: 2 }', 'line 1: controlPlane.seats: 2 is not allowed: use one of 1, 3'],
  ['broken YAML', 'name: [', 'the [ here is never closed'],
  [
    'a waiting page without a domain',
    `app: { waitingPage: { certificateArn: '${CERTIFICATE}' } }`,
    'line 1: app.waitingPage: needs app.domain: it stands at that name',
  ],
  [
    'a waiting page before a certificate that browsers refuse',
    `app: { domain: a.example.org, certificates: letsencrypt-staging, waitingPage: { certificateArn: '${CERTIFICATE}' } }`,
    'line 1: app.waitingPage: app.certificates is letsencrypt-staging, and CloudFront talks to no cluster whose certificate browsers refuse: use letsencrypt',
  ],
  [
    'a waiting page with a certificate of the cluster’s region',
    `app: { domain: a.example.org, waitingPage: { certificateArn: '${CERTIFICATE.replace('us-east-1', 'eu-central-1')}' } }`,
    'use the ARN of a certificate of AWS Certificate Manager in us-east-1: CloudFront takes no other, wherever the cluster is',
  ],
  [
    'a waiting page without a certificate',
    'app: { domain: a.example.org, waitingPage: {} }',
    'line 1: app.waitingPage.certificateArn: missing',
  ],
  [
    'three seats in two zones',
    'zones: [a, b]\ncontrolPlane: { seats: 3 }',
    'line 1: zones: 3 seats need 3 zones, found a, b: add zones, or set controlPlane.seats to 1',
  ],
  ['a zone twice', 'zones: [a, a]', 'line 1: zones: a, a: name each zone once'],
  ['a zone that no region has', 'zones: [z]', 'line 1: zones[0]: "z": use the letter of an availability zone, a to h'],
  [
    'pool names that collide',
    pools(WEB, 'name: web, instanceTypes: [t3.large]'),
    'line 3: pools[1].name: web is already the name of pools[0]: give each its own name',
  ],
  [
    'a taint without value',
    pools(`${WEB}, taints: [{ key: a, effect: NoSchedule }]`),
    'line 2: pools[0].taints[0].value: missing: give it a value (text)',
  ],
  [
    'a taint with an empty value',
    pools(`${WEB}, taints: [{ key: a, value: "", effect: NoSchedule }]`),
    'line 2: pools[0].taints[0].value: "": give the taint a value, for example "true"',
  ],
  [
    'a taint key twice',
    pools(`${WEB}, taints: [{ key: a, value: b, effect: NoSchedule }, { key: a, value: c, effect: NoExecute }]`),
    'line 2: pools[0].taints: a, a: give each key once',
  ],
  ['min above max', pools(`${WEB}, min: 3, max: 2, desired: 2`), 'line 2: pools[0].min: 3 is more than max (2)'],
  [
    'desired above max',
    pools(`${WEB}, max: 2, desired: 3`),
    'line 2: pools[0].desired: 3 is not between 1 (min) and 2 (max)',
  ],
  [
    'a VPC that overlaps the pods',
    'vpcCidr: 10.244.0.0/16',
    'kubernetes.podCidr (a default): 10.244.0.0/16 overlaps vpcCidr (10.244.0.0/16): choose ranges that do not touch',
  ],
  [
    'services that overlap the pods',
    'kubernetes: { serviceCidr: 10.244.128.0/20 }',
    'line 1: kubernetes.serviceCidr: 10.244.128.0/20 overlaps kubernetes.podCidr (10.244.0.0/16)',
  ],
  ['a VPC too small', 'vpcCidr: 10.0.0.0/24', 'line 1: vpcCidr: 10.0.0.0/24: use a range from /16 to /22'],
  [
    'gpu: true without a GPU',
    pools(`${WEB}, gpu: true`),
    'line 2: pools[0].instanceTypes[0]: t3.large has no NVIDIA GPU: use a GPU type',
  ],
  [
    'a GPU type without gpu: true',
    pools('name: web, instanceTypes: [g4dn.xlarge], ingress: true'),
    'line 2: pools[0].gpu: false, but g4dn.xlarge has 1 NVIDIA GPU: set gpu: true',
  ],
  [
    'GPU types with different numbers of GPUs',
    pools('name: web, instanceTypes: [g4dn.xlarge, g4dn.12xlarge], gpu: true, ingress: true'),
    'line 2: pools[0].instanceTypes: g4dn.xlarge, g4dn.12xlarge have 1 or 4 GPUs: name types with the same number',
  ],
  ['an arm64 type', pools('name: web, instanceTypes: [t4g.large], ingress: true'), 't4g.large is arm64: use an x86-64'],
  [
    'two ingress pools',
    pools(WEB, 'name: api, instanceTypes: [t3.large], ingress: true'),
    'line 1: pools: pool web and pool api have ingress: true; exactly one pool, or controlPlane, must carry',
  ],
  [
    'no ingress pool',
    pools('name: web, instanceTypes: [t3.large]'),
    'line 1: pools: none has ingress: true; exactly one pool, or controlPlane, must carry the Elastic IP',
  ],
  [
    'stopping spot instances',
    pools(`${WEB}, market: spot, sleep: stop`),
    'line 2: pools[0].sleep: stop needs market: on-demand, found spot',
  ],
  [
    'more labels than tags',
    pools(`${WEB}, labels: { ${Array.from({ length: 26 }, (_, n) => `l${String(n)}: x`).join(', ')} }`),
    'line 2: pools[0].labels: 26 labels and taints: use at most 25 in all',
  ],
  [
    'an unknown time zone',
    'schedules: [{ name: n, days: [mon], sleep: "19:00", timeZone: Europe/Bonn }]',
    'line 1: schedules[0].timeZone: "Europe/Bonn": use an IANA time zone, for example Europe/Berlin',
  ],
  [
    'a schedule without times',
    'schedules: [{ name: n, days: [mon] }]',
    'line 1: schedules[0]: n has neither sleep nor wake',
  ],
  [
    'a schedule that sleeps when it wakes',
    'schedules: [{ name: n, days: [mon], sleep: "19:00", wake: "19:00" }]',
    'line 1: schedules[0].wake: 19:00 is also the time of sleep: give them different times',
  ],
  [
    'two schedules that act at the same moment, in two time zones',
    schedules(`${NIGHTS}, timeZone: Europe/Berlin`, 'name: late, days: [tue], wake: "18:00"'),
    'line 3: schedules[1].wake: Tue 18:00 is also when nights has its sleep: choose another time, or other days',
  ],
  [
    'a schedule that wakes the cluster in the night of another',
    schedules(NIGHTS, 'name: early, days: [tue], wake: "06:00"'),
    'line 3: schedules[1].wake: Tue 06:00 wakes the cluster in the night of nights (Mon 19:00 to Tue 07:00): take that day out of one of them',
  ],
  [
    'more schedules than functions can be told',
    schedules(
      ...Array.from({ length: 21 }, (_, n) => `name: n${String(n)}, days: [mon], sleep: "00:${String(n + 10)}"`),
    ),
    'define at most twenty schedules',
  ],
  [
    'an API open to the world',
    'operatorCidrs: [0.0.0.0/0]',
    'line 1: operatorCidrs[0]: 0.0.0.0/0 opens the Kubernetes API to everybody: name your own addresses, or set iKnowTheApiIsOpenToTheWorld: true',
  ],
  [
    'an unsupported Kubernetes version',
    'kubernetes: { version: 1.29.3 }',
    'line 1: kubernetes.version: 1.29.3 is not supported: use a version of 1.35, 1.36, 1.37',
  ],
  [
    'a retention that CloudWatch lacks',
    'logRetentionDays: 31',
    'line 1: logRetentionDays: 31 is not allowed: use one of',
  ],
];

test.each(WRONG)('%s', (_, yaml, message) => {
  expect(problemsOf(yaml).join('\n')).toContain(message);
});

test.each([
  ['other hours at the weekend', schedules(NIGHTS, 'name: weekend, days: [sat, sun], wake: "10:00", sleep: "16:00"')],
  ['a break in the day', schedules(NIGHTS, 'name: lunch, days: [wed], sleep: "12:00", wake: "13:00"')],
  ['a sleep more, for safety', schedules(NIGHTS, 'name: again, days: [sat], sleep: "00:30"')],
  [
    'one that sleeps, and one that wakes',
    schedules('name: a, days: [mon, tue], sleep: "22:00"', 'name: b, days: [tue], wake: "07:00"'),
  ],
])('schedules may add to each other: %s', (_, yaml) => {
  expect(problemsOf(yaml)).toEqual([]);
});

test('an API open to the world needs the explicit field', () => {
  expect(problemsOf('operatorCidrs: [0.0.0.0/0]\niKnowTheApiIsOpenToTheWorld: true')).toEqual([]);
});

test('all problems are reported at once, each with its line', () => {
  const yaml = [
    'name: My_Cluster',
    'vpcCidr: 10.244.0.0/16',
    'kubernetes: { version: 1.29.3 }',
    'operatorCidrs: [0.0.0.0/0]',
    'pools:',
    '  - { name: web, instanceTypes: [g4dn.xlarge], min: 3, max: 2 }',
    'schedules:',
    '  - { name: nights, days: [], sleep: "25:00", timeZone: Mars }',
  ].join('\n');
  const problems = problemsOf(yaml);
  for (const field of ['name', 'operatorCidrs[0]', 'pools[0].min', 'pools[0].gpu', 'pools', 'kubernetes.version']) {
    expect(problems.join('\n')).toMatch(new RegExp(`^line \\d: ${field.replace(/[[\].]/g, '\\$&')}: `, 'm'));
  }
  for (const field of ['days', 'sleep', 'timeZone'])
    expect(problems.join('\n')).toContain(`line 8: schedules[0].${field}`);
  expect(problems.length).toBeGreaterThanOrEqual(10);
});

test('the message names the file and counts the problems', () => {
  expect(() => parseConfig('name: UPPER', 'my.yaml')).toThrow(
    /^my\.yaml has 1 problem:\n {2}line 1: name: "UPPER": did you mean upper\? use/,
  );
});

describe('platform.examples', () => {
  const EXECUTORS = '{ name: x, instanceTypes: [m5.large], labels: { workload-type: executor } }';
  const DOZING = '{ name: gpu, instanceTypes: [g4dn.xlarge], gpu: true, min: 0, desired: 0 }';
  const GENERAL = '{ name: general, instanceTypes: [m5.large], ingress: true }';
  const withPools = (examples: string, ...pools: string[]) =>
    `pools: [${[GENERAL, ...pools].join(', ')}]\nplatform: { examples: [${examples}] }\n`;

  it.each([
    ['hpa-cpu, downscaled', withPools('hpa-cpu, downscaled')],
    ['executors with their pool', withPools('queue-executor', EXECUTORS)],
    ['dozing with a GPU pool from zero', withPools('doze', DOZING)],
    [
      'names of one’s own repository',
      'platform: { source: git, git: { url: "https://git.example.org/x" }, examples: [mine] }',
    ],
  ])('takes %s', (_, yaml) => {
    expect(problemsOf(yaml)).toEqual([]);
  });

  it.each([
    [
      'no such folder',
      withPools('something'),
      /platform\.examples\[0\]: something: no such folder .* there are downscaled, doze, hpa-cpu/,
    ],
    ['a typo', withPools('hpa-cup'), /hpa-cup: no such folder below platform\/examples; did you mean hpa-cpu\?/],
    ['a name twice', withPools('hpa-cpu, hpa-cpu'), /platform\.examples\[1\]: hpa-cpu: name each example once/],
    [
      'executors without a pool',
      withPools('queue-executor'),
      /queue-executor: it needs a pool with labels: \{ workload-type: executor \}/,
    ],
    ['dozing on the default’s only node', 'platform: { examples: [doze] }', /doze: it needs a GPU pool with min: 0/],
  ])('refuses %s, with the way out', (_, yaml, message) => {
    expect(problemsOf(yaml).join('\n')).toMatch(message);
  });
});
