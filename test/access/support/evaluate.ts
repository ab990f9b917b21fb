import { runSimulation, runUnsafeSimulation, type Simulation } from '@cloud-copilot/iam-simulate';
import { ACCOUNT } from '../../support/stacks';
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

/** True if the role's policies allow the request; throws on a request that AWS itself would not understand. */
export async function isAllowed(role: SynthesizedRole, { action, resource, context }: IamRequest): Promise<boolean> {
  const simulation: Simulation = {
    request: {
      principal: `arn:aws:iam::${ACCOUNT}:role/${role.id}`,
      action,
      resource: { resource, accountId: accountOf(resource) },
      contextVariables: { ...context },
    },
    identityPolicies: [{ name: role.id, policy: { Version: '2012-10-17', Statement: role.statements } }],
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
  // The reference that the evaluator checks requests against lists AddTags for load balancers only, not for listeners.
  if (action === 'elasticloadbalancing:AddTags') {
    return runUnsafeSimulation(simulation, {}) === 'Allowed';
  }
  const result = await runSimulation(simulation, {});
  if (result.resultType === 'error') throw new Error(`${action} on ${resource}: ${JSON.stringify(result.errors)}`);
  return result.overallResult === 'Allowed';
}

/** The account in an ARN; S3's ARNs have none, and belong to the cluster's here. */
function accountOf(resource: string): string {
  const account = resource.split(':')[4] ?? '';
  return account === '' ? ACCOUNT : account;
}
