import { Stack } from 'aws-cdk-lib';
import { METRICS_NAMESPACE, namesOf, TAG } from '../../../core/config/names';
import type { ClusterConfig } from '../../../core/config/schema';
import { platformGrants } from '../../platform';
import { type Statement, WHY } from '../access/statement';
import type { NodeRole } from '../node-group/node-role';

/** What a seat may do beyond every node: take its volume and its address, hand out join tokens, keep snapshots. */
export function seatGrants(
  role: NodeRole,
  { config, bucketArn, seat }: { config: ClusterConfig; bucketArn: string; seat: number },
): Statement[] {
  const names = namesOf(config.name);
  const { account, region } = Stack.of(role);
  const parameter = (name: string) => role.parameterArn(name);
  return [
    {
      sid: 'FindVolumeAddressAndNodes',
      actions: [
        'autoscaling:DescribeAutoScalingInstances',
        'ec2:DescribeInstances',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeVolumes',
      ],
      resources: ['*'],
      why: WHY.noResourceLevel,
    },
    {
      sid: 'TakeOwnStateVolume',
      actions: ['ec2:AttachVolume'],
      resources: [role.ec2Arn('instance'), role.ec2Arn('volume')],
      conditions: role.onOwnTags,
      why: WHY.ownTags,
    },
    // EC2 decrypts the volume under a grant of the key, which it makes as the caller.
    ...(config.encryption.kmsKeyArn === undefined
      ? []
      : [
          {
            sid: 'OwnKeyForStateVolume',
            actions: ['kms:CreateGrant'],
            resources: [config.encryption.kmsKeyArn],
            conditions: { Bool: { 'kms:GrantIsForAWSResource': 'true' } },
          },
        ]),
    {
      sid: 'TakeFixedAddress',
      actions: ['ec2:AssignPrivateIpAddresses'],
      resources: [role.ec2Arn('network-interface')],
      conditions: role.onOwnTags,
      why: WHY.ownTags,
    },
    {
      sid: 'ReportApi',
      actions: ['cloudwatch:PutMetricData'],
      resources: ['*'],
      conditions: { StringEquals: { 'cloudwatch:namespace': METRICS_NAMESPACE } },
      why: 'Limited to our namespace; AWS knows no resource-level permission for it',
    },
    {
      sid: 'WriteJoinTokens',
      actions: ['ssm:PutParameter', 'ssm:DeleteParameter'],
      resources: [parameter(`${names.joinParameterRoot}/*`)],
      why: WHY.folder,
    },
    {
      // Who may read one is said as it is made, and never changed.
      sid: 'SayWhoseJoinTokenItIs',
      actions: ['ssm:AddTagsToResource'],
      resources: [parameter(`${names.joinParameterRoot}/*`)],
      conditions: { 'ForAllValues:StringEquals': { 'aws:TagKeys': [TAG.onlyFor] } },
      why: WHY.folder,
    },
    {
      sid: 'ReadClusterRecords',
      actions: ['ssm:GetParameter'],
      resources: [names.snapshotKeyParameter, names.initializedParameter, names.volumeParameter(seat)].map(parameter),
    },
    {
      sid: 'WriteClusterRecords',
      actions: ['ssm:PutParameter'],
      resources: [names.kubeconfigParameter, names.runningParameter].map(parameter),
    },
    {
      // Whoever takes a seat must not lock up the snapshots of the past, nor say that this is another cluster.
      sid: 'WriteOnceForAll',
      actions: ['ssm:PutParameter'],
      resources: [names.snapshotKeyParameter, names.initializedParameter].map(parameter),
      conditions: { StringNotEquals: { 'ssm:Overwrite': 'true' } },
    },
    {
      sid: 'KeepSnapshots',
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [`${bucketArn}/snapshots/*`],
      why: WHY.folder,
    },
    {
      sid: 'KeepFluxArtifacts',
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [`${bucketArn}/flux/artifacts.tar.gz`],
    },
    {
      sid: 'KeepImages',
      actions: ['s3:PutObject', 's3:DeleteObject'],
      resources: [`${bucketArn}/images/*`],
      why: WHY.folder,
    },
    {
      sid: 'ListImages',
      actions: ['s3:ListBucket'],
      resources: [bucketArn],
      conditions: { StringEquals: { 's3:prefix': 'images/' } },
    },
    // The controllers on the control plane's host network act under the seat's role.
    ...platformGrants({ cluster: config.name, account, region, bucketArn }),
  ];
}
