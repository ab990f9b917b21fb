/**
 * What AWS says when it refuses a launch, and what helps. The words only make the advice better: a refusal that this
 * table does not know is passed on and treated like any other. Texts as AWS writes them into scaling activities: its
 * guide "Troubleshoot EC2 Auto Scaling: launch failures", EC2's error codes, and published error reports; each is a row
 * of test/statemachines/refusals.ts.
 */

/**
 * How far a refusal reaches that no waiting cures: `group`, whatever the group tries; `type`, the instance type in every
 * zone; `place`, the instance type in one zone.
 */
type Reach = 'group' | 'type' | 'place';

export interface Refusal {
  /** What it means, in our words. */
  words: string;
  /** What helps, as a sentence. */
  remedy: string;
  /** Set if waiting cures it for no launch within its reach. */
  final?: Reach;
}

const ON_ANOTHER = 'More instance types, another zone or market: spot-with-fallback in cluster.yaml help.';
const DEPLOY = 'Deploy again, which names what exists now.';

/** In this order: the first that fits counts. */
const KNOWN: readonly [pattern: RegExp, refusal: Refusal][] = [
  [
    /MaxSpotInstanceCountExceeded|Max spot instance count exceeded/i,
    { words: 'the spot quota is used up', remedy: 'Ask for a larger spot quota in Service Quotas.' },
  ],
  [
    /VcpuLimitExceeded|InstanceLimitExceeded|vCPU capacity|requested more (vCPU|instances)/i,
    { words: 'the vCPU quota is used up', remedy: 'Ask for a larger quota in Service Quotas, or for fewer nodes.' },
  ],
  [
    /SpotMaxPriceTooLow|maximum price|bid price/i,
    { words: 'spot costs more than on-demand now', remedy: 'market: spot-with-fallback in cluster.yaml helps.' },
  ],
  [
    /not supported in your requested Availability Zone|Availability Zone is no longer supported|configuration is currently not supported|\bUnsupported\b/i,
    {
      words: 'the zone does not offer the instance type',
      remedy: 'Name another zone or instance type in cluster.yaml, then deploy.',
      final: 'place',
    },
  ],
  [
    /Insufficient\w*Capacity|UnfulfillableCapacity|ReservationCapacityExceeded|do not have sufficient|no Spot capacity/i,
    { words: 'AWS has no capacity', remedy: ON_ANOTHER },
  ],
  [
    /PendingVerification|being validated|being verified/i,
    {
      words: 'AWS is still verifying the account',
      remedy: 'It takes up to four hours, and AWS writes an e-mail at its end: wake again then.',
      final: 'group',
    },
  ],
  [
    /not eligible for Free Tier/i,
    {
      words: 'the account is on the free plan, which does not have the instance type',
      remedy: 'Upgrade the account to the paid plan in the Billing console.',
      final: 'type',
    },
  ],
  [
    /InvalidBlockDeviceMapping|smaller than\s+snapshot/i,
    {
      words: 'the root disk is smaller than the snapshot of the image',
      remedy: 'Raise diskGiB in cluster.yaml to the size that the message names, then deploy.',
      final: 'group',
    },
  ],
  [
    /OptInRequired|Marketplace product|not subscribed to this service/i,
    {
      words: 'the account has not subscribed to what the image is sold as',
      remedy: 'Accept the terms under the link in the message, or name another ami in cluster.yaml.',
      final: 'group',
    },
  ],
  [
    /InvalidAMIID|image id\b.*does not exist/i,
    { words: 'the image does not exist any more', remedy: DEPLOY, final: 'group' },
  ],
  [
    /KMS|Client\.InternalError|Client error on launch/i,
    {
      words: 'the key of the disks cannot be used',
      remedy:
        'Enable the key of encryption.kmsKeyArn, and let AWSServiceRoleForAutoScaling use it (docs/security.md#your-own-key).',
      final: 'group',
    },
  ],
  [
    /ServiceLinkedRole|service-linked role/i,
    {
      words: 'the account lacks a service-linked role',
      remedy: 'Make it once: aws iam create-service-linked-role --aws-service-name spot.amazonaws.com',
      final: 'group',
    },
  ],
  [
    /UnauthorizedOperation|AccessDenied|AuthFailure|not authorized to perform/i,
    {
      words: 'the account may not launch it',
      remedy: 'Look for a policy of your organization that denies ec2:RunInstances here.',
      final: 'group',
    },
  ],
  [
    /InsufficientFreeAddresses|free (private )?(IP )?addresses/i,
    { words: 'the subnet has no free address', remedy: 'End what else uses the subnet, or take another zone.' },
  ],
  [
    /RequestLimitExceeded|Request limit exceeded|Throttling|Rate exceeded/i,
    { words: 'AWS limits the rate of requests', remedy: 'It passes; look for what else calls EC2 in this account.' },
  ],
  [
    /Invalid(Group|SecurityGroup|Subnet|LaunchTemplate)\w*\.NotFound|(security group|subnet|launch template)\b.*does not exist/i,
    { words: 'something that the launch needs does not exist', remedy: DEPLOY, final: 'group' },
  ],
];

