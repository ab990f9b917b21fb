import type { Bucket, IBucket } from 'aws-cdk-lib/aws-s3';
import { BucketDeployment, Source } from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { ClusterLogGroup } from '../logs/cluster-log-group';

export interface NodeBundleUploadProps {
  bucket: Bucket;
  /** Folder that is laid into the bucket's root: `node/<sha256>.tar.gz`. */
  directory: string;
  logRetentionDays: number;
}

/**
 * Puts the node bundle into the bucket at deployment. Older bundles stay, as instances that were made before fetch
 * theirs again at every boot.
 */
export class NodeBundleUpload extends Construct {
  readonly deployment: BucketDeployment;

  constructor(scope: Construct, id: string, { bucket, directory, logRetentionDays }: NodeBundleUploadProps) {
    super(scope, id);
    this.deployment = new BucketDeployment(this, 'Upload', {
      sources: [Source.asset(directory)],
      // The library's own class misses its interface under exactOptionalPropertyTypes.
      destinationBucket: bucket as IBucket,
      prune: false,
      retainOnDelete: true,
      logGroup: new ClusterLogGroup(this, 'Logs', { retentionDays: logRetentionDays }),
    });
  }
}
