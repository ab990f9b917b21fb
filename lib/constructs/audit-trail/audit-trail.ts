import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { CfnTrail } from 'aws-cdk-lib/aws-cloudtrail';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { allow } from '../access/statement';
import { ClusterLogGroup } from '../logs/cluster-log-group';
import { AUDIT_QUERIES } from './audit-queries';
import { servicePrincipal } from '../access/service-principal';

export interface AuditTrailProps {
  cluster: string;
  /** Name of the cluster's bucket: writes of its objects are recorded. */
  bucketName: string;
  /** Days to keep the trail, in the bucket and in the log group. */
  retentionDays: number;
}

/** Management calls of the account and writes of the cluster's objects, kept where they cannot be changed unseen, with queries that answer questions. */
export class AuditTrail extends Construct {
  constructor(scope: Construct, id: string, { cluster, bucketName, retentionDays }: AuditTrailProps) {
    super(scope, id);
    const trailName = `${cluster}-audit`;
    const stack = Stack.of(this);
    const trailArn = stack.formatArn({ service: 'cloudtrail', resource: 'trail', resourceName: trailName });
    const bucket = this.makeBucket(trailArn, retentionDays);
    const logGroup = new ClusterLogGroup(this, 'Logs', { logGroupName: `/drowse/${cluster}/audit`, retentionDays });
    const role = new Role(this, 'Role', {
      assumedBy: servicePrincipal('cloudtrail'),
      description: `Trail ${trailName}`,
    });
    allow(role, {
      sid: 'WriteTrail',
      actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      resources: [logGroup.logGroupArn],
    });
    const trail = new CfnTrail(this, 'Trail', {
      trailName,
      isLogging: true,
      s3BucketName: bucket.bucketName,
      enableLogFileValidation: true,
      includeGlobalServiceEvents: true,
      cloudWatchLogsLogGroupArn: logGroup.logGroupArn,
      cloudWatchLogsRoleArn: role.roleArn,
      advancedEventSelectors: [
        { name: 'Management calls', fieldSelectors: [{ field: 'eventCategory', equalTo: ['Management'] }] },
        {
          name: 'Writes of objects in the cluster’s bucket',
          fieldSelectors: [
            { field: 'eventCategory', equalTo: ['Data'] },
            { field: 'resources.type', equalTo: ['AWS::S3::Object'] },
            { field: 'readOnly', equalTo: ['false'] },
            { field: 'resources.ARN', startsWith: [`arn:${stack.partition}:s3:::${bucketName}/`] },
          ],
        },
      ],
    });
    trail.node.addDependency(bucket, role);
    for (const [name, lines] of Object.entries(AUDIT_QUERIES)) {
      new CfnQueryDefinition(this, `Query-${name}`, {
        name: `drowse/${cluster}/${name}`,
        logGroupNames: [logGroup.logGroupName],
        queryString: lines.join('\n| '),
      });
    }
  }

  private makeBucket(trailArn: string, retentionDays: number): s3.Bucket {
    const bucket = new s3.Bucket(this, 'Bucket', {
      encryption: s3.BucketEncryption.S3_MANAGED,
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      versioned: true,
      lifecycleRules: [{ expiration: Duration.days(retentionDays), noncurrentVersionExpiration: Duration.days(7) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const cloudTrail = servicePrincipal('cloudtrail');
    const ofTrail = { 'aws:SourceArn': trailArn };
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TrailChecksBucket',
        principals: [cloudTrail],
        actions: ['s3:GetBucketAcl'],
        resources: [bucket.bucketArn],
        conditions: { StringEquals: ofTrail },
      }),
    );
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'TrailWrites',
        principals: [cloudTrail],
        actions: ['s3:PutObject'],
        resources: [`${bucket.bucketArn}/AWSLogs/${Stack.of(this).account}/*`],
        conditions: { StringEquals: { ...ofTrail, 's3:x-amz-acl': 'bucket-owner-full-control' } },
      }),
    );
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It is the audit log: logging its own access would need another such bucket, and so on',
    });
    return bucket;
  }
}
