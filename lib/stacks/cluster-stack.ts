import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { ClusterLogGroup } from '../constructs/logs/cluster-log-group';
import { seatPlaces } from '../config/addresses';
import { namesOf } from '../config/names';
import type { ClusterConfig } from '../config/schema';
import { ApiTarget } from '../constructs/api-target/api-target';
import { RunCommands } from '../constructs/commands/run-commands';
import { ControlPlaneSeat } from '../constructs/control-plane-seat/control-plane-seat';
import { SecurityGroups } from '../constructs/network/security-groups';
import { NodeBundleUpload } from '../constructs/node-group/node-bundle-upload';
import type { NodeContext } from '../constructs/node-group/node-context';
import { NodePool } from '../constructs/node-pool/node-pool';
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
}

/** What nodes are made of: security groups, roles, launch templates, groups, commands. Deleting it loses no data. */
export class ClusterStack extends Stack {
  readonly securityGroups: SecurityGroups;
  readonly apiTarget: ApiTarget;
  readonly nodeLogs: ClusterLogGroup;
  /** Names of the groups whose launches join-node answers. */
  readonly launchingGroups: readonly string[];

  constructor(scope: Construct, id: string, { config, foundation, nodeBundle, ...props }: ClusterStackProps) {
    super(scope, id, props);
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
    const upload = new NodeBundleUpload(this, 'NodeBundle', {
      bucketName: names.bucket(this.account, this.region),
      kmsKeyArn: config.encryption.kmsKeyArn,
      directory: nodeBundle.directory,
      logRetentionDays,
    });

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

    this.launchingGroups = groups.filter(({ group }) => group.holdsLaunches).map(({ groupName }) => groupName);

    new CfnOutput(this, 'Groups', { value: groups.map(({ groupName }) => groupName).join(',') });
    new CfnOutput(this, 'ApiTargetGroupArn', { value: this.apiTarget.targetGroupArn });
  }
}
