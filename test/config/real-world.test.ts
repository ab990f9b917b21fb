import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { warningsOf } from '../../core/config/warnings';
import { OWN_GROUP_TAGS } from '../../core/config/rules';
import { InvalidConfig, parseConfig } from '../../lib/config/load';
import { COMMERCIAL_REGIONS } from '../../core/facts/regions';
import { resourcesOf, synthesize } from '../support/stacks';

/** What cluster.yaml says of the real world: checked against what AWS, Kubernetes and the repository have. */

const NOW = new Date('2026-12-01T00:00:00Z');

function problemsOf(yaml: string, now = NOW): string {
  try {
    parseConfig(yaml, 'cluster.yaml', now);
    return '';
  } catch (error) {
    if (error instanceof InvalidConfig) return error.problems.join('\n');
    throw error;
  }
}

const pool = (text: string) => `pools: [{ name: web, ingress: true, ${text} }]`;
const types = (...names: string[]) => pool(`instanceTypes: [${names.join(', ')}]`);
const gpus = (...names: string[]) => pool(`gpu: true, instanceTypes: [${names.join(', ')}]`);
const labels = (text: string) => pool(`instanceTypes: [t3.large], labels: { ${text} }`);
const manyTags = (count: number) =>
  `tags: { ${Array.from({ length: count }, (_, n) => `t${String(n)}: x`).join(', ')} }`;

