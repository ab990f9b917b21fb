import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import { Role } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { allow } from '../access/statement';
import { servicePrincipal } from '../access/service-principal';

export interface JoinRuleProps {
  ruleName: string;
  /** Names of the groups whose launches count, one by one: a prefix would match another cluster's groups too. */
  groupNames: readonly string[];
  joinNode: IStateMachine;
  deadLetters: IQueue;
}

/** Starts join-node for each instance that a group's launch hook holds. */
export class JoinRule extends Construct {
  constructor(scope: Construct, id: string, { ruleName, groupNames, joinNode, deadLetters }: JoinRuleProps) {
    super(scope, id);
    const role = new Role(this, 'Role', {
      assumedBy: servicePrincipal('events'),
      description: `Rule ${ruleName}`,
    });
    allow(role, {
      sid: 'StartJoinNode',
      actions: ['states:StartExecution'],
      resources: [joinNode.stateMachineArn],
    });
    new events.Rule(this, 'Rule', {
      ruleName,
      description: 'An instance is launching and waits to join',
      eventPattern: {
        source: ['aws.autoscaling'],
        detailType: ['EC2 Instance-launch Lifecycle Action'],
        detail: { AutoScalingGroupName: [...groupNames] },
      },
      targets: [
        // A heartbeat of the hook is half an hour: a later event has no instance to join.
        new targets.SfnStateMachine(joinNode, { role, deadLetterQueue: deadLetters, retryAttempts: 10 }),
      ],
    });
  }
}
