import { ACCOUNT } from '../../support/stacks';
import { ask } from './evaluator';
import type { SynthesizedRole } from './roles';

/** One question to IAM: may the role do this to that, under these circumstances? */
export interface IamRequest {
  /** With the service's prefix, for example `ec2:StopInstances`. */
  action: string;
  /** An ARN; `*` for actions without resource-level permission. */
  resource: string;
  /** Condition keys of the request, for example the resource's tags. */
  context?: Readonly<Record<string, string | string[]>>;
}

const LEFT_TO_IAM = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' }],
};

/**
 * True if the role's policies, and the resource's own if it has one, allow the request; throws on a request that AWS itself
 * would not understand.
 */
export async function isAllowed(
  role: SynthesizedRole,
  { action, resource, context }: IamRequest,
  resourcePolicy?: object,
): Promise<boolean> {
  const principal = `arn:aws:iam::${ACCOUNT}:role/${role.id}`;
  const simulation = {
    request: {
      principal,
      action,
      resource: { resource, accountId: accountOf(resource) },
      contextVariables: { 'aws:PrincipalArn': principal, ...context },
    },
    identityPolicies: [{ name: role.id, policy: { Version: '2012-10-17', Statement: role.statements } }],
    // A key asks its own policy too; the one that KMS gives by default leaves it to IAM.
    ...(action.startsWith('kms:') && { resourcePolicy: LEFT_TO_IAM }),
    ...(resourcePolicy && { resourcePolicy }),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
  // The reference that the evaluator checks requests against lists AddTags for load balancers only, not for listeners.
  const answer = await ask({ simulation, unsafe: action === 'elasticloadbalancing:AddTags' });
  if (answer.error !== undefined) throw new Error(`${action} on ${resource}: ${answer.error}`);
  return answer.allowed === true;
}

/** The account in an ARN; S3's ARNs have none, and belong to the cluster's here. */
function accountOf(resource: string): string {
  const account = resource.split(':')[4] ?? '';
  return account === '' ? ACCOUNT : account;
}
