import { Role } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { servicePrincipal } from './service-principal';
import { allow } from './statement';

export interface FunctionRoleProps {
  description: string;
  /** Where the function writes its logs; all that the role may do by itself. */
  logGroup: ILogGroup;
  /** CloudFormation's choice without one. */
  roleName?: string;
}

/** The role of a function, as the child `Role` of its construct. */
export function functionRole(scope: Construct, { description, logGroup, roleName }: FunctionRoleProps): Role {
  const role = new Role(scope, 'Role', {
    ...(roleName !== undefined && { roleName }),
    assumedBy: servicePrincipal('lambda'),
    description,
  });
  allow(role, {
    sid: 'WriteOwnLogs',
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: [logGroup.logGroupArn],
  });
  return role;
}
