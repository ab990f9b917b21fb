import { Fn } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { TAG } from '../../../core/config/names';

export interface NodeLaunchTemplateProps {
  name: string;
  imageId: string;
  instanceProfileArn: string;
  securityGroupIds: readonly string[];
  /** Size of the root disk, in GiB. */
  diskGiB: number;
  /** The user's own key for the root disk; AWS's free one without it. */
  kmsKeyArn: string | undefined;
  userData: string;
  /** Tags of instance, network interface and root disk; the seat's stays off the disk. */
  tags: Readonly<Record<string, string>>;
}

/** Device under which Ubuntu's images expect their root disk. */
const ROOT_DEVICE = '/dev/sda1';

/** How an instance of a group is made. */
export class NodeLaunchTemplate extends Construct {
  readonly template: ec2.CfnLaunchTemplate;

  constructor(scope: Construct, id: string, props: NodeLaunchTemplateProps) {
    super(scope, id);
    const toTags = (tags: Record<string, string>) => Object.entries(tags).map(([key, value]) => ({ key, value }));
    const tags = { Name: props.name, ...props.tags };
    // A seat finds its state volume by cluster and seat: a root disk that says the same would be a second one.
    const diskTags = Object.fromEntries(Object.entries(tags).filter(([key]) => key !== TAG.seat));
    this.template = new ec2.CfnLaunchTemplate(this, 'Template', {
      launchTemplateName: props.name,
      launchTemplateData: {
        imageId: props.imageId,
        iamInstanceProfile: { arn: props.instanceProfileArn },
        securityGroupIds: [...props.securityGroupIds],
        instanceInitiatedShutdownBehavior: 'terminate',
        // One hop: the role's credentials reach the node itself and its host network, never a pod.
        metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
        blockDeviceMappings: [
          {
            deviceName: ROOT_DEVICE,
            ebs: {
              volumeType: 'gp3',
              volumeSize: props.diskGiB,
              encrypted: true,
              deleteOnTermination: true,
              ...(props.kmsKeyArn && { kmsKeyId: props.kmsKeyArn }),
            },
          },
        ],
        // Permission conditions on the cluster's tag hold for calls that name a volume or an interface only if these
        // carry it too, not just the instance.
        tagSpecifications: [
          { resourceType: 'instance', tags: toTags(tags) },
          { resourceType: 'network-interface', tags: toTags(tags) },
          { resourceType: 'volume', tags: toTags(diskTags) },
        ],
        userData: Fn.base64(props.userData),
      },
    });
  }
}
