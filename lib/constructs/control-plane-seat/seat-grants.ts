import { Stack } from 'aws-cdk-lib';
import { namesOf } from '../../config/names';
import type { ClusterConfig } from '../../config/schema';
import { platformGrants } from '../../platform';
import { type Statement, WHY } from '../access/statement';
import type { NodeRole } from '../node-group/node-role';

/** What a seat may do beyond every node: take its volume and its address, hand out join tokens, keep snapshots. */
export function seatGrants(
  role: NodeRole,
  { config, bucketArn }: { config: ClusterConfig; bucketArn: string },
): Statement[] {
  const names = namesOf(config.name);
  const { account, region } = Stack.of(role);
  const parameter = (name: string) => role.parameterArn(name);
  return [
    {
      sid: 'FindVolumeAddressAndNodes',
      actions: ['ec2:DescribeInstances', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeVolumes'],
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
    {
      sid: 'TakeFixedAddress',
      actions: ['ec2:AssignPrivateIpAddresses'],
      resources: [role.ec2Arn('network-interface')],
      conditions: role.onOwnTags,
      why: WHY.ownTags,
    },
    {
      sid: 'WriteJoinTokens',
      actions: ['ssm:PutParameter'],
      resources: [parameter(`${names.joinParameterRoot}/*`)],
      why: WHY.folder,
    },
    {
      sid: 'ReadClusterRecords',
      actions: ['ssm:GetParameter'],
      resources: [names.snapshotKeyParameter, names.initializedParameter].map(parameter),
    },
    {
      sid: 'WriteClusterRecords',
      actions: ['ssm:PutParameter'],
      resources: [names.kubeconfigParameter, names.snapshotKeyParameter, names.initializedParameter].map(parameter),
    },
    {
      sid: 'KeepSnapshots',
      actions: ['s3:GetObject', 's3:PutObject'],
      resources: [`${bucketArn}/snapshots/*`],
      why: WHY.folder,
    },
    // The controllers on the control plane's host network act under the seat's role.
    ...platformGrants({ cluster: config.name, account, region, bucketArn }),
  ];
}
