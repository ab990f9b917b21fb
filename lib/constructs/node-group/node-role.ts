import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { TAG } from '../../config/names';

export interface NodeRoleProps {
  cluster: string;
  /** ARN of the cluster's bucket. */
  bucketArn: string;
  /** ARN of the log group that takes the nodes’ journals, streams included (`…:*`). */
  logGroupArn: string;
  /** The user's own key for parameters and the bucket; none with AWS's own. */
  kmsKeyArn: string | undefined;
  /** Tags by which EC2 knows the instances of this role, beside the cluster's. */
  ownTags: Readonly<Record<string, string>>;
}

/** What every node's role may do; seats and pools add what is theirs. */
export class NodeRole extends Construct {
  readonly role: iam.Role;
  readonly instanceProfile: iam.CfnInstanceProfile;
  /** Condition that holds for resources with the tags of this role's instances. */
  readonly onOwnTags: Record<string, Record<string, string>>;

  constructor(scope: Construct, id: string, props: NodeRoleProps) {
    super(scope, id);
    const { cluster, bucketArn, logGroupArn, kmsKeyArn, ownTags } = props;
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'),
      description: `Nodes of ${cluster}: ${Object.entries(ownTags)
        .map(([key, value]) => `${key}=${value}`)
        .join(', ')}`,
    });
    this.instanceProfile = new iam.CfnInstanceProfile(this, 'Profile', {
      roles: [this.role.roleName],
    });
    this.onOwnTags = {
      StringEquals: Object.fromEntries(
        Object.entries({ [TAG.cluster]: cluster, ...ownTags }).map(([key, value]) => [`aws:ResourceTag/${key}`, value]),
      ),
    };
    const instances = this.ec2Arn('instance');
    this.allow('ReadNodeBundle', ['s3:GetObject'], [`${bucketArn}/node/*`]);
    this.allow('KeepLogTails', ['s3:PutObject'], [`${bucketArn}/logs/*`]);
    this.allow('ShipLogs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroupArn]);
    this.allow('ReportPhase', ['ec2:CreateTags'], [instances], {
      ...this.onOwnTags,
      'ForAllValues:StringEquals': { 'aws:TagKeys': [TAG.phase, TAG.phaseAt] },
    });
    this.allow('BeManaged', ['ssm:UpdateInstanceInformation'], [instances]);
    this.allow('TalkToSessionManager', SSM_AGENT_ACTIONS, ['*']);
    if (kmsKeyArn) this.allow('UseKey', ['kms:Decrypt', 'kms:GenerateDataKey'], [kmsKeyArn]);
  }

  /** Adds a statement; its Sid is what the access tests and the audit queries show. */
  allow(sid: string, actions: readonly string[], resources: readonly string[], conditions?: iam.Conditions): void {
    this.role.addToPolicy(
      new iam.PolicyStatement({
        sid,
        actions: [...actions],
        resources: [...resources],
        ...(conditions && { conditions: conditions }),
      }),
    );
  }

  /** All EC2 resources of a type in this account and region, for example `volume`; conditions narrow them by tag. */
  ec2Arn(resource: 'instance' | 'volume' | 'network-interface'): string {
    return Stack.of(this).formatArn({ service: 'ec2', resource, resourceName: '*' });
  }

  /** ARN of one of the cluster's SSM parameters, by its full name. */
  parameterArn(name: string): string {
    return Stack.of(this).formatArn({
      service: 'ssm',
      resource: 'parameter',
      resourceName: name.replace(/^\//, ''),
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }
}

/**
 * What the SSM agent needs for Run Command and Session Manager. Not the managed policy AmazonSSMManagedInstanceCore:
 * that one reads every parameter of the account, other pools' join tokens included.
 * Source: Systems Manager user guide, "Reference: ec2messages, ssmmessages, and other API operations".
 */
const SSM_AGENT_ACTIONS = [
  'ssmmessages:CreateControlChannel',
  'ssmmessages:CreateDataChannel',
  'ssmmessages:OpenControlChannel',
  'ssmmessages:OpenDataChannel',
  'ec2messages:AcknowledgeMessage',
  'ec2messages:DeleteMessage',
  'ec2messages:FailMessage',
  'ec2messages:GetEndpoint',
  'ec2messages:GetMessages',
  'ec2messages:SendReply',
];
