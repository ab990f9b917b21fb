import { DefaultStackSynthesizer, Stack, Token, Validations } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, type ISource } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { functionRole } from '../access/function-role';

export interface BucketUploadProps {
  bucket: IBucket;
  /** Laid into the bucket's root. What earlier deployments laid there stays. */
  sources: ISource[];
  /** Name of the role that uploads; the bucket lets no other write these folders. */
  roleName: string;
  /** Logs of the uploader. */
  logGroup: ILogGroup;
}

/** Lays files into the cluster's bucket at deployment, and leaves them there when the stack goes. */
export class BucketUpload extends Construct {
  constructor(scope: Construct, id: string, { bucket, sources, roleName, logGroup }: BucketUploadProps) {
    super(scope, id);
    const role = functionRole(this, {
      roleName,
      description: 'Lays node bundle and platform into the bucket',
      logGroup,
    });
    new BucketDeployment(this, 'Upload', {
      sources,
      destinationBucket: bucket,
      prune: false,
      role,
      retainOnDelete: true,
      logGroup,
    });
    acknowledgeUploader(this, role, bucket.bucketArn);
  }
}

/** What the library's own uploader does, which is not ours to change. */
function acknowledgeUploader(scope: Construct, role: Role, bucketArn: string): void {
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
  Validations.of(uploader).acknowledge({
    id: 'AwsSolutions-L1',
    reason: `${own}; the library chooses its runtime`,
  });
  Validations.of(role).acknowledge(
    ...[...findings, ...resources].map((finding) => ({
      id: `AwsSolutions-IAM5[${finding}]`,
      reason: own,
    })),
  );
}