const WRONG: [what: string, yaml: string, message: string][] = [
  // Regions and zones.
  [
    'a typo in the region',
    'region: us-est-1',
    'line 1: region: "us-est-1": AWS has no such region (list of 2026-10-20): did you mean us-east-1? Otherwise use one of af-south-1,',
  ],
  ['a region that never was', 'region: mars-north-1', 'line 1: region: "mars-north-1": AWS has no such region'],
  ['a zone as region', 'region: eu-central-1a', 'did you mean eu-central-1? Otherwise use one of'],
  [
    'China',
    'region: cn-north-1',
    'region: "cn-north-1": it is in the partition aws-cn, and nodes take packages and images from hosts outside',
  ],
  [
    'GovCloud',
    'region: us-gov-west-1',
    'it is in the partition aws-us-gov, and drowse was never tried there: use a commercial region',
  ],
  [
    'a zone that the region lacks',
    'region: eu-north-1\nzones: [a, d]',
    'line 2: zones[1]: d: eu-north-1 has no such zone, use a, b, c',
  ],
  [
    'three seats in a region of two zones',
    'region: us-west-1\ncontrolPlane: { seats: 3 }',
    'zones (a default): 3 seats need 3 zones, found a: add zones, or set controlPlane.seats to 1',
  ],
  [
    'a type that a region never listed',
    `region: ap-southeast-7\n${gpus('p5.48xlarge')}`,
    'line 2: pools[0].instanceTypes[0]: p5.48xlarge is not offered in ap-southeast-7 (list of 2025-05-28; offered in',
  ],
  [
    'the default pool in a region without its GPU',
    'region: mx-central-1',
    'pools[0].instanceTypes[0] (a default): g4dn.xlarge is not offered in mx-central-1 (list of 2025-05-28; offered in',
  ],
  [
    'addresses of the public Internet',
    'vpcCidr: 8.8.0.0/16',
    'line 1: vpcCidr: 8.8.0.0/16 is of the public Internet, and nobody there could be reached any more: use a range within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10',
  ],
  [
    'pods with addresses of the public Internet',
    "kubernetes: { podCidr: '172.0.0.0/12' }",
    'kubernetes.podCidr: 172.0.0.0/12 is of the public Internet',
  ],
  ['a tag that is ours alone', "tags: { 'drowse:': x }", 'tags["drowse:"]: keys that begin with drowse: are how'],
  [
    'a type in capitals',
    types('T3.large'),
    '"T3.large": did you mean t3.large? use an EC2 instance type in lower case',
  ],
  [
    'a type named twice',
    types('t3.large', 't3.large'),
    'pools[0].instanceTypes[1]: t3.large is there twice: name each',
  ],
  ['too few addresses for services', "kubernetes: { serviceCidr: '10.96.0.0/29' }", 'the API server takes no other'],
  // Names.
  ...['aws-lab', 'amazon', 'amzn1'].map((name): [string, string, string] => [
    `the name ${name}`,
    `name: ${name}`,
    `line 1: name: ${name}: AWS keeps names that begin with ${/^(aws|amazon|amzn)/.exec(name)?.[0] ?? ''} to itself`,
  ]),
  [
    'a load balancer’s word',
    'name: internal-tools',
    'line 1: name: internal-tools: AWS keeps names that begin with internal for internal load balancers: use another',
  ],
  [
    'a pool that AWS takes for its own',
    'pools: [{ name: awsome, instanceTypes: [t3.large], ingress: true }]',
    'pools[0].name: awsome: AWS keeps names that begin with aws',
  ],
  // Tags.
  [
    'a tag of AWS',
    'tags: { "aws:team": x }',
    'tags.aws:team: AWS keeps keys that begin with aws: to itself: use another key',
  ],
  [
    'a tag of drowse',
    'tags: { "drowse:seat": x }',
    'tags.drowse:seat: keys that begin with drowse: are how drowse finds its own things: use another key',
  ],
  [
    'a tag of the controllers',
    'tags: { kubernetes.io/cluster/a: owned }',
    'the controllers of the cluster find their things by it',
  ],
  ['the tag Name', 'tags: { Name: x }', 'tags.Name: drowse names its resources itself: use another key'],
  [
    'tags that differ in case only',
    'tags: { team: a, Team: b }',
    'tags.Team: Team: IAM takes it for the same key as team',
  ],
  ['a tag too long', `tags: { ${'k'.repeat(129)}: x }`, 'use a key of 1 to 128 characters'],
  ['a value too long', `tags: { team: ${'v'.repeat(257)} }`, 'tags.team: a value of 257 characters: use at most 256'],
  [
    'a tag with a character that AWS refuses',
    'tags: { team: "a,b" }',
    'use letters, digits, blanks and _ . : / = + - @, not ","',
  ],
  ['more tags than AWS allows', manyTags(51), '51 tags; AWS allows 50 on a resource'],
  // Labels and taints.
  ...[
    'kubernetes.io/role',
    'node-role.kubernetes.io/gpu',
    'k8s.io/a',
    'x.k8s.io/a',
    'topology.kubernetes.io/zone',
    'kubernetes.io/hostname',
  ].map((key): [string, string, string] => [
    `the label ${key}`,
    labels(`${key}: x`),
    `labels.${key}: ${key}: a node may set no labels in kubernetes.io and k8s.io but kubelet.kubernetes.io/… and node.kubernetes.io/…: use a prefix of your own`,
  ]),
  [
    'our own label',
    labels('drowse.dev/pool: x'),
    'drowse.dev/pool: drowse.dev/ is for what drowse sets itself (for you: drowse.dev/infra)',
  ],
  [
    'the GPU label',
    labels('nvidia.com/gpu.present: "true"'),
    'nvidia.com/gpu.present: drowse sets it itself on nodes with GPUs: leave it out',
  ],
  [
    'our own taint',
    pool('instanceTypes: [t3.large], taints: [{ key: drowse.dev/x, value: a, effect: NoSchedule }]'),
    'taints[0].key: drowse.dev/x: drowse.dev/ is for what drowse sets itself',
  ],
  // Addresses.
  [
    'services wider than the API server allows',
    'kubernetes: { serviceCidr: 11.0.0.0/11 }',
    'kubernetes.serviceCidr: 11.0.0.0/11: use a range from /12 to /28: the API server takes no other',
  ],
  ['services too narrow', 'kubernetes: { serviceCidr: 10.96.0.0/29 }', '10.96.0.0/29: use a range from /12 to /28'],
  [
    'services with host bits',
    'kubernetes: { serviceCidr: 10.96.0.1/16 }',
    'kubernetes.serviceCidr: 10.96.0.1/16 names an address within a range: use 10.96.0.0/16',
  ],
  [
    'pods with host bits',
    'kubernetes: { podCidr: 10.244.0.1/16 }',
    'kubernetes.podCidr: 10.244.0.1/16 names an address within a range: use 10.244.0.0/16',
  ],
  [
    'pods wider than Kubernetes allows',
    'vpcCidr: 10.0.0.0/16\nkubernetes: { podCidr: 100.0.0.0/7 }',
    'podCidr: 100.0.0.0/7: use a range from /8 to /24',
  ],
  [
    'a VPC with host bits',
    'vpcCidr: 10.0.1.0/16',
    'vpcCidr: 10.0.1.0/16 names an address within a range: use 10.0.0.0/16',
  ],
  ['a VPC of link-local addresses', 'vpcCidr: 169.254.0.0/16', '169.254.0.0/16 is linkLocal: use a private range'],
  [
    'more nodes than pod addresses',
    `kubernetes: { podCidr: 10.244.0.0/22 }\n${pool('instanceTypes: [t3.large], max: 40')}`,
    '10.244.0.0/22 has room for 16 nodes (/26 each), and 41 may run',
  ],
  [
    'a plain address',
    'operatorCidrs: [203.0.113.7]',
    'operatorCidrs[0]: "203.0.113.7" has no prefix length: for this one address, write 203.0.113.7/32',
  ],
  [
    'words',
    'operatorCidrs: [home]',
    'operatorCidrs[0]: "home" is no range of IPv4 addresses: write it as 203.0.113.7/32',
  ],
  [
    'halves of the Internet',
    'operatorCidrs: [0.0.0.0/1, 128.0.0.0/1]',
    'line 1: operatorCidrs: together they open the Kubernetes API to 100 % of the Internet: name your own',
  ],
  [
    'all but the reserved addresses',
    'operatorCidrs: [0.0.0.0/1, 128.0.0.0/2, 192.0.0.0/3]',
    'together they open the Kubernetes API to 87 % of the Internet',
  ],
  [
    'half of the Internet',
    'operatorCidrs: [128.0.0.0/1]',
    '128.0.0.0/1 opens the Kubernetes API to half of the Internet',
  ],
  [
    'an operator’s range with host bits',
    'operatorCidrs: [203.0.113.7/24]',
    'use 203.0.113.0/24, or 203.0.113.7/32 for one address',
  ],
  [
    'an operator twice',
    'operatorCidrs: [203.0.113.0/24, 203.0.113.0/24]',
    'operatorCidrs[1]: 203.0.113.0/24 is there twice',
  ],
  // Kubernetes.
  [
    'a release that never was',
    'kubernetes: { version: 1.36.99 }',
    'kubernetes.version: 1.36.99 was never released: the newest of 1.36 is 1.36.6 (2026-11-29)',
  ],
  // Time zones.
  ...(
    [
      ['+01:00', 'an offset knows no daylight saving: '],
      ['PST', 'did you mean America/Los_Angeles? Otherwise '],
      ['EST', 'did you mean America/New_York? Otherwise '],
      ['europe/berlin', 'did you mean Europe/Berlin? Otherwise '],
      ['Europe/Berln', 'did you mean Europe/Berlin? Otherwise '],
    ] as const
  ).map(([zone, hint]): [string, string, string] => [
    `the time zone ${zone}`,
    `schedules: [{ name: n, days: [mon], sleep: "19:00", timeZone: "${zone}" }]`,
    `schedules[0].timeZone: ${JSON.stringify(zone)}: ${hint}use an IANA time zone`,
  ]),
  // Instance types.
  [
    'a typo in a type',
    types('t3.lagre'),
    'pools[0].instanceTypes[0]: t3.lagre is no instance type (list of 2026-10-27): did you mean t3.large? Otherwise describe it under newInstanceTypes',
  ],
  [
    'a typo in a GPU type',
    gpus('g4dn.xlareg'),
    'g4dn.xlareg is no instance type (list of 2026-10-27): did you mean g4dn.xlarge?',
  ],
  [
    'two letters of a GPU type the wrong way round',
    gpus('g4nd.xlarge'),
    'g4nd.xlarge is no instance type (list of 2026-10-27): did you mean g4dn.xlarge?',
  ],
  [
    'a typo in a seat’s type',
    'controlPlane: { instanceTypes: [t3.meduim] }',
    'controlPlane.instanceTypes[0]: t3.meduim is no instance type (list of 2026-10-27): did you mean t3.medium?',
  ],
  ['a Mac', types('mac1.metal'), 'mac1.metal is a dedicated host that runs macOS'],
  [
    'a GPU that is not NVIDIA’s',
    gpus('g4ad.xlarge'),
    'g4ad.xlarge has no NVIDIA GPU (its V520 is made by AMD): use a GPU type',
  ],
  ...['p3.2xlarge', 'p3.8xlarge', 'p3.16xlarge', 'p3dn.24xlarge', 'p2.xlarge', 'g3.4xlarge'].map(
    (name): [string, string, string] => [
      `${name} on the public image`,
      gpus(name),
      `${name} has a ${name.startsWith('p3') ? 'V100' : name.startsWith('p2') ? 'K80' : 'M60'}, which the driver of the public GPU image does not support`,
    ],
  ),
  ['an arm64 GPU', gpus('g5g.xlarge'), 'g5g.xlarge is arm64: use an x86-64 type'],
  [
    'a GPU that the region lacks',
    `region: eu-central-2\n${gpus('g4dn.xlarge')}`,
    'g4dn.xlarge is not offered in eu-central-2 (list of 2026-10-27; offered in af-south-1,',
  ],
  [
    'spot where there is none',
    pool('instanceTypes: [u-6tb1.56xlarge], market: spot'),
    "u-6tb1.56xlarge can't be had on spot: use market: on-demand",
  ],
  [
    'a seat too small',
    'controlPlane: { instanceTypes: [t3.nano] }',
    't3.nano has 2 vCPU and 0.5 GiB: a control plane needs at least 2 vCPUs and 1.7 GiB',
  ],
  [
    'a thousand nodes at least',
    pool('instanceTypes: [t3.large], min: 1000, max: 1000, desired: 1000'),
    'pools[0].min: 1000: use at most 100: they all run whenever the cluster is awake',
  ],
  // What refers to something else.
  [
    'an ingress pool that may be empty',
    pool('instanceTypes: [t3.large], min: 0'),
    'pools[0].min: 0, but this pool has ingress: true: without a node nobody reaches the app; use at least 1',
  ],
  [
    'an ingress pool that is always empty',
    pool('instanceTypes: [t3.large], max: 0, desired: 0'),
    'pools[0].max: 0, but this pool has ingress: true: without a node nobody reaches the app; use at least 1',
  ],
  [
    'an overlay that is not there',
    'platform: { overlay: prod }',
    'platform.overlay: prod: There is no such folder in platform/clusters: use one of default, lab, minimal, or make it',
  ],
  ['a typo in the overlay', 'platform: { overlay: defualt }', 'defualt: did you mean default? There is no such folder'],
  [
    'a key of another region',
    'region: eu-central-1\nencryption: { kmsKeyArn: "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012" }',
    'encryption.kmsKeyArn: the key is in us-east-1, the cluster in eu-central-1: use a key of eu-central-1',
  ],
  [
    'idle sleep without monitoring',
    'platform: { overlay: minimal }\nidle: { enabled: true }',
    'idle.enabled: true needs monitoring, which the overlay minimal leaves out: the cluster would never count as idle',
  ],
  [
    'a branch that is an option',
    'platform: { source: git, git: { url: https://example.com/r.git, branch: --upload-pack=x } }',
    'platform.git.branch: "--upload-pack=x": use a name of a Git branch',
  ],
];

