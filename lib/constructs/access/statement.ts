import { Token, Validations } from 'aws-cdk-lib';
import { type Conditions, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';

/** One permission: exactly these actions on these resources. */
export interface Statement {
  /** Shown by the access tests and in the console. */
  sid: string;
  actions: readonly string[];
  resources: readonly string[];
  conditions?: Conditions;
  /** Why a resource holds a `*`: needed where one does, and what cdk-nag is told. */
  why?: string;
}

/** Reasons that many statements share. */
export const WHY = {
  noResourceLevel: 'AWS knows no resource-level permission for these actions',
  tagged: 'The condition on the cluster’s tag limits it: IDs are known only at run time',
  ownTags: 'The condition limits it to what carries the tags of this group’s own instances',
  folder: 'A folder of the cluster’s own bucket or parameters: the names below it are made at run time',
  named: 'The name is the cluster’s own; the rest of the ARN is AWS’s choice at run time',
} as const;

/** A statement has a `*` among its resources and no reason for it. */
export class UnexplainedWildcard extends Error {
  override readonly name = 'UnexplainedWildcard';
}

/** Adds a statement to a role, and its reason for a `*` to what cdk-nag knows. */
export function allow(role: Role, { sid, actions, resources, conditions, why }: Statement): void {
  role.addToPolicy(
    new PolicyStatement({
      sid,
      actions: [...actions],
      resources: [...resources],
      ...(conditions && { conditions }),
    }),
  );
  for (const resource of resources.filter((arn) => arn.includes('*'))) {
    if (why === undefined)
      throw new UnexplainedWildcard(`${sid} of ${role.node.path} allows ${resource} without a reason`);
    acknowledgeWildcard(role, resource, why);
  }
}

/** Tells cdk-nag why a role may use a resource with a `*` in it. */
export function acknowledgeWildcard(role: Role, resource: string, reason: string): void {
  // Without an account (templates that fit any) the name of the finding is not known; nobody looks for it then.
  if (Token.isUnresolved(resource)) return;
  // Variables of the policy itself are named so in findings.
  const named = resource.replace(/\$\{([^}]*)\}/g, '<$1>');
  Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${named}]`, reason });
}
