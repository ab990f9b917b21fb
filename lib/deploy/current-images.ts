import { GetParametersCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { GPU_IMAGE, UBUNTU_IMAGE } from '../constructs/node-group/node-image';

/**
 * The images (AMI IDs) that the public parameters name now, by parameter. Synthesized into the templates, they show in `cdk diff` which
 * nodes a deployment would make from another image, and are what it then deploys. A parameter that the region does not have is left out:
 * CloudFormation refuses it by name, if the cluster uses it.
 * @returns undefined for somebody who may not look, who is told; the deployment then asks by itself
 */
export async function currentImages(
  ssm: SSMClient,
  say: (line: string) => void,
): Promise<Record<string, string> | undefined> {
  try {
    const { Parameters = [] } = await ssm.send(new GetParametersCommand({ Names: [UBUNTU_IMAGE, GPU_IMAGE] }));
    return Object.fromEntries(Parameters.map(({ Name = '', Value = '' }) => [Name, Value]));
  } catch (error) {
    const { name, message } = error as Error;
    say(`Not shown which images nodes would be made from (${name}: ${message})`);
    return undefined;
  }
}
