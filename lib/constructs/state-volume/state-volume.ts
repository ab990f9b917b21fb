import { CfnDeletionPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { CfnParameter as SsmParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { namesOf, TAG } from '../../../core/config/names';
import { EXPLICIT_ZONES } from '../network/explicit-zones';
import type { SeatPlace } from '../../../core/config/addresses';

export interface StateVolumeProps {
  cluster: string;
  place: SeatPlace;
  sizeGiB: number;
  /** The user's own key; AWS's free one without it. */
  kmsKeyArn: string | undefined;
}

/**
 * The disk that holds one control-plane seat's etcd data and authorities: all of the cluster that outlives its
 * instances. Deleting the stack keeps it; a change that needs another volume leaves a snapshot instead of a second
 * volume with the same tags, between which a seat could not tell (docs/adr/state-volumes-retained-and-snapshotted.md).
 */
export class StateVolume extends Construct {
  readonly volumeId: string;

  constructor(scope: Construct, id: string, { cluster, place, sizeGiB, kmsKeyArn }: StateVolumeProps) {
    super(scope, id);
    Validations.of(this).acknowledge(EXPLICIT_ZONES);
    const volume = new ec2.CfnVolume(this, 'Volume', {
      availabilityZone: `${Stack.of(this).region}${place.zone}`,
      volumeType: 'gp3',
      size: sizeGiB,
      encrypted: true,
      ...(kmsKeyArn && { kmsKeyId: kmsKeyArn }),
      tags: [
        { key: 'Name', value: `${cluster}-seat-${String(place.seat)}-state` },
        { key: TAG.seat, value: String(place.seat) },
        { key: `kubernetes.io/cluster/${cluster}`, value: 'owned' },
      ],
    });
    volume.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE;
    volume.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.SNAPSHOT;
    this.volumeId = volume.ref;
    new SsmParameter(this, 'Parameter', {
      name: namesOf(cluster).volumeParameter(place.seat),
      description: `State volume of seat ${String(place.seat)}, as a deployment made it`,
      type: 'String',
      value: volume.ref,
    });
  }
}
