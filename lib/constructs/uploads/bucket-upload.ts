import { DefaultStackSynthesizer, Stack, Token, Validations } from 'aws-cdk-lib';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, type ISource } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';

export interface BucketUploadProps {
  bucket: IBucket;
  sources: ISource[];
  /** Folder of the bucket that becomes what the sources say; its root without it. */
  prefix?: string;
  /** True to delete what is not in the sources. */
  prune: boolean;
  /** Logs of the uploader, which all uploads of a stack share. */
  logGroup: ILogGroup;
}

/** Lays files into the cluster's bucket at deployment, and leaves them there when the stack goes. */
export class BucketUpload extends Construct {
  constructor(scope: Construct, id: string, { bucket, sources, prefix, prune, logGroup }: BucketUploadProps) {
    super(scope, id);
    new BucketDeployment(this, 'Upload', {
      sources,
      destinationBucket: bucket,
      ...(prefix !== undefined && { destinationKeyPrefix: prefix }),
      prune,
      retainOnDelete: true,
      logGroup,
    });
    acknowledgeUploader(this, bucket.bucketArn);
  }
}

/** What the library's own uploader does, which is not ours to change. */
function acknowledgeUploader(scope: Construct, bucketArn: string): void {
  const stack = Stack.of(scope);
  const uploader = stack.node.children.find(({ node }) => node.id.startsWith('Custom::CDKBucketDeployment'));
  if (!uploader) return;
  const { account, region, partition } = stack;
  const assets = `arn:${partition}:s3:::cdk-${DefaultStackSynthesizer.DEFAULT_QUALIFIER}-assets-${account}-${region}`;
  // Without an account (templates that fit any) the findings' names are not known; nobody looks for them then.
  const resources = [bucketArn, assets].filter((arn) => !Token.isUnresolved(arn)).map((arn) => `Resource::${arn}/*`);
  const findings = [
    ...['s3:GetBucket*', 's3:GetObject*', 's3:List*', 's3:Abort*', 's3:DeleteObject*'],
    ...['kms:ReEncrypt*', 'kms:GenerateDataKey*'],
  ].map((action) => `Action::${action}`);
  const own = 'The deployment’s own uploader, from the library: it copies from the asset bucket to the cluster’s';
  Validations.of(uploader).acknowledge(
    { id: 'AwsSolutions-L1', reason: `${own}; the library chooses its runtime` },
    {
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]',
      reason: `${own}; it may write its own logs`,
    },
    ...[...findings, ...resources].map((finding) => ({
      id: `AwsSolutions-IAM5[${finding}]`,
      reason: own,
    })),
  );
}