const UNKNOWN: Refusal = {
  words: 'AWS refuses the launch',
  remedy: 'What AWS says of the group stands under its activities in the EC2 console.',
};

/** What a refusal in AWS's words means. */
export function readRefusal(message: string): Refusal {
  return KNOWN.find(([pattern]) => pattern.test(message))?.[1] ?? UNKNOWN;
}

/** The refusal as people read it: our words, AWS's, and what helps. */
export function describeRefusal(message: string): string {
  const { words, remedy } = readRefusal(message);
  return `${words}: ${message.trim().replace(/[^.!?]$/, '$&.')} ${remedy}`;
}

/** The refusals that a text names as {@link describeRefusal} writes them: what remains of it without AWS's own words. */
export function refusalsIn(text: string): Refusal[] {
  const all = new Set([...KNOWN.map(([, refusal]) => refusal), UNKNOWN]);
  return [...all].filter(({ words, remedy }) => text.includes(`${words}: `) && text.includes(remedy));
}

/** What of a scaling activity tells whether AWS has refused a launch. */
interface Activity {
  StatusCode?: string | undefined;
  StatusMessage?: string | undefined;
  Description?: string | undefined;
}

/** Ends of an instance that AWS had launched: by Spot, by a person, by our own launch hook. */
const NO_REFUSAL = /Lifecycle Action|SpotInstanceTermination|SpotInterruption|UserInitiated/;

/**
 * What an activity says of a launch: `refused`, `launched`, or undefined if it is under way, or none. An instance that
 * dies before it serves (a key that cannot be used) is cancelled, with a termination reason.
 */
export function outcomeOf({ StatusCode, StatusMessage = '', Description = '' }: Activity) {
  if (Description.startsWith('Terminating')) return undefined;
  if (StatusCode === 'Successful') return 'launched';
  const refused =
    StatusCode === 'Failed' || (StatusCode === 'Cancelled' && StatusMessage.includes('Termination Reason'));
  return refused && !NO_REFUSAL.test(StatusMessage) ? 'refused' : undefined;
}

/**
 * True if no launch of the group can go well any more without a person: each refusal is final, and they cover all that
 * the group may try.
 * @param messages of the refusals since the group began to try, in AWS's words
 */
export function isFinal(
  messages: readonly string[],
  { instanceTypes, zones }: { instanceTypes: readonly string[]; zones: readonly string[] },
): boolean {
  const types = Math.max(1, instanceTypes.length);
  const needed: Record<Reach, number> = { group: 1, type: types, place: types * Math.max(1, zones.length) };
  const [newest = '', ...others] = messages.map((message) => readRefusal(message).final);
  if (newest === '' || newest === 'group') return newest === 'group';
  // Each message names its type, and its zone where that matters.
  return others.every((final) => final !== undefined) && new Set(messages).size >= needed[newest];
}