test.each(WRONG)('%s', (_, yaml, message) => {
  expect(problemsOf(yaml)).toContain(message);
});

test.each([
  ['new GPU types', gpus('g7.2xlarge', 'g7e.2xlarge')],
  ['parts of GPUs', gpus('g6f.large', 'gr6f.4xlarge')],
  ['the largest', gpus('p6-b200.48xlarge', 'p6-b300.48xlarge')],
  ['an old GPU with an image of its own', pool('gpu: true, ami: ami-0123456789abcdef0, instanceTypes: [p3.2xlarge]')],
  [
    'a type that is newer than the table',
    `newInstanceTypes: { g9.xlarge: { vCpus: 4, memoryGiB: 16, gpus: 1 } }\n${gpus('g9.xlarge')}`,
  ],
  [
    'a type that a region has by now',
    `region: eu-central-2\nnewInstanceTypes: { g4dn.xlarge: { vCpus: 4, memoryGiB: 16, gpus: 1 } }\n${gpus('g4dn.xlarge')}`,
  ],
  ['a region of whose types nothing is known', `region: mx-central-1\n${types('t3.large')}`],
  [
    'labels that a kubelet may set',
    labels('node.kubernetes.io/pool: a, x.kubelet.kubernetes.io/b: c, example.com/d: e, f: g'),
  ],
  ['our label for users', labels('drowse.dev/infra: "true"')],
  ['tags as they are', 'tags: { team: "AI & more", cost-center: "42" }'.replace(' & ', ' + ')],
  ['a link of a time zone', 'schedules: [{ name: n, days: [mon], sleep: "19:00", timeZone: Asia/Kolkata }]'],
  ['a newer branch', 'platform: { source: git, git: { url: https://example.com/r.git, branch: feature/new-1 } }'],
  [
    'an overlay of another repository',
    'platform: { source: git, overlay: prod, git: { url: https://example.com/r.git } }',
  ],
])('accepts %s', (_, yaml) => {
  expect(problemsOf(yaml)).toBe('');
});

