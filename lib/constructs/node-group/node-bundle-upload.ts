import { DefaultStackSynthesizer, Stack, Validations } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { ClusterLogGroup } from '../logs/cluster-log-group';

export interface NodeBundleUploadProps {
  bucketName: string;
  /** ARN of the user's own key, if the bucket has one. */
  kmsKeyArn: string | undefined;
  /** Folder that is laid into the bucket's root: `node/<sha256>.tar.gz`. */
  directory: string;
  logRetentionDays: number;
}

/** The part of the bootstrap stack's names that CDK uses by default. */
const ASSETS_QUALIFIER = DefaultStackSynthesizer.DEFAULT_QUALIFIER;

/**
 * Puts the node bundle into the bucket at deployment. Older bundles stay, as instances that were made before fetch
 * theirs again at every boot.
 */
export class NodeBundleUpload extends Construct {
  readonly deployment: BucketDeployment;

  constructor(
    scope: Construct,
    id: string,
    { bucketName, kmsKeyArn, directory, logRetentionDays }: NodeBundleUploadProps,
  ) {
    super(scope, id);
    const bucket = Bucket.fromBucketAttributes(this, 'Target', {
      bucketName,
      ...(kmsKeyArn !== undefined && { encryptionKey: Key.fromKeyArn(this, 'Key', kmsKeyArn) }),
    });
    this.deployment = new BucketDeployment(this, 'Upload', {
      sources: [Source.asset(directory)],
      destinationBucket: bucket,
      prune: false,
      retainOnDelete: true,
      logGroup: new ClusterLogGroup(this, 'Logs', { retentionDays: logRetentionDays }),
    });
    this.acknowledge(bucket.bucketArn);
  }

  /** What the library's own uploader does, which is not ours to change. */
  private acknowledge(bucketArn: string): void {
    const uploader = Stack.of(this).node.children.find(({ node }) => node.id.startsWith('Custom::CDKBucketDeployment'));
    if (!uploader) return;
    const { account, region, partition } = Stack.of(this);
    const sources = [bucketArn, `arn:${partition}:s3:::cdk-${ASSETS_QUALIFIER}-assets-${account}-${region}`];
    const actions = ['GetBucket*', 'GetObject*', 'List*', 'Abort*', 'DeleteObject*'].map(
      (action) => `Action::s3:${action}`,
    );
    const own = 'The deployment’s own uploader, from the library: it copies from the asset bucket to the cluster’s';
    Validations.of(uploader).acknowledge(
      { id: 'AwsSolutions-L1', reason: `${own}; the library chooses its runtime` },
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
        reason: `${own}; it may write its own logs`,
      },
      ...[
        ...actions,
        ...sources.map((arn) => `Resource::${arn}/*`),
        'Action::kms:ReEncrypt*',
        'Action::kms:GenerateDataKey*',
      ].map((finding) => ({
        id: `AwsSolutions-IAM5[${finding}]`,
        reason: own,
      })),
    );
  }
}
