/** A launch that AWS refuses, as its scaling activity tells it. */
export interface LaunchRefusal {
  code: string;
  /** StatusMessage of the activity, from the source. */
  message: string;
  /** Our words for it. */
  words: string;
  /** True if no waiting cures it for a group of one instance type in one zone. */
  final: boolean;
  /** Where the text was published; `errors` is EC2's table of error codes, `guide` Auto Scaling's on launch failures. */
  source: string;
}

const failed = ' Launching EC2 instance failed.';

/** Real texts, looked up 2026-11-29. */
export const LAUNCH_REFUSALS: readonly LaunchRefusal[] = [
  {
    code: 'InsufficientInstanceCapacity',
    message: `Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient g4dn.xlarge capacity in the Availability Zone you requested (us-east-1a). Our system will be working on provisioning additional capacity.${failed}`,
    words: 'AWS has no capacity',
    final: false,
    source: 'ITISFoundation/osparc-simcore#3629, kubernetes/autoscaler#3241',
  },
  {
    code: 'UnfulfillableCapacity',
    message: `Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity due to your request configuration. Please adjust your request and try again.${failed}`,
    words: 'AWS has no capacity',
    final: false,
    source: 'buildkite/elastic-ci-stack-for-aws#851',
  },
  {
    code: 'MaxSpotInstanceCountExceeded',
    message: `Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance count exceeded.${failed}`,
    words: 'the spot quota is used up',
    final: false,
    source: 'aws-deepracer-community/deepracer-on-the-spot#55',
  },
  {
    code: 'VcpuLimitExceeded',
    message: `Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket that the specified instance type belongs to.${failed}`,
    words: 'the vCPU quota is used up',
    final: false,
    source: 'errors',
  },
  {
    code: 'SpotMaxPriceTooLow',
    message: `Could not launch Spot Instances. SpotMaxPriceTooLow - Your Spot request price of 0.526 is lower than the minimum required Spot request fulfillment price of 0.6.${failed}`,
    words: 'spot costs more than on-demand now',
    final: false,
    source: 'errors',
  },
  {
    code: 'InsufficientFreeAddressesInSubnet',
    message: `InsufficientFreeAddressesInSubnet - There are not enough free addresses in subnet 'subnet-0f21a4e93054e04c2' to satisfy the requested number of instances.${failed}`,
    words: 'the subnet has no free address',
    final: false,
    source: 'errors',
  },
  {
    code: 'RequestLimitExceeded',
    message: `RequestLimitExceeded - Request limit exceeded.${failed}`,
    words: 'AWS limits the rate of requests',
    final: false,
    source: 'errors',
  },
  {
    code: 'Unsupported',
    message: `Could not launch Spot Instances. InvalidFleetConfiguration - Your requested instance type (p3.8xlarge) is not supported in your requested Availability Zone (us-east-2c).${failed}`,
    words: 'the zone does not offer the instance type',
    final: true,
    source: 'mludvig/aws-ethereum-miner#23, guide',
  },
  {
    code: 'PendingVerification',
    message: `PendingVerification - Your request for accessing resources in this region is being validated, and you will not be able to launch additional resources in this region until the validation is complete. We will notify you by email once your request has been validated. While normally resolved within minutes, please allow up to 4 hours for this process to complete.${failed}`,
    words: 'AWS is still verifying the account',
    final: true,
    source: 'openshift/installer#1709, juju/juju#12175',
  },
  {
    code: 'InvalidParameterCombination',
    message: `InvalidParameterCombination - The specified instance type is not eligible for Free Tier. For a list of Free Tier instance types, run 'describe-instance-types' with the filter 'free-tier-eligible=true'.${failed}`,
    words: 'the account is on the free plan, which does not have the instance type',
    final: true,
    source: 'LinkedInLearning/learning-terraform-3087701#345',
  },
  {
    code: 'InvalidBlockDeviceMapping',
    message: `InvalidBlockDeviceMapping - Volume of size 35GB is smaller than  snapshot 'snap-0764200248800a04f', expect size >= 50GB.${failed}`,
    words: 'the root disk is smaller than the snapshot of the image',
    final: true,
    source: 'openshift/origin-ci-tool#153',
  },
  {
    code: 'OptInRequired',
    message: `In order to use this AWS Marketplace product you need to accept terms and subscribe. To do so please visit https://aws.amazon.com/marketplace/pp?sku=14onryp2ljrzlajty34nw8o2z.${failed}`,
    words: 'the account has not subscribed to what the image is sold as',
    final: true,
    source: 'ansible/ansible#43375',
  },
  {
    code: 'InvalidAMIID.NotFound',
    message: `InvalidAMIID.NotFound - The image id '[ami-0123456789abcdef0]' does not exist.${failed}`,
    words: 'the image does not exist any more',
    final: true,
    source: 'errors',
  },
  {
    code: 'Client.InternalError',
    message:
      'Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: Client.InternalError: Client error on launch',
    words: 'the key of the disks cannot be used',
    final: true,
    source: 'gruntwork-io/terratest#693, guide',
  },
  {
    code: 'InvalidKMSKey.InvalidState',
    message:
      'Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: Client.InvalidKMSKey.InvalidState: The KMS key provided is in an incorrect state',
    words: 'the key of the disks cannot be used',
    final: true,
    source: 'errors',
  },
  {
    code: 'AuthFailure.ServiceLinkedRoleCreationNotPermitted',
    message: `Could not launch Spot Instances. AuthFailure.ServiceLinkedRoleCreationNotPermitted - The provided credentials do not have permission to create the service-linked role for EC2 Spot Instances.${failed}`,
    words: 'the account lacks a service-linked role',
    final: true,
    source: 'kubernetes/kops#16475',
  },
  {
    code: 'UnauthorizedOperation',
    message: `UnauthorizedOperation - You are not authorized to perform this operation. Encoded authorization failure message: q1w2e3.${failed}`,
    words: 'the account may not launch it',
    final: true,
    source: 'errors',
  },
  {
    code: 'InvalidGroup.NotFound',
    message: `The security group 'sg-0123456789abcdef0' does not exist.${failed}`,
    words: 'something that the launch needs does not exist',
    final: true,
    source: 'guide',
  },
  {
    code: 'what nobody has seen yet',
    message: `Blocked - This account is currently blocked and not recognized as a valid account.${failed}`,
    words: 'AWS refuses the launch',
    final: false,
    source: 'errors',
  },
];

