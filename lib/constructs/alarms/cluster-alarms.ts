import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

export interface ClusterAlarmsProps {
  cluster: string;
  topic: ITopic;
  /** State machines by name whose failure somebody must hear of. */
  workflows: Readonly<Record<string, IStateMachine>>;
  deadLetters: IQueue;
}

/**
 * Alarms that need no node to run. Few on purpose: ten are free in an account, and each further one is billed by the
 * month, asleep or not.
 */
export class ClusterAlarms extends Construct {
  constructor(scope: Construct, id: string, { cluster, topic, workflows, deadLetters }: ClusterAlarmsProps) {
    super(scope, id);
    const alarm = (name: string, metric: cloudwatch.IMetric, alarmDescription: string) =>
      new cloudwatch.Alarm(this, name, {
        alarmName: `${cluster}-${name}`,
        alarmDescription,
        metric,
        threshold: 1,
        evaluationPeriods: 1,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      }).addAlarmAction(new SnsAction(topic));
    const options = { period: Duration.minutes(1), statistic: 'Sum' };
    for (const [name, machine] of Object.entries(workflows)) {
      const runbook = `docs/runbook.md#${name}`;
      alarm(`${name}-failed`, machine.metricFailed(options), `Workflow ${name} failed: ${runbook}`);
    }
    alarm(
      'trigger-lost',
      deadLetters.metricApproximateNumberOfMessagesVisible({ ...options, statistic: 'Maximum' }),
      'A schedule or a launch could not start its workflow: docs/runbook.md#trigger-lost',
    );
  }
}
