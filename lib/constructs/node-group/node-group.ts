import { Validations } from 'aws-cdk-lib';
import * as autoscaling from 'aws-cdk-lib/aws-autoscaling';
import { Construct } from 'constructs';
import { LAUNCH_HOOK, TAG } from '../../../core/config/names';
import type { NodeLaunchTemplate } from './node-launch-template';

export interface NodeGroupProps {
  name: string;
  launchTemplate: NodeLaunchTemplate;
  subnetIds: readonly string[];
  /** In order of preference. */
  instanceTypes: readonly string[];
  purchase: Purchase;
  /** Configured sizes: written down as tags, from which the workflows read them. */
  sizes: { min: number; desired: number; max: number };
  /** Tags of the group that its instances get too. */
  instanceTags: Readonly<Record<string, string>>;
  /** Tags of the group alone. */
  groupTags: Readonly<Record<string, string>>;
  /** What the launch hook tells join-node; no hook without it. */
  launchMetadata?: Readonly<Record<string, unknown>>;
}

/** How a group buys its capacity. */
export interface Purchase {
  /** Share of on-demand instances, in percent: 0 or 100. */
  onDemandPercent: number;
  /** Replace spot instances ahead of an announced interruption. */
  capacityRebalance: boolean;
}

/** How long an instance may take to join before its launch counts as failed, in seconds. */
const LAUNCH_HEARTBEAT_SECONDS = 1800;

/**
 * An Auto Scaling group that a deployment leaves empty: the template says neither the desired size nor a minimum, so
 * that a deployment starts nothing and never undoes what sleep, wake or Cluster Autoscaler decided since.
 */
export class NodeGroup extends Construct {
  readonly group: autoscaling.CfnAutoScalingGroup;
  /** True if a launch hook holds its instances until join-node answers. */
  readonly holdsLaunches: boolean;

  constructor(scope: Construct, id: string, props: NodeGroupProps) {
    super(scope, id);
    const { name, launchTemplate, purchase, sizes } = props;
    this.holdsLaunches = props.launchMetadata !== undefined;
    const configured = {
      [TAG.min]: String(sizes.min),
      [TAG.desired]: String(sizes.desired),
      [TAG.max]: String(sizes.max),
    };
    this.group = new autoscaling.CfnAutoScalingGroup(this, 'Group', {
      autoScalingGroupName: name,
      minSize: '0',
      maxSize: String(sizes.max),
      vpcZoneIdentifier: [...props.subnetIds],
      healthCheckType: 'EC2',
      capacityRebalance: purchase.capacityRebalance,
      mixedInstancesPolicy: {
        launchTemplate: {
          launchTemplateSpecification: {
            launchTemplateId: launchTemplate.template.ref,
            version: launchTemplate.template.attrLatestVersionNumber,
          },
          overrides: props.instanceTypes.map((instanceType) => ({ instanceType })),
        },
        instancesDistribution: {
          onDemandBaseCapacity: 0,
          onDemandPercentageAboveBaseCapacity: purchase.onDemandPercent,
          onDemandAllocationStrategy: 'prioritized',
          spotAllocationStrategy: 'capacity-optimized-prioritized',
        },
      },
      ...(props.launchMetadata && {
        // In the group's own list: a hook made after the group would miss the first instance.
        lifecycleHookSpecificationList: [
          {
            lifecycleHookName: LAUNCH_HOOK,
            lifecycleTransition: 'autoscaling:EC2_INSTANCE_LAUNCHING',
            heartbeatTimeout: LAUNCH_HEARTBEAT_SECONDS,
            defaultResult: 'ABANDON',
            notificationMetadata: JSON.stringify(props.launchMetadata),
          },
        ],
      }),
      tags: [
        ...toTags({ Name: name, ...props.instanceTags }, true),
        ...toTags({ ...configured, ...props.groupTags }, false),
      ],
    });
    Validations.of(this.group).acknowledge(
      {
        id: 'AwsSolutions-AS3',
        reason: 'Notifications of each scaling event would be noise: workflows and alarms report what matters',
      },
      {
        id: 'AwsSolutions-EC26',
        reason: 'The rule does not look into a mixed instances policy; the launch template encrypts its disks (tested)',
      },
    );
  }
}

function toTags(tags: Readonly<Record<string, string>>, propagateAtLaunch: boolean) {
  return Object.entries(tags).map(([key, value]) => ({ key, value, propagateAtLaunch }));
}