test('a patch release that came out since the table was made is accepted in its time', () => {
  const yaml = 'kubernetes: { version: 1.36.7 }';
  expect(problemsOf(yaml, new Date('2026-12-01T00:00:00Z'))).toContain('was never released');
  expect(problemsOf(yaml, new Date('2027-01-10T00:00:00Z'))).toBe('');
});

test.each(COMMERCIAL_REGIONS)('%s has zones of its own, and takes the cheapest cluster', (region) => {
  const config = parseConfig(`region: ${region}\n${types('t3.large')}`);
  expect(config.zones.length).toBeGreaterThan(0);
  expect(problemsOf(`region: ${region}\nzones: [${config.zones.join(', ')}]\n${types('t3.large')}`)).toBe('');
});

test('zones default to letters that an account there most likely has', () => {
  const zonesIn = (region: string) => parseConfig(`region: ${region}`).zones.join('');
  expect([zonesIn('us-east-1'), zonesIn('ap-northeast-1'), zonesIn('ca-central-1')]).toEqual(['abc', 'acd', 'abd']);
});

test('disks and sizes that follow from other fields', () => {
  const [web, gpu] = parseConfig(
    'pools: [{ name: web, instanceTypes: [t3.large], ingress: true }, { name: gpu, instanceTypes: [g5.xlarge], gpu: true }]',
  ).pools;
  expect([web?.diskGiB, web?.min, gpu?.diskGiB, gpu?.min]).toEqual([50, 1, 100, 0]);
});

