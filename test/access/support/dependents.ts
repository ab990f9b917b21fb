import { ACCOUNT } from '../../support/stacks';
import type { IamRequest } from './evaluate';

/** A further right that AWS asks of the same caller behind a call. */
interface Dependent {
  actions: readonly string[];
  resource: 'anywhere' | 'own-key' | 'service-linked-role';
  /** Condition keys that AWS fills in. */
  context?: Readonly<Record<string, string>>;
  /** Which of AWS's documents says so, or who ran into it; as of 2026-11-29. */
  source: string;
}

const ELB = 'elasticloadbalancing.amazonaws.com';
const ROLE_OF_ELB = `arn:aws:iam::${ACCOUNT}:role/aws-service-role/${ELB}/AWSServiceRoleForElasticLoadBalancing`;

const DISK_UNDER_OWN_KEY: Dependent = {
  actions: ['kms:CreateGrant'],
  resource: 'own-key',
  context: { 'kms:GrantIsForAWSResource': 'true' },
  source:
    'EBS user guide, "How EBS encryption works": EC2 sends CreateGrant as the caller; else CustomerKeyHasBeenRevoked (kubernetes/kubernetes#62171, kubernetes-incubator/kube-aws#393)',
};
const DYNAMODB =
  'DynamoDB developer guide, "Encryption at rest: usage notes": the caller’s access to the key is checked';
const S3 = 'S3 user guide, "Using SSE-KMS: permissions"';

/**
 * Call → further rights of its caller. AWS's machine-readable service reference leaves them out (its column of dependent
 * actions is empty for all of these), so they stand here by its guides. Those of the user's own key are asked where there
 * is one. Calls that need more only with fields that we never send are left out: UpdateAutoScalingGroup with a launch
 * template asks for ec2:RunInstances, which no role of ours has (docs/adr/spot-with-fallback.md).
 */
export const DEPENDENTS: Readonly<Record<string, readonly Dependent[]>> = {
  'elasticloadbalancing:CreateLoadBalancer': [
    {
      actions: [
        'ec2:DescribeAccountAttributes',
        'ec2:DescribeAddresses',
        'ec2:DescribeInternetGateways',
        'ec2:DescribeSecurityGroups',
        'ec2:DescribeSubnets',
        'ec2:DescribeVpcs',
      ],
      resource: 'anywhere',
      source: 'ELB user guide, "Elastic Load Balancing API permissions", 2015-12-01 API',
    },
    {
      actions: ['iam:CreateServiceLinkedRole'],
      resource: 'service-linked-role',
      context: { 'iam:AWSServiceName': ELB },
      source: 'The same, for the first load balancer of an account (openshift/openshift-docs#31545)',
    },
  ],
  'ec2:AttachVolume': [DISK_UNDER_OWN_KEY],
  'ec2:StartInstances': [DISK_UNDER_OWN_KEY],
  's3:GetObject': [{ actions: ['kms:Decrypt'], resource: 'own-key', source: S3 }],
  's3:PutObject': [{ actions: ['kms:GenerateDataKey'], resource: 'own-key', source: S3 }],
  ...Object.fromEntries(
    ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'].map((action) => [
      `dynamodb:${action}`,
      [{ actions: ['kms:Decrypt'], resource: 'own-key', source: DYNAMODB }],
    ]),
  ),
};

/** What IAM is asked of the same caller beside a request. @param ownKeyArn the user's own key, if there is one */
export function dependentsOf({ action }: Pick<IamRequest, 'action'>, ownKeyArn?: string): IamRequest[] {
  return (DEPENDENTS[action] ?? []).flatMap(({ actions, resource, context }) => {
    if (resource === 'own-key' && ownKeyArn === undefined) return [];
    const arn = { anywhere: '*', 'own-key': ownKeyArn ?? '', 'service-linked-role': ROLE_OF_ELB }[resource];
    return actions.map((name) => ({ action: name, resource: arn, ...(context && { context }) }));
  });
}
