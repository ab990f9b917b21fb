import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

export interface ClusterBucketProps {
  bucketName: string;
  /** ARN of the role that lays node bundle and platform into the bucket. */
  deployerRoleArn: string;
  /** The user's own key; S3's free one without it. */
  key: IKey | undefined;
}

/** What nodes run and what seats apply as cluster-admin: only a deployment writes it, whatever else a role may. */
const DEPLOYED_FOLDERS = ['node', 'platform'];

/** The cluster's one bucket: node bundle, platform tree, etcd snapshots, log tails. It outlives the stacks. */
export class ClusterBucket extends Construct {
  readonly bucket: s3.Bucket;

  constructor(scope: Construct, id: string, { bucketName, deployerRoleArn, key }: ClusterBucketProps) {
    super(scope, id);
    this.bucket = new s3.Bucket(this, 'Bucket', {
      bucketName,
      ...(key
        ? { encryption: s3.BucketEncryption.KMS, encryptionKey: key, bucketKeyEnabled: true }
        : { encryption: s3.BucketEncryption.S3_MANAGED }),
      blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
      objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      // A snapshot that a mistake or an intruder on a seat deletes can be brought back for a month.
      versioned: true,
      lifecycleRules: [
        {
          id: 'forget-old-versions',
          noncurrentVersionExpiration: Duration.days(30),
          abortIncompleteMultipartUploadAfter: Duration.days(1),
          expiredObjectDeleteMarker: true,
        },
        { id: 'forget-logs', prefix: 'logs/', expiration: Duration.days(30) },
      ],
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'OnlyADeploymentWritesWhatNodesRun',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:DeleteObject', 's3:DeleteObjectVersion', 's3:PutObject', 's3:ReplicateObject'],
        resources: DEPLOYED_FOLDERS.map((folder) => this.bucket.arnForObjects(`${folder}/*`)),
        conditions: { ArnNotEquals: { 'aws:PrincipalArn': deployerRoleArn } },
      }),
    );
    // CDK's uploader asks for the whole bucket, snapshots and sealed authorities included.
    this.bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ADeploymentWritesNothingElse',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['s3:AbortMultipartUpload', 's3:DeleteObject*', 's3:PutObject*'],
        notResources: DEPLOYED_FOLDERS.map((folder) => this.bucket.arnForObjects(`${folder}/*`)),
        conditions: { ArnEquals: { 'aws:PrincipalArn': deployerRoleArn } },
      }),
    );
    Validations.of(this.bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Access logs would need a second bucket; the audit stack records who changed what, readers are roles of ours',
    });
  }
}
