import { DescribeImagesCommand, DescribeLaunchTemplateVersionsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { Group } from './groups';

/**
 * Why a group could not launch: its launch template, or the template's image, does not exist, or the template's disk is
 * smaller than the image's. Undefined if all is well, as far as AWS says.
 */
export async function describeImageProblem(ec2: EC2Client, group: Group): Promise<string | undefined> {
  const template = group.launchTemplate;
  if (!template) return `launch template of group ${group.name}`;
  const data = await unlessMissing(async () => {
    const { LaunchTemplateVersions } = await ec2.send(
      new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: template.id, Versions: [template.version] }),
    );
    return LaunchTemplateVersions?.[0]?.LaunchTemplateData;
  });
  const imageId = data?.ImageId;
  if (imageId === undefined) return `launch template ${template.id} of group ${group.name}`;
  const image = await unlessMissing(async () => {
    const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
    return Images?.[0];
  });
  if (image?.ImageId === undefined) return `image ${imageId} of group ${group.name}`;
  const sizeOf = (mappings: readonly Mapping[] = []) =>
    mappings.find(({ DeviceName }) => DeviceName === image.RootDeviceName)?.Ebs?.VolumeSize;
  return describeDiskProblem(group, {
    imageId,
    diskGiB: sizeOf(data?.BlockDeviceMappings),
    imageGiB: sizeOf(image.BlockDeviceMappings),
  });
}

/** A disk of an image or of a launch template. */
interface Mapping {
  DeviceName?: string | undefined;
  Ebs?: { VolumeSize?: number | undefined } | undefined;
}

/** AWS launches nothing from a snapshot that is larger than the disk (InvalidBlockDeviceMapping). Sizes in GiB. */
function describeDiskProblem(
  { name, role, pool }: Group,
  { imageId, diskGiB, imageGiB }: { imageId: string; diskGiB: number | undefined; imageGiB: number | undefined },
): string | undefined {
  if (diskGiB === undefined || imageGiB === undefined || diskGiB >= imageGiB) return undefined;
  const field = role === 'seat' ? 'controlPlane.diskGiB' : `diskGiB of pool ${pool ?? ''}`;
  const found = `a disk for group ${name} that holds its image: ${imageId} has ${String(imageGiB)} GiB, the disk ${String(diskGiB)} GiB`;
  return `${found} (set ${field} to at least ${String(imageGiB)}, and deploy)`;
}

/** EC2 tells of a missing thing by an error or by an empty list, depending on the thing. */
async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Error && /^Invalid(AMIID|LaunchTemplate)/.test(error.name)) return undefined;
    throw error;
  }
}