test('what tags leave room for is what a group really carries', () => {
  const { templates } = synthesize(
    'pools: [{ name: gpu, instanceTypes: [g5.xlarge], gpu: true, ingress: true, market: spot, labels: { a: b }, taints: [{ key: c, value: d, effect: NoSchedule }] }]',
  );
  const group = resourcesOf(templates.cluster, 'AWS::AutoScaling::AutoScalingGroup').find(([id]) =>
    id.includes('Pool'),
  );
  const tags = group?.[1].Properties?.Tags as unknown[];
  // Less its one label and one taint; the four labels that drowse sets on a GPU pool with ingress count as its own.
  expect(tags.length - 2).toBeLessThanOrEqual(OWN_GROUP_TAGS);
});

test('the overlays of the repository are there', () => {
  expect(existsSync(join(__dirname, '..', '..', 'platform', 'clusters', 'default', 'kustomization.yaml'))).toBe(true);
});

test('operators that a tunnel does not need are told', () => {
  const tunnel = parseConfig('apiAccess: tunnel\noperatorCidrs: [203.0.113.7/32]\nidle: { enabled: true }');
  expect(warningsOf(tunnel)).toEqual([expect.stringMatching(/^operatorCidrs: nobody comes from there/)]);
});

test('where it is not known what a region offers, that is said', () => {
  const web = 'idle: { enabled: true }\npools: [{ name: web, instanceTypes: [t3.large], ingress: true }]';
  expect(warningsOf(parseConfig(`region: ap-southeast-6\n${web}`))).toEqual([
    'region: which instance types ap-southeast-6 offers is not known here: look there before you deploy',
  ]);
  expect(warningsOf(parseConfig(`region: mx-central-1\n${web}`))).toEqual([]);
});
