import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import { Role } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { INTERRUPTED, SCALE_IN, TERMINATED } from '../../../core/decisions/node-events';
import { allow } from '../access/statement';
import { servicePrincipal } from '../access/service-principal';

export interface NodeLossRulesProps {
  cluster: string;
  /** Names of all groups of the cluster. */
  groupNames: readonly string[];
  handleNodeLoss: IStateMachine;
  deadLetters: IQueue;
}

/**
 * Starts handle-node-loss when a group has ended an instance for another reason than its own smaller size, and when Spot
 * announces that it will take one. EC2's own state changes are not used: they come for every instance of the account, and
 * tell nothing that the group does not tell a minute later.
 */
export class NodeLossRules extends Construct {
  constructor(scope: Construct, id: string, props: NodeLossRulesProps) {
    super(scope, id);
    const { cluster, groupNames, handleNodeLoss, deadLetters } = props;
    const role = new Role(this, 'Role', {
      assumedBy: servicePrincipal('events'),
      description: `Rules ${cluster}-node-losses`,
    });
    allow(role, {
      sid: 'StartHandleNodeLoss',
      actions: ['states:StartExecution'],
      resources: [handleNodeLoss.stateMachineArn],
    });
    const rule = (name: string, description: string, eventPattern: events.EventPattern) =>
      new events.Rule(this, name, {
        ruleName: `${cluster}-nodes-${name.toLowerCase()}`,
        description,
        eventPattern,
        targets: [
          new targets.SfnStateMachine(handleNodeLoss, { role, deadLetterQueue: deadLetters, retryAttempts: 10 }),
        ],
      });
    rule('Terminated', 'A group has ended an instance, and will replace it', {
      source: ['aws.autoscaling'],
      detailType: [TERMINATED],
      // A sleep ends every instance, and none of them is lost.
      detail: {
        AutoScalingGroupName: [...groupNames],
        Cause: [{ 'anything-but': { wildcard: `*${SCALE_IN}*` } }],
      },
    });
    rule('Interrupted', 'Spot will take an instance in two minutes; whose, the workflow finds out', {
      source: ['aws.ec2'],
      detailType: [INTERRUPTED],
    });
  }
}
