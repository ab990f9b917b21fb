import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { TAG } from '../../../core/config/names';
import { allow, type Statement, WHY } from '../access/statement';
import { servicePrincipal } from '../access/service-principal';

/** The ARN of the instance whose credentials a request carries: EC2 puts it into every session of an instance profile. */
export const CALLING_INSTANCE = '${ec2:SourceInstanceARN}';

export interface NodeRoleProps {
  cluster: string;
  /** ARN of the cluster's bucket. */
  bucketArn: string;
  /** ARN of the log group that takes the nodes’ journals, streams included (`…:*`). */
  logGroupArn: string;
  /** The user's own key for parameters and the bucket; none with AWS's own. */
  kmsKeyArn: string | undefined;
  /** ARNs of the repositories that nodes pull images from with this role. */
  ecrRepositories: readonly string[];
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
    const { cluster, bucketArn, logGroupArn, kmsKeyArn, ecrRepositories, ownTags } = props;
    this.role = new iam.Role(this, 'Role', {
      assumedBy: servicePrincipal('ec2'),
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
      {
        sid: 'ReadImages',
        actions: ['s3:GetObject'],
        resources: [`${bucketArn}/images/*`],
        why: WHY.folder,
      },
      {
        sid: 'KeepLogTails',
        actions: ['s3:PutObject'],
        resources: [`${bucketArn}/logs/${CALLING_INSTANCE}/*`],
        why: 'The folder of the very instance that writes: its names are made at run time',
      },
      { sid: 'ShipLogs', actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroupArn] },
      {
        sid: 'ReportPhase',
        actions: ['ec2:CreateTags'],
        resources: [instances],
        conditions: {
          ...this.onOwnTags,
          'ForAllValues:StringEquals': { 'aws:TagKeys': [TAG.phase, TAG.phaseAt] },
          ArnEquals: {
            'ec2:SourceInstanceARN': Stack.of(this).formatArn({
              service: 'ec2',
              resource: 'instance',
              resourceName: '${ec2:InstanceID}',
            }),
          },
        },
        why: 'The condition limits it to the very instance that asks',
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
    if (ecrRepositories.length > 0) {
      statements.push(
        {
          sid: 'LogInToEcr',
          actions: ['ecr:GetAuthorizationToken'],
          resources: ['*'],
          why: WHY.noResourceLevel,
        },
        {
          sid: 'PullImages',
          actions: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
          resources: [...ecrRepositories],
          why: 'Repositories that the configuration names; one that ends in * means all whose names begin so',
        },
      );
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
