import { Construct } from 'constructs';
import { namesOf, TAG } from '../../../core/config/names';
import type { ClusterConfig, PoolConfig } from '../../../core/config/schema';
import { labelsOfPool, renderUserData } from '../../node';
import { clusterNodeData, type NodeContext } from '../node-group/node-context';
import { NodeGroup, type Purchase } from '../node-group/node-group';
import { nodeImage } from '../node-group/node-image';
import { NodeLaunchTemplate } from '../node-group/node-launch-template';
import { CALLING_INSTANCE, NodeRole } from '../node-group/node-role';
import { autoscalerTags } from './autoscaler-tags';

export interface NodePoolProps {
  config: ClusterConfig;
  pool: PoolConfig;
  context: NodeContext;
}

/**
 * An Auto Scaling group has no "spot, else on-demand": its shares are fixed. So spot-with-fallback is a spot group
 * whose on-demand share a workflow raises while spot has nothing, found by the group's market tag; see
 * docs/adr/spot-with-fallback.md.
 */
const PURCHASE: Readonly<Record<PoolConfig['market'], Purchase>> = {
  spot: { onDemandPercent: 0, capacityRebalance: true },
  'on-demand': { onDemandPercent: 100, capacityRebalance: false },
  'spot-with-fallback': { onDemandPercent: 0, capacityRebalance: true },
};

/** A group of equal worker nodes. */
export class NodePool extends Construct {
  readonly groupName: string;
  readonly group: NodeGroup;
  readonly role: NodeRole;

  constructor(scope: Construct, id: string, { config, pool, context }: NodePoolProps) {
    super(scope, id);
    const cluster = config.name;
    const names = namesOf(cluster);
    const groupName = names.poolGroup(pool.name);
    this.groupName = groupName;
    const own = { [TAG.pool]: pool.name };
    const tags = {
      [TAG.cluster]: cluster,
      [`kubernetes.io/cluster/${cluster}`]: 'owned',
      [TAG.role]: 'pool',
      ...own,
      ...(pool.ingress && { [TAG.ingress]: 'true' }),
    };
    this.role = new NodeRole(this, 'Node', { ...context.roleProps, ownTags: own });
    this.role.allow({
      sid: 'ReadOwnJoinToken',
      actions: ['ssm:GetParameter'],
      resources: [this.role.parameterArn(names.joinParameter(pool.name, '*'))],
      conditions: { StringEquals: { [`aws:ResourceTag/${TAG.onlyFor}`]: CALLING_INSTANCE } },
      why: 'The condition limits it to the parameter that was written for the very instance that asks',
    });
    const launchTemplate = new NodeLaunchTemplate(this, 'Launch', {
      name: groupName,
      imageId: nodeImage(this, pool),
      instanceProfileArn: this.role.instanceProfile.attrArn,
      securityGroupIds: [
        context.securityGroups.pools.attrGroupId,
        ...(pool.ingress ? [context.securityGroups.ingress.attrGroupId] : []),
      ],
      diskGiB: pool.diskGiB,
      kmsKeyArn: config.encryption.kmsKeyArn,
      userData: renderUserData(
        {
          ...clusterNodeData(config, context),
          role: 'pool',
          pool: {
            name: pool.name,
            labels: labelsOfPool(pool),
            taints: pool.taints,
            gpu: pool.gpu,
            ingress: pool.ingress,
          },
        },
        context.nodeBundle,
      ),
      tags,
    });
    this.group = new NodeGroup(this, 'Instances', {
      name: groupName,
      launchTemplate,
      subnetIds: Object.values(context.subnetIds),
      instanceTypes: pool.instanceTypes,
      purchase: PURCHASE[pool.market],
      sizes: pool,
      instanceTags: tags,
      groupTags: {
        [TAG.sleep]: pool.sleep,
        [TAG.market]: pool.market,
        ...(pool.gpu && { [TAG.gpu]: 'true' }),
        ...autoscalerTags(config, pool),
      },
      launchMetadata: { role: 'pool', pool: pool.name, ingress: pool.ingress },
    });
  }
}
