import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Source } from 'aws-cdk-lib/aws-s3-deployment';
import type { Construct } from 'constructs';
import { ClusterLogGroup } from '../constructs/logs/cluster-log-group';
import { seatPlaces } from '../config/addresses';
import { namesOf } from '../config/names';
import type { ClusterConfig } from '../config/schema';
import { ApiTarget } from '../constructs/api-target/api-target';
import { RunCommands } from '../constructs/commands/run-commands';
import { ControlPlaneSeat } from '../constructs/control-plane-seat/control-plane-seat';
import { SecurityGroups } from '../constructs/network/security-groups';
import { Interruptions } from '../constructs/interruptions/interruptions';
import type { NodeContext } from '../constructs/node-group/node-context';
import { NodePool } from '../constructs/node-pool/node-pool';
import { BucketUpload } from '../constructs/uploads/bucket-upload';
import { clusterManifest } from '../platform';
import type { BundleReference } from '../node';
import type { FoundationStack } from './foundation-stack';

/** The node bundle on this machine: what to upload, and where instances find it. */
export interface NodeBundleAsset extends BundleReference {
  /** Folder to lay into the bucket's root. */
  directory: string;
}

export interface ClusterStackProps extends StackProps {
  config: ClusterConfig;
  foundation: FoundationStack;
  nodeBundle: NodeBundleAsset;
  /** The platform's tree on this machine. */
  platform: { directory: string };
}

/** What nodes are made of: security groups, roles, launch templates, groups, commands. Deleting it loses no data. */
export class ClusterStack extends Stack {
  readonly securityGroups: SecurityGroups;
  readonly apiTarget: ApiTarget;
  readonly nodeLogs: ClusterLogGroup;
  /** Names of all groups. */
  readonly groupNames: readonly string[];
  /** Names of the groups whose launches join-node answers. */
  readonly launchingGroups: readonly string[];

  constructor(scope: Construct, id: string, props: ClusterStackProps) {
    super(scope, id, props);
    const { config, foundation, nodeBundle } = props;
    const cluster = config.name;
    const names = namesOf(cluster);
    const { network } = foundation;
    const seats = seatPlaces(config);
    const logRetentionDays = config.logRetentionDays;

    this.securityGroups = new SecurityGroups(this, 'Access', {
      cluster,
      vpcId: network.vpcId,
      operatorCidrs: config.apiAccess === 'load-balancer' ? config.operatorCidrs : [],
    });
    this.apiTarget = new ApiTarget(this, 'Api', { cluster, vpcId: network.vpcId, seats });
    this.nodeLogs = new ClusterLogGroup(this, 'NodeLogs', {
      logGroupName: names.nodeLogGroup,
      retentionDays: logRetentionDays,
    });
    new RunCommands(this, 'Commands', { cluster });
    new Interruptions(this, 'Interruptions', { queueName: names.interruptionQueue });
    const upload = this.upload(props);

    const context: NodeContext = {
      securityGroups: this.securityGroups,
      subnetIds: network.subnetIds,
      bucketName: names.bucket(this.account, this.region),
      logGroupName: names.nodeLogGroup,
      nodeBundle,
      roleProps: {
        cluster,
        // By name, so that nothing of the foundation is locked by an export that a policy needs.
        bucketArn: `arn:${this.partition}:s3:::${names.bucket(this.account, this.region)}`,
        logGroupArn: this.nodeLogs.logGroupArn,
        kmsKeyArn: config.encryption.kmsKeyArn,
      },
    };
    const groups = [
      ...seats.map((place) => new ControlPlaneSeat(this, `Seat${String(place.seat)}`, { config, place, context })),
      ...config.pools.map((pool) => new NodePool(this, `Pool-${pool.name}`, { config, pool, context })),
    ];
    for (const { group } of groups) group.node.addDependency(upload);

    this.groupNames = groups.map(({ groupName }) => groupName);
    this.launchingGroups = groups.filter(({ group }) => group.holdsLaunches).map(({ groupName }) => groupName);

    new CfnOutput(this, 'Groups', { value: this.groupNames.join(',') });
    new CfnOutput(this, 'ApiTargetGroupArn', { value: this.apiTarget.targetGroupArn });
  }

  /** Lays the node bundle and the platform's tree into the bucket; nodes fetch the first at every boot. */
  private upload({ config, foundation, nodeBundle, platform }: ClusterStackProps): BucketUpload {
    const { kmsKeyArn } = config.encryption;
    const bucketName = namesOf(config.name).bucket(this.account, this.region);
    const bucket = Bucket.fromBucketAttributes(this, 'Bucket', {
      bucketName,
      ...(kmsKeyArn !== undefined && { encryptionKey: Key.fromKeyArn(this, 'Key', kmsKeyArn) }),
    });
    const logGroup = new ClusterLogGroup(this, 'UploadLogs', { retentionDays: config.logRetentionDays });
    const deployed = { account: this.account, bucketName, elasticIp: foundation.elasticIp.ref };
    new BucketUpload(this, 'Platform', {
      bucket,
      sources: [
        Source.asset(platform.directory),
        Source.jsonData('bootstrap/cluster.json', clusterManifest(config, deployed)),
      ],
      prefix: 'platform',
      prune: true,
      logGroup,
    });
    // Older bundles stay, as instances that were made before fetch theirs again.
    return new BucketUpload(this, 'NodeBundle', {
      bucket,
      sources: [Source.asset(nodeBundle.directory)],
      prune: false,
      logGroup,
    });
  }
}
