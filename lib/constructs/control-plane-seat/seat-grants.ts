import { namesOf } from '../../config/names';
import type { ClusterConfig } from '../../config/schema';
import type { NodeRole } from '../node-group/node-role';

/** What a seat may do beyond every node: take its volume and its address, hand out join tokens, keep snapshots. */
export function grantSeat(role: NodeRole, { config, bucketArn }: { config: ClusterConfig; bucketArn: string }): void {
  const names = namesOf(config.name);
  const parameter = (name: string) => role.parameterArn(name);
  role.allow('FindVolumeAndInstances', ['ec2:DescribeInstances', 'ec2:DescribeVolumes'], ['*']);
  role.allow(
    'TakeOwnStateVolume',
    ['ec2:AttachVolume'],
    [role.ec2Arn('instance'), role.ec2Arn('volume')],
    role.onOwnTags,
  );
  role.allow('TakeFixedAddress', ['ec2:AssignPrivateIpAddresses'], [role.ec2Arn('network-interface')], role.onOwnTags);
  role.allow('WriteJoinTokens', ['ssm:PutParameter'], [parameter(`${names.joinParameterRoot}/*`)]);
  role.allow(
    'KeepClusterRecords',
    ['ssm:GetParameter', 'ssm:PutParameter'],
    [names.kubeconfigParameter, names.snapshotKeyParameter, `${names.parameterRoot}/initialized`].map(parameter),
  );
  role.allow('KeepSnapshots', ['s3:GetObject', 's3:PutObject'], [`${bucketArn}/snapshots/*`]);
  role.allow('ReadPlatform', ['s3:GetObject'], [`${bucketArn}/platform/*`]);
  role.allow('ListSnapshotsAndPlatform', ['s3:ListBucket'], [bucketArn], {
    StringLike: { 's3:prefix': ['snapshots/*', 'platform/*'] },
  });
}
