import { DescribeImagesCommand, DescribeLaunchTemplateVersionsCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { Group } from './groups';

/** Why a group could not launch: its launch template, or the template's image, does not exist. Undefined if both do. */
export async function describeImageProblem(ec2: EC2Client, group: Group): Promise<string | undefined> {
  const template = group.launchTemplate;
  if (!template) return `launch template of group ${group.name}`;
  const imageId = await unlessMissing(async () => {
    const { LaunchTemplateVersions } = await ec2.send(
      new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId: template.id, Versions: [template.version] }),
    );
    return LaunchTemplateVersions?.[0]?.LaunchTemplateData?.ImageId;
  });
  if (imageId === undefined) return `launch template ${template.id} of group ${group.name}`;
  const image = await unlessMissing(async () => {
    const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
    return Images?.[0]?.ImageId;
  });
  return image === undefined ? `image ${imageId} of group ${group.name}` : undefined;
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
