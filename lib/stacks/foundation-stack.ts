import { join } from 'node:path';
import { CfnOutput, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { seatPlaces } from '../../core/config/addresses';
import { namesOf } from '../../core/config/names';
import type { ClusterConfig } from '../../core/config/schema';
import { Network } from '../constructs/network/network';
import { StateVolume } from '../constructs/state-volume/state-volume';
import { ClusterBucket } from '../constructs/storage/cluster-bucket';
import { ClusterTable } from '../constructs/storage/cluster-table';

export interface FoundationStackProps extends StackProps {
  config: ClusterConfig;
  /** Folder of the bundled functions: `<name>/index.js`. */
  lambdas: string;
}

/** What outlives everything else: network, Elastic IP, state volumes, bucket, table. */
export class FoundationStack extends Stack {
  readonly network: Network;
  readonly elasticIp: ec2.CfnEIP;
  readonly bucket: ClusterBucket['bucket'];
  readonly table: ClusterTable['table'];

  constructor(scope: Construct, id: string, { config, lambdas, ...props }: FoundationStackProps) {
    super(scope, id, { terminationProtection: true, ...props });
    const names = namesOf(config.name);
    const { kmsKeyArn } = config.encryption;
    const key = kmsKeyArn ? Key.fromKeyArn(this, 'Key', kmsKeyArn) : undefined;
    const seats = seatPlaces(config);

    this.network = new Network(this, 'Network', {
      cluster: config.name,
      vpcCidr: config.vpcCidr,
      zones: config.zones,
      seats,
      reserveAddresses: { codePath: join(lambdas, 'reserve-addresses'), logRetentionDays: config.logRetentionDays },
    });
    this.elasticIp = new ec2.CfnEIP(this, 'ElasticIp', {
      domain: 'vpc',
      tags: [{ key: 'Name', value: `${config.name}-ingress` }],
    });
    this.elasticIp.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);
    const volumes = seats.map(
      (place) =>
        new StateVolume(this, `Seat${String(place.seat)}State`, {
          cluster: config.name,
          place,
          sizeGiB: config.controlPlane.stateVolumeGiB,
          kmsKeyArn,
        }),
    );
    this.bucket = new ClusterBucket(this, 'Bucket', {
      bucketName: names.bucket(this.account, this.region),
      // By name: the role is the cluster stack's, which comes later.
      deployerRoleArn: this.formatArn({
        service: 'iam',
        region: '',
        resource: 'role',
        resourceName: names.deployerRole(this.region),
      }),
      key,
    }).bucket;
    this.table = new ClusterTable(this, 'Table', { tableName: names.table, key }).table;

    new CfnOutput(this, 'ElasticIpAddress', { value: this.elasticIp.ref });
    new CfnOutput(this, 'ElasticIpId', { value: this.elasticIp.attrAllocationId });
    new CfnOutput(this, 'BucketName', { value: this.bucket.bucketName });
    new CfnOutput(this, 'TableName', { value: this.table.tableName });
    new CfnOutput(this, 'StateVolumeIds', { value: volumes.map(({ volumeId }) => volumeId).join(',') });
  }
}
