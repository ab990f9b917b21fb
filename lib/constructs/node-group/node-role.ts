import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { TAG } from '../../config/names';
import { allow, type Statement, WHY } from '../access/statement';

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
    const statements: Statement[] = [
      { sid: 'ReadNodeBundle', actions: ['s3:GetObject'], resources: [`${bucketArn}/node/*`], why: WHY.folder },
      { sid: 'KeepLogTails', actions: ['s3:PutObject'], resources: [`${bucketArn}/logs/*`], why: WHY.folder },
      { sid: 'ShipLogs', actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroupArn] },
      {
        sid: 'ReportPhase',
        actions: ['ec2:CreateTags'],
        resources: [instances],
        conditions: {
          ...this.onOwnTags,
          'ForAllValues:StringEquals': { 'aws:TagKeys': [TAG.phase, TAG.phaseAt] },
        },
        why: WHY.ownTags,
      },
      {
        sid: 'BeManaged',
        actions: ['ssm:UpdateInstanceInformation'],
        resources: [instances],
        why: 'An instance reports for itself alone: AWS checks the caller’s instance',
      },
      { sid: 'TalkToSessionManager', actions: SSM_AGENT_ACTIONS, resources: ['*'], why: WHY.noResourceLevel },
    ];
    if (kmsKeyArn !== undefined) {
      statements.push({ sid: 'UseOwnKey', actions: ['kms:Decrypt', 'kms:GenerateDataKey'], resources: [kmsKeyArn] });
    }
    for (const statement of statements) this.allow(statement);
  }

  /** Adds what a seat or a pool may do beyond every node. */
  allow(statement: Statement): void {
    allow(this.role, statement);
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
