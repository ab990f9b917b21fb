import { namesOf, TAG } from '../../core/config/names';
import { partitionOf } from '../../core/facts/regions';

/** One statement of the seats' role. */
export interface Grant {
  /** Name of the statement; the access tests and the audit's queries show it. */
  sid: string;
  actions: string[];
  resources: string[];
  conditions?: Record<string, Record<string, string | string[]>>;
  /** Who in the cluster needs it, and for what. */
  why: string;
}

/** Where the cluster is; parts of the ARNs, tokens at synthesis. */
export interface Place {
  cluster: string;
  account: string;
  region: string;
  bucketArn: string;
}

/**
 * What the platform's controllers do in AWS. They run on a seat's host network, under its role (pods elsewhere reach no
 * metadata service), so all of it is the seats'. Describing has no resource-level permissions; whatever changes something is
 * tied to the cluster's tag.
 */
export function platformGrants({ cluster, account, region, bucketArn }: Place): Grant[] {
  const names = namesOf(cluster);
  const partition = partitionOf(region);
  const ec2 = (type: string) => `arn:${partition}:ec2:${region}:${account}:${type}/*`;
  const ofCluster = { StringEquals: { [`aws:ResourceTag/${TAG.cluster}`]: cluster } };
  // A second volume that looked like a seat's would keep that seat from finding its own.
  const asNoSeat = { Null: { [`aws:RequestTag/${TAG.seat}`]: 'true' } };
  const asCluster = { StringEquals: { [`aws:RequestTag/${TAG.cluster}`]: cluster } };
  // A state volume carries the cluster's tag as well, and belongs to its seat alone.
  const madeByDriver = {
    StringEquals: { ...ofCluster.StringEquals, 'aws:ResourceTag/ebs.csi.aws.com/cluster': 'true' },
  };
  return [
    {
      sid: 'SeatsReadTree',
      actions: ['s3:GetObject'],
      resources: [`${bucketArn}/platform/*`],
      why: 'Node scripts fetch the platform’s tree for Flux',
    },
    {
      sid: 'SeatsReadDeployment',
      actions: ['ssm:GetParameter'],
      resources: [`arn:${partition}:ssm:${region}:${account}:parameter${names.platformParameter}`],
      why: 'Node scripts read which tree a deployment named, by its digest',
    },
    {
      sid: 'SeatsSeeWhatIsMissing',
      actions: ['s3:ListBucket'],
      resources: [bucketArn],
      // Listing carries a prefix; whether one object exists is asked without.
      conditions: { Null: { 's3:prefix': 'true' } },
      why: 'An object that is not there is told from one that is forbidden',
    },
    {
      sid: 'CloudControllerSeesNodes',
      actions: [
        'ec2:DescribeInstances',
        'ec2:DescribeInstanceTopology',
        'ec2:DescribeAvailabilityZones',
        'ec2:DescribeVpcs',
        'ec2:DescribeSubnets',
        'ec2:DescribeRegions',
      ],
      resources: ['*'],
      why: 'AWS cloud controller sets addresses, zone and instance type of nodes, and removes those that are gone; certificates are approved by what EC2 shows',
    },
    {
      sid: 'CloudControllerTagsInstances',
      actions: ['ec2:CreateTags'],
      resources: [ec2('instance')],
      // Never our own tags: permission conditions go by them.
      conditions: { ...ofCluster, 'ForAllValues:StringNotLike': { 'aws:TagKeys': ['drowse:*'] } },
      why: 'AWS cloud controller tags instances of nodes',
    },
    {
      sid: 'AutoscalerSeesGroups',
      actions: [
        'autoscaling:DescribeAutoScalingGroups',
        'autoscaling:DescribeAutoScalingInstances',
        'autoscaling:DescribeLaunchConfigurations',
        'autoscaling:DescribeScalingActivities',
        'autoscaling:DescribeTags',
        'ec2:DescribeImages',
        'ec2:DescribeInstanceTypes',
        'ec2:DescribeLaunchTemplateVersions',
        'ec2:GetInstanceTypesFromInstanceRequirements',
      ],
      resources: ['*'],
      why: 'Cluster Autoscaler and the termination handler find groups and what a node of them would be',
    },
    {
      sid: 'AutoscalerScalesPools',
      actions: ['autoscaling:SetDesiredCapacity', 'autoscaling:TerminateInstanceInAutoScalingGroup'],
      resources: [
        `arn:${partition}:autoscaling:${region}:${account}:autoScalingGroup:*:autoScalingGroupName/${names.poolGroup('*')}`,
      ],
      conditions: { StringEquals: { [`autoscaling:ResourceTag/${TAG.cluster}`]: cluster } },
      why: 'Cluster Autoscaler adds and removes pool nodes',
    },
    {
      sid: 'TerminationHandlerReadsNotices',
      actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage'],
      resources: [`arn:${partition}:sqs:${region}:${account}:${names.interruptionQueue}`],
      why: 'Node termination handler hears of spot interruptions',
    },
    {
      sid: 'VolumesAreSeen',
      actions: ['ec2:DescribeVolumes', 'ec2:DescribeVolumesModifications', 'ec2:DescribeSnapshots', 'ec2:DescribeTags'],
      resources: ['*'],
      why: 'EBS CSI driver follows its volumes',
    },
    {
      sid: 'VolumesAreMade',
      actions: ['ec2:CreateVolume'],
      resources: [ec2('volume')],
      conditions: { ...asCluster, ...asNoSeat },
      why: 'EBS CSI driver makes volumes, with the cluster’s tag and never a seat’s',
    },
    {
      sid: 'VolumesAreTaggedWhenMade',
      actions: ['ec2:CreateTags'],
      resources: [ec2('volume')],
      conditions: { StringEquals: { 'ec2:CreateAction': 'CreateVolume' }, ...asNoSeat },
      why: 'EBS CSI driver tags a volume in the call that makes it',
    },
    {
      sid: 'VolumesAreUsed',
      actions: ['ec2:AttachVolume', 'ec2:DetachVolume', 'ec2:ModifyVolume'],
      resources: [ec2('volume')],
      conditions: madeByDriver,
      why: 'EBS CSI driver attaches, detaches and grows volumes that it made itself',
    },
    {
      sid: 'VolumesAreUsedOnNodes',
      actions: ['ec2:AttachVolume', 'ec2:DetachVolume'],
      resources: [ec2('instance')],
      conditions: ofCluster,
      why: 'EBS CSI driver attaches volumes to instances of the cluster',
    },
    {
      sid: 'VolumesAreDeleted',
      actions: ['ec2:DeleteVolume'],
      resources: [ec2('volume')],
      conditions: madeByDriver,
      why: 'EBS CSI driver deletes volumes that it made itself',
    },
    {
      sid: 'AlertsArePublished',
      actions: ['sns:Publish'],
      resources: [`arn:${partition}:sns:${region}:${account}:${names.notificationTopic}`],
      why: 'Alertmanager tells people',
    },
    {
      sid: 'PlatformSecretsAreRead',
      actions: ['ssm:GetParameter'],
      resources: ['cloudflare-token', 'git-credentials'].map(
        (name) => `arn:${partition}:ssm:${region}:${account}:parameter${names.parameterRoot}/${name}`,
      ),
      why: 'Node scripts make Secrets of them',
    },
  ];
}
