import { noticesOfMonth } from '../../core/cost/notices';
import { priceOf } from '../../core/cost/orchestration';
import { EVERYTHING } from '../support/configs';
import { resourcesOf, synthesize } from '../support/stacks';

/** What the default cluster may be billed for while it sleeps. */
const BILLED = ['AWS::EC2::EIP', 'AWS::EC2::Volume'];

/** Types that cost nothing by existing: free, or billed by request, by gigabyte stored or by what they start. */
const FREE = [
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::Stage',
  'AWS::AutoScaling::AutoScalingGroup',
  'AWS::Budgets::Budget',
  // Billed by request and by gigabyte.
  'AWS::CloudFront::Distribution',
  'AWS::CloudWatch::Alarm',
  'AWS::DynamoDB::Table',
  'AWS::EC2::InternetGateway',
  'AWS::EC2::LaunchTemplate',
  'AWS::EC2::Route',
  'AWS::EC2::RouteTable',
  'AWS::EC2::SecurityGroup',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::EC2::SecurityGroupIngress',
  'AWS::EC2::Subnet',
  'AWS::EC2::SubnetRouteTableAssociation',
  'AWS::EC2::VPC',
  'AWS::EC2::VPCEndpoint',
  'AWS::EC2::VPCGatewayAttachment',
  'AWS::ElasticLoadBalancingV2::TargetGroup',
  'AWS::Events::Rule',
  'AWS::IAM::InstanceProfile',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::Lambda::Function',
  'AWS::Lambda::LayerVersion',
  'AWS::Lambda::Permission',
  'AWS::Logs::LogGroup',
  'AWS::Logs::QueryDefinition',
  'AWS::S3::Bucket',
  'AWS::S3::BucketPolicy',
  'AWS::SNS::Subscription',
  'AWS::SNS::Topic',
  'AWS::SNS::TopicPolicy',
  'AWS::SQS::Queue',
  'AWS::SQS::QueuePolicy',
  'AWS::SSM::Document',
  // Up to 4 KB each (test/platform/substitutions.test.ts).
  'AWS::SSM::Parameter',
  'AWS::Scheduler::Schedule',
  'AWS::Scheduler::ScheduleGroup',
  'AWS::StepFunctions::StateMachine',
  'Custom::CDKBucketDeployment',
  'Custom::SubnetCidrReservation',
];

const WEBHOOKS = 'notifications: { email: ops@example.org, webhooks: [{ name: team, kind: slack }] }';
const { templates } = synthesize();
const all = Object.values(templates).flatMap(({ Resources }) => Object.values(Resources));
const ofType = (type: string) => Object.values(templates).flatMap((template) => resourcesOf(template, type));

test('asleep, the default cluster has no resource with a standing charge but one Elastic IP and one state volume', () => {
  const charged = all.map(({ Type }) => Type).filter((type) => !FREE.includes(type));
  expect(charged.sort()).toEqual(BILLED);
});

test('alarms stay within the ten metrics that an account has free', () => {
  const metrics = ofType('AWS::CloudWatch::Alarm').flatMap(([, { Properties }]) =>
    ((Properties?.Metrics ?? [{ MetricStat: {} }]) as { MetricStat?: object }[]).filter(
      ({ MetricStat }) => MetricStat !== undefined,
    ),
  );
  expect(metrics.length).toBeGreaterThan(5);
  expect(metrics.length).toBeLessThanOrEqual(10);
});

test('the only endpoint is a gateway, which is free; an interface would be billed by the hour', () => {
  expect(ofType('AWS::EC2::VPCEndpoint').map(([, { Properties }]) => Properties?.VpcEndpointType)).toEqual(['Gateway']);
});

test('a deployment leaves every group empty', () => {
  for (const [, { Properties }] of ofType('AWS::AutoScaling::AutoScalingGroup')) {
    expect(Properties).toMatchObject({ MinSize: '0' });
    expect(Properties).not.toHaveProperty('DesiredCapacity');
  }
});

test('functions and table are billed by use: no provisioned concurrency, no provisioned capacity', () => {
  expect(ofType('AWS::DynamoDB::Table').map(([, { Properties }]) => Properties?.BillingMode)).toEqual([
    'PAY_PER_REQUEST',
  ]);
  expect(JSON.stringify(templates)).not.toContain('ProvisionedConcurren');
});

describe('the page, its links, the notices and the waiting page', () => {
  const { operations } = synthesize(
    EVERYTHING.replace(/notifications: .*/, WEBHOOKS).replace(/^dashboard: .*\n/m, ''),
  ).templates;

  test('add no resource with a standing charge to the operations stack', () => {
    const types = new Set(Object.values(operations?.Resources ?? {}).map(({ Type }) => Type));
    expect([...types].filter((type) => !FREE.includes(type))).toEqual([]);
    for (const type of ['AWS::CloudFront::Distribution', 'AWS::SNS::Subscription', 'AWS::ApiGatewayV2::Api']) {
      expect(types).toContain(type);
    }
  });

  test('cost at most five cents a month while nobody opens anything: two sleeps and two wakes a day are told, to everybody', () => {
    const { total } = priceOf(noticesOfMonth({ pairsADay: 2, webhooks: 5 }));
    expect(total).toBeGreaterThan(0.004);
    expect(total).toBeLessThanOrEqual(0.05);
  });
});
