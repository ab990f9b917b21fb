import { RemovalPolicy } from 'aws-cdk-lib';
import { type CfnLogGroup, LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

export interface ClusterLogGroupProps {
  /** Named so that saved queries, tools and the people who read them find it; CloudFormation names it otherwise. */
  logGroupName?: string;
  retentionDays: number;
}

/** Logs that are kept for the configured days, and go with their stack. */
export class ClusterLogGroup extends LogGroup {
  constructor(scope: Construct, id: string, { logGroupName, retentionDays }: ClusterLogGroupProps) {
    super(scope, id, { ...(logGroupName !== undefined && { logGroupName }), removalPolicy: RemovalPolicy.DESTROY });
    (this.node.defaultChild as CfnLogGroup).retentionInDays = retentionDays;
  }
}