/** A load balancer that AWS refuses to make: an error of CreateLoadBalancer, or of CreateListener. */
export interface BalancerRefusal {
  action: 'CreateLoadBalancer' | 'CreateListener' | 'DescribeLoadBalancers';
  name: string;
  message: string;
}

/** Names as in ELB's API reference, texts as in published error reports. */
export const BALANCER_REFUSALS: readonly BalancerRefusal[] = [
  {
    action: 'CreateLoadBalancer',
    name: 'TooManyLoadBalancersException',
    message: "The maximum number of load balancers has been reached for account '123456789012'",
  },
  {
    action: 'CreateLoadBalancer',
    name: 'OperationNotPermittedException',
    message: 'This AWS account currently does not support creating load balancers. For more information, contact AWS.',
  },
  {
    action: 'CreateLoadBalancer',
    name: 'AccessDenied',
    message:
      'User is not authorized to perform: iam:CreateServiceLinkedRole on resource: arn:aws:iam::123456789012:role/aws-service-role/elasticloadbalancing.amazonaws.com/AWSServiceRoleForElasticLoadBalancing',
  },
  {
    action: 'CreateLoadBalancer',
    name: 'InvalidSubnetException',
    message: 'VPC vpc-0123456789abcdef0 has no internet gateway',
  },
  {
    action: 'CreateLoadBalancer',
    name: 'SubnetNotFoundException',
    message: "The subnet ID 'subnet-0123456789abcdef0' does not exist",
  },
  {
    action: 'CreateLoadBalancer',
    name: 'DuplicateLoadBalancerNameException',
    message: "A load balancer with the same name 'drowse-api' exists, but with different settings",
  },
  {
    action: 'CreateLoadBalancer',
    name: 'AllocationIdNotFoundException',
    message: "The allocation IDs 'eipalloc-0123456789abcdef0' do not exist",
  },
  {
    action: 'CreateListener',
    name: 'TargetGroupAssociationLimitException',
    message: 'The following target groups cannot be associated with more than one load balancer',
  },
  { action: 'CreateLoadBalancer', name: 'ThrottlingException', message: 'Rate exceeded' },
  { action: 'CreateLoadBalancer', name: 'ResourceInUseException', message: 'A specified resource is in use' },
  { action: 'DescribeLoadBalancers', name: 'AccessDenied', message: 'User is not authorized to perform that' },
];
