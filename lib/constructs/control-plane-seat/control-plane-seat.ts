import { Construct } from 'constructs';
import type { SeatPlace } from '../../../core/config/addresses';
import { namesOf, TAG } from '../../../core/config/names';
import type { ClusterConfig } from '../../../core/config/schema';
import { renderUserData } from '../../node';
import { clusterNodeData, type NodeContext } from '../node-group/node-context';
import { NodeGroup } from '../node-group/node-group';
import { nodeImage } from '../node-group/node-image';
import { NodeLaunchTemplate } from '../node-group/node-launch-template';
import { NodeRole } from '../node-group/node-role';
import { seatGrants } from './seat-grants';

export interface ControlPlaneSeatProps {
  config: ClusterConfig;
  place: SeatPlace;
  context: NodeContext;
}

/** One member of the control plane: a zone, a fixed address, a state volume, and a group of at most one instance. */
export class ControlPlaneSeat extends Construct {
  readonly groupName: string;
  readonly group: NodeGroup;
  readonly role: NodeRole;

  constructor(scope: Construct, id: string, { config, place, context }: ControlPlaneSeatProps) {
    super(scope, id);
    const { controlPlane, name: cluster } = config;
    const seat = String(place.seat);
    const groupName = namesOf(cluster).seatGroup(place.seat);
    this.groupName = groupName;
    const own = { [TAG.seat]: seat };
    const tags = {
      [TAG.cluster]: cluster,
      [`kubernetes.io/cluster/${cluster}`]: 'owned',
      [TAG.role]: 'seat',
      ...own,
      ...(controlPlane.ingress && { [TAG.ingress]: 'true' }),
    };
    this.role = new NodeRole(this, 'Node', { ...context.roleProps, ownTags: own });
    const { bucketArn } = context.roleProps;
    for (const statement of seatGrants(this.role, { config, bucketArn, seat: place.seat })) this.role.allow(statement);
    const launchTemplate = new NodeLaunchTemplate(this, 'Launch', {
      name: groupName,
      imageId: nodeImage(this, { ami: controlPlane.ami, gpu: false }),
      instanceProfileArn: this.role.instanceProfile.attrArn,
      securityGroupIds: [
        context.securityGroups.seats.attrGroupId,
        ...(controlPlane.ingress ? [context.securityGroups.ingress.attrGroupId] : []),
      ],
      diskGiB: controlPlane.diskGiB,
      kmsKeyArn: config.encryption.kmsKeyArn,
      userData: renderUserData(
        {
          ...clusterNodeData(config, context),
          role: 'seat',
          seat: {
            index: place.seat,
            fixedIp: place.fixedIp,
            ingress: controlPlane.ingress,
            ...(config.access.length > 0 && { namedOperators: true }),
          },
        },
        context.nodeBundle,
      ),
      tags,
    });
    this.group = new NodeGroup(this, 'Instances', {
      name: groupName,
      launchTemplate,
      subnetIds: [context.subnetIds[place.zone] ?? ''],
      instanceTypes: controlPlane.instanceTypes,
      purchase: { onDemandPercent: 100, capacityRebalance: false },
      sizes: { min: 1, desired: 1, max: 1 },
      instanceTags: tags,
      groupTags: {},
      // join-node has nothing to do for a seat, except to give it the Elastic IP.
      ...(controlPlane.ingress && { launchMetadata: { role: 'seat', ingress: true } }),
    });
  }
}
