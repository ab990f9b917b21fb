import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

export interface CareRulesProps {
  cluster: string;
  /** Names of all groups of the cluster. */
  groupNames: readonly string[];
  /** Workflows after whose failure there may be something to put right. */
  workflows: readonly IStateMachine[];
  lookAfter: IFunction;
}

/**
 * Has look-after look at once when a workflow fails, or an instance comes up: seconds instead of minutes, and of a cluster
 * that sleeps, minutes instead of hours. An event that is lost changes nothing else, so none is kept for long. What a person stops
 * (`ABORTED`) is left to the next look: who stopped it may want to start something else.
 */
export class CareRules extends Construct {
  constructor(scope: Construct, id: string, { cluster, groupNames, workflows, lookAfter }: CareRulesProps) {
    super(scope, id);
    const rule = (name: string, description: string, eventPattern: events.EventPattern) =>
      new events.Rule(this, name, {
        ruleName: `${cluster}-care-${name.toLowerCase()}`,
        description,
        eventPattern,
        targets: [
          new targets.LambdaFunction(lookAfter, {
            event: events.RuleTargetInput.fromObject({ execution: events.EventField.eventId, full: true }),
            retryAttempts: 10,
          }),
        ],
      });
    rule('Failed', 'A workflow has failed: what was asked for may be tried again', {
      source: ['aws.states'],
      detailType: ['Step Functions Execution Status Change'],
      detail: {
        stateMachineArn: workflows.map(({ stateMachineArn }) => stateMachineArn),
        status: ['FAILED', 'TIMED_OUT'],
      },
    });
    rule('Launched', 'An instance has come up, perhaps while nothing should run', {
      source: ['aws.autoscaling'],
      detailType: ['EC2 Instance Launch Successful'],
      detail: { AutoScalingGroupName: [...groupNames] },
    });
  }
}
