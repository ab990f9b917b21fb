import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Source } from 'aws-cdk-lib/aws-s3-deployment';
import { CfnParameter as SsmParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import { ClusterLogGroup } from '../constructs/logs/cluster-log-group';
import { seatPlaces } from '../../core/config/addresses';
import { namesOf } from '../../core/config/names';
import type { ClusterConfig } from '../../core/config/schema';
import { ecrRepositoriesOf } from '../../core/config/registries';
import { ApiTarget } from '../constructs/api-target/api-target';
import { RunCommands } from '../constructs/commands/run-commands';
import { ControlPlaneSeat } from '../constructs/control-plane-seat/control-plane-seat';
import { SecurityGroups } from '../constructs/network/security-groups';
import { Interruptions } from '../constructs/interruptions/interruptions';
import type { NodeContext } from '../constructs/node-group/node-context';
import { NodePool } from '../constructs/node-pool/node-pool';
import { BucketUpload } from '../constructs/uploads/bucket-upload';
import { platformParameter } from '../platform';
import type { BundleReference } from '../node';
import type { FoundationStack } from './foundation-stack';

/** The node bundle on this machine: what to upload, and which of it instances run. */
export interface NodeBundleAsset extends BundleReference {
  /** Folder to lay into the bucket's root. */
  directory: string;
}

export interface ClusterStackProps extends StackProps {
  config: ClusterConfig;
  foundation: FoundationStack;
  nodeBundle: NodeBundleAsset;
  /** The platform's tree, which lies in the node bundle's folder, by its digest. */
  platform: { sha256: string };
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
        ecrRepositories: ecrRepositoriesOf(config),
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

  /** Lays the node bundle and the platform's tree into the bucket; which ones count is said where nodes cannot write. */
  private upload({ config, foundation, nodeBundle, platform }: ClusterStackProps): BucketUpload {
    const { kmsKeyArn } = config.encryption;
    const names = namesOf(config.name);
    const bucket = Bucket.fromBucketAttributes(this, 'Bucket', {
      bucketName: names.bucket(this.account, this.region),
      ...(kmsKeyArn !== undefined && { encryptionKey: Key.fromKeyArn(this, 'Key', kmsKeyArn) }),
    });
    const upload = new BucketUpload(this, 'Bundles', {
      bucket,
      roleName: names.deployerRole(this.region),
      sources: [Source.asset(nodeBundle.directory)],
      logGroup: new ClusterLogGroup(this, 'UploadLogs', { retentionDays: config.logRetentionDays }),
    });
    const deployed = { account: this.account, elasticIp: foundation.elasticIp.ref };
    const parameter = new SsmParameter(this, 'Platform', {
      name: names.platformParameter,
      description: 'What seats apply: digest of the platform’s tree, and what tells Flux about this cluster',
      type: 'String',
      // 4 KB are free; many pools or long names may need more.
      tier: 'Intelligent-Tiering',
      value: this.toJsonString(platformParameter(config, deployed, platform.sha256)),
    });
    // Nobody may be sent for a tree that is not there yet.
    parameter.node.addDependency(upload);
    return upload;
  }
}
