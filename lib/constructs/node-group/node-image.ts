import { ParameterValueType, StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Canonical's public parameter of Ubuntu 24.04 for x86-64. */
export const UBUNTU_IMAGE = '/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id';
/** AWS's public parameter of its Deep Learning base image: Ubuntu 24.04 with NVIDIA driver and container toolkit. */
export const GPU_IMAGE = '/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id';

/** Context of an app that knows what the public parameters name: an object of AMI IDs by parameter. */
export const CURRENT_IMAGES = 'drowse:current-images';

/**
 * The image of a group: the given AMI, or the one that a public parameter names *when the stack is deployed*. It does
 * not move between deployments, so that a node that comes up at night is made from what was tried by day. An app that is
 * synthesized for an account has the AMI's ID in its template (`CURRENT_IMAGES`), where `cdk diff` shows a newer one; any
 * other leaves the look to CloudFormation.
 */
export function nodeImage(scope: Construct, { ami, gpu }: { ami?: string | undefined; gpu: boolean }): string {
  if (ami !== undefined) return ami;
  const parameter = gpu ? GPU_IMAGE : UBUNTU_IMAGE;
  const current = scope.node.tryGetContext(CURRENT_IMAGES) as Readonly<Record<string, string>> | undefined;
  if (current?.[parameter] !== undefined) return current[parameter];
  return StringParameter.valueForTypedStringParameterV2(
    Stack.of(scope),
    parameter,
    ParameterValueType.AWS_EC2_IMAGE_ID,
  );
}
