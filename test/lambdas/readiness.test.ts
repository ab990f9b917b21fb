import { AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';
import {
  DescribeAddressesCommand,
  DescribeImagesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  DescribeLaunchTemplateVersionsCommand,
  DescribeVolumesCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { mockClient } from 'aws-sdk-client-mock';
import type { HttpsAnswer } from '../../lambdas/shared/clients/https';
import { examine, type Finding, looksOf, type ReadinessDeps } from '../../lambdas/shared/readiness/examine';

const autoScaling = mockClient(AutoScalingClient);
const ec2 = mockClient(EC2Client);
const s3 = mockClient(S3Client);
const quotas = mockClient(ServiceQuotasClient);

const tag = (Key: string, Value: string) => ({ Key: `drowse:${Key}`, Value });
const group = (AutoScalingGroupName: string, type: string, ...Tags: { Key: string; Value: string }[]) => ({
  ...{ AutoScalingGroupName, Tags: [...Tags, tag('desired', '1'), tag('market', 'on-demand')] },
  ...{
    MinSize: 0,
    MaxSize: 1,
    DesiredCapacity: 0,
    DefaultCooldown: 0,
    HealthCheckType: 'EC2',
    CreatedTime: new Date(0),
  },
  AvailabilityZones: ['us-east-1a', 'us-east-1b'],
  MixedInstancesPolicy: {
    LaunchTemplate: {
      LaunchTemplateSpecification: { LaunchTemplateId: 'lt-1', Version: '1' },
      Overrides: [{ InstanceType: type }],
    },
  },
});

/** What the ingress answers with, and its certificate. */
const served = (certificate: Partial<HttpsAnswer['certificate']>): HttpsAnswer => ({
  ...{ status: 200, location: undefined },
  certificate: { validTo: '2099-01-01T00:00:00.000Z', hostProblem: undefined, chainProblem: undefined, ...certificate },
});

/** All is well, with what a test says otherwise. */
async function findings(more: Partial<ReadinessDeps> = {}): Promise<Record<string, Omit<Finding, 'name'>>> {
  const found = await examine(
    looksOf({
      ...{ cluster: 'drowse', bucket: 'b', domain: 'app.example.com', hasWaitingPage: false },
      autoScaling: new AutoScalingClient({}),
      ec2: new EC2Client({}),
      s3: new S3Client({}),
      serviceQuotas: new ServiceQuotasClient({}),
      record: () => Promise.resolve({}),
      resolve: () => Promise.resolve(['203.0.113.9']),
      read: () => Promise.reject(new Error('nobody asks')),
      certificates: 'letsencrypt',
      web: { get: () => Promise.resolve(served({})) },
      sources: ['https://registry.k8s.io/v2/', 'https://pkgs.k8s.io/Release.key'],
      reach: (url) => Promise.resolve(url.endsWith('/v2/') ? 401 : 200),
      ...more,
    }),
  );
  return Object.fromEntries(found.map(({ name, ...rest }) => [name, rest]));
}

beforeEach(() => {
  for (const client of [autoScaling, ec2, s3, quotas]) client.reset();
  autoScaling.on(DescribeAutoScalingGroupsCommand).resolves({
    AutoScalingGroups: [
      group('seat-0', 't3.medium', tag('role', 'seat'), tag('seat', '0')),
      group('pool-gpu', 'g4dn.xlarge', tag('role', 'pool'), tag('pool', 'gpu')),
    ],
  });
  ec2.on(DescribeVolumesCommand).resolves({ Volumes: [{ State: 'available', Tags: [tag('seat', '0')] }] });
  ec2.on(DescribeAddressesCommand).resolves({ Addresses: [{ PublicIp: '203.0.113.9', AllocationId: 'e' }] });
  ec2
    .on(DescribeLaunchTemplateVersionsCommand)
    .resolves({ LaunchTemplateVersions: [{ LaunchTemplateData: { ImageId: 'ami-1' } }] });
  ec2.on(DescribeImagesCommand).resolves({ Images: [{ ImageId: 'ami-1' }] });
  ec2.on(DescribeInstanceTypeOfferingsCommand).resolves({
    InstanceTypeOfferings: [
      { InstanceType: 't3.medium', Location: 'us-east-1a' },
      { InstanceType: 'g4dn.xlarge', Location: 'us-east-1b' },
    ],
  });
  ec2.on(DescribeInstanceTypesCommand).resolves({
    InstanceTypes: [
      { InstanceType: 't3.medium', VCpuInfo: { DefaultVCpus: 2 } },
      { InstanceType: 'g4dn.xlarge', VCpuInfo: { DefaultVCpus: 4 } },
    ],
  });
  quotas.on(GetServiceQuotaCommand).resolves({ Quota: { Value: 8 } });
});

test('nothing stands in the way where all is there', async () => {
  const states = Object.entries(await findings()).map(([name, { state }]) => `${name} ${state}`);
  expect(states).toEqual([
    ...['groups ok', 'state volumes ok', 'Elastic IP ok', 'images ok', 'instance types ok', 'quotas ok'],
    ...['snapshot ok', 'domain ok', 'certificate ok', 'sources ok'],
  ]);
});

test('a domain leads to the waiting page if that answers there: CloudFront’s addresses are anybody’s', async () => {
  const read = (url: string) =>
    Promise.resolve(url === 'https://app.example.com/.drowse/waiting' ? '<main data-page="drowse-waiting">' : '');
  expect((await findings({ hasWaitingPage: true, read })).domain?.state).toBe('ok');
});

describe('the certificate of tomorrow', () => {
  const carried = () =>
    ec2
      .on(DescribeAddressesCommand)
      .resolves({ Addresses: [{ PublicIp: '203.0.113.9', AllocationId: 'e', InstanceId: 'i-1' }] });
  const now = () => Date.parse('2026-11-20T19:00:00Z');
  const soon = '2026-11-21T07:00:00.000Z';

  test.each<[string, string | undefined, Finding['state'], RegExp]>([
    ['that nobody has seen', undefined, 'ok', /nobody serves one now/],
    ['that the last wake saw', '2026-12-20T00:00:00Z', 'ok', /holds until 2026-12-20/],
    ['that ends before the next wake', soon, 'warning', /begins with one that ends at 2026-11-21/],
  ])('is, of a cluster that sleeps, the one %s', async (_, certificateUntil, state, said) => {
    const record = () => Promise.resolve(certificateUntil === undefined ? {} : { certificateUntil });
    const { certificate } = await findings({ now, record });
    expect(certificate).toEqual({ state, detail: expect.stringMatching(said) as string });
  });

  test.each<[string, Partial<HttpsAnswer['certificate']>, Finding['state'], RegExp]>([
    ['holds', {}, 'ok', /serves one that holds until 2099/],
    ['ends in the night', { validTo: soon }, 'warning', /ends at 2026-11-21/],
    ['is another’s', { hostProblem: 'not in the list' }, 'warning', /not in the list/],
    ['nobody knows', { chainProblem: 'SELF_SIGNED' }, 'warning', /signed by nobody known/],
  ])('that the ingress serves %s', async (_, certificate, state, said) => {
    carried();
    const found = await findings({ now, web: { get: () => Promise.resolve(served(certificate)) } });
    expect(found.certificate).toEqual({ state, detail: expect.stringMatching(said) as string });
  });

  test('is asked of the ingress by the domain’s name, whatever the name leads to', async () => {
    carried();
    const get = jest.fn(() => Promise.resolve(served({})));
    await findings({ web: { get } });
    expect(get).toHaveBeenCalledWith(expect.objectContaining({ address: '203.0.113.9', host: 'app.example.com' }));
  });

  test('is of no matter where it is self-signed', async () => {
    expect(await findings({ certificates: 'self-signed' })).not.toHaveProperty('certificate');
  });
});

test.each([
  ['is away', () => Promise.resolve(503), /no answer from registry.k8s.io \(503\), pkgs.k8s.io \(503\)/],
  ['has lost it', (url: string) => Promise.resolve(url.endsWith('key') ? 404 : 200), /from pkgs.k8s.io \(404\)/],
  [
    'nobody reaches',
    () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ENOTFOUND') })),
    /pkgs.k8s.io \(ENOTFOUND\)/,
  ],
])('a source that %s is told of: what is not in the bucket cannot be fetched', async (_, reach, said) => {
  expect((await findings({ reach })).sources).toEqual({
    state: 'warning',
    detail: expect.stringMatching(said) as string,
  });
});

const SNAPSHOT = {
  key: 'snapshots/2026-11-20T06-00-00Z-sleep/etcd.db',
  at: '2026-11-20T06:00:00Z',
  bytes: 1,
  sha256: '',
};

test.each<[string, string, Finding['state'], RegExp, () => Partial<ReadinessDeps> | undefined]>([
  [
    'no group',
    'groups',
    'problem',
    /a group with drowse:role=seat/,
    () => void autoScaling.on(DescribeAutoScalingGroupsCommand).resolves({ AutoScalingGroups: [] }),
  ],
  [
    'a lost volume',
    'state volumes',
    'problem',
    /state volume of seat 0/,
    () => void ec2.on(DescribeVolumesCommand).resolves({ Volumes: [] }),
  ],
  [
    'a released address',
    'Elastic IP',
    'problem',
    /released/,
    () => void ec2.on(DescribeAddressesCommand).resolves({ Addresses: [] }),
  ],
  [
    'an image that is gone',
    'images',
    'problem',
    /image ami-1 of group/,
    () => void ec2.on(DescribeImagesCommand).resolves({ Images: [] }),
  ],
  [
    'a pool’s type that no zone offers',
    ...(['instance types', 'warning', /pool-gpu: us-east-1a, us-east-1b offer none of g4dn/] as const),
    () =>
      void ec2
        .on(DescribeInstanceTypeOfferingsCommand)
        .resolves({ InstanceTypeOfferings: [{ InstanceType: 't3.medium', Location: 'us-east-1a' }] }),
  ],
  [
    'a seat’s type that no zone offers',
    'instance types',
    'problem',
    /seat-0/,
    () => void ec2.on(DescribeInstanceTypeOfferingsCommand).resolves({ InstanceTypeOfferings: [] }),
  ],
  [
    'a quota that is too small',
    'quotas',
    'warning',
    /gpu wants 4 vCPUs/,
    () => void quotas.on(GetServiceQuotaCommand).resolves({ Quota: { Value: 2 } }),
  ],
  [
    'no snapshot',
    'snapshot',
    'warning',
    /there is none/,
    () => ({ record: () => Promise.resolve({ platformAt: 'then' }) }),
  ],
  [
    'a snapshot that is not whole',
    ...(['snapshot', 'warning', /cannot be restored: The bucket has no/] as const),
    () => {
      s3.on(ListObjectsV2Command).resolves({ Contents: [] });
      return { record: () => Promise.resolve({ snapshot: SNAPSHOT }) };
    },
  ],
  [
    'a domain that leads elsewhere',
    'domain',
    'warning',
    /leads to 198.51.100.1, and not to 203/,
    () => ({ resolve: () => Promise.resolve(['198.51.100.1']) }),
  ],
  [
    'a domain that leads past its waiting page',
    'domain',
    'warning',
    /does not lead to the output AppFront \(https:\/\/app.example.com\/.drowse\/waiting: something else answers there\)/,
    () => ({ hasWaitingPage: true, read: () => Promise.resolve('<h1>404 Not Found</h1>') }),
  ],
  [
    'a domain with a waiting page at which nobody answers',
    'domain',
    'warning',
    /does not lead to the output AppFront \(.*: getaddrinfo ENOTFOUND\)/,
    () => ({
      hasWaitingPage: true,
      read: () => Promise.reject(new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND') })),
    }),
  ],
  [
    'a look that is refused',
    'state volumes',
    'warning',
    /could not be looked at: Error: denied/,
    () => void ec2.on(DescribeVolumesCommand).rejects(new Error('denied')),
  ],
])('%s is found', async (_, name, state, detail, arrange) => {
  const found = await findings(arrange() ?? {});
  expect(found[name]).toEqual({ state, detail: expect.stringMatching(detail) as string });
  // What stands in one's way keeps nobody from seeing the rest.
  expect(Object.keys(found)).toHaveLength(10);
});
