import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE } from '../../../core/config/names';

export interface ClusterAlarmsProps {
  cluster: string;
  topic: ITopic;
  /** State machines by name whose failure somebody must hear of. */
  workflows: Readonly<Record<string, IStateMachine>>;
  deadLetters: IQueue;
  /** Auto Scaling group of each seat, by the seat's index. */
  seatGroups: readonly string[];
}

/**
 * Alarms that need no node to run. Few on purpose: ten metrics of alarms are free in an account, and each
 * further one is billed by the month, asleep or not. A seat's has two.
 */
export class ClusterAlarms extends Construct {
  readonly alarms: readonly cloudwatch.IAlarm[];

  constructor(
    scope: Construct,
    id: string,
    { cluster, topic, workflows, deadLetters, seatGroups }: ClusterAlarmsProps,
  ) {
    super(scope, id);
    const alarm = (name: string, metric: cloudwatch.IMetric, alarmDescription: string, evaluationPeriods = 1) => {
      const made = new cloudwatch.Alarm(this, name, {
        alarmName: `${cluster}-${name}`,
        alarmDescription,
        metric,
        threshold: 1,
        evaluationPeriods,
        comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
      });
      made.addAlarmAction(new SnsAction(topic));
      return made;
    };
    const options = { period: Duration.minutes(1), statistic: 'Sum' };
    const failed = Object.entries(workflows).map(([name, machine]) => {
      const runbook = `docs/runbook.md#${name}`;
      return alarm(`${name}-failed`, machine.metricFailed(options), `Workflow ${name} failed: ${runbook}`);
    });
    const lost = alarm(
      'trigger-lost',
      deadLetters.metricApproximateNumberOfMessagesVisible({ ...options, statistic: 'Maximum' }),
      'A schedule or a launch could not start its workflow: docs/runbook.md#trigger-lost',
    );
    const silent = seatGroups.map((group, seat) =>
      alarm(
        `seat-${String(seat)}-silent`,
        silence(cluster, String(seat), group),
        `Seat ${String(seat)} runs, and its API does not answer: docs/runbook.md#seat-silent`,
        SILENT_PERIODS,
      ),
    );
    this.alarms = [...failed, lost, ...silent];
  }
}

/** Basic monitoring of EC2, which is free, has one value in five minutes. */
const PERIOD = Duration.minutes(5);
/** Half an hour: longer than a first boot that installs everything, or than a seat that waits for a quorum (20 minutes). */
const SILENT_PERIODS = 6;

/**
 * 1 for each period in which EC2 knows an instance of the seat that did not report its API (userdata/report-api.sh), else 0. While
 * the seat is away there is no value at all: a sleeping cluster is not silent.
 */
function silence(cluster: string, seat: string, autoScalingGroupName: string): cloudwatch.MathExpression {
  return new cloudwatch.MathExpression({
    expression: 'IF(running > 0 AND FILL(answers, 0) < 1, 1, 0)',
    period: PERIOD,
    usingMetrics: {
      running: new cloudwatch.Metric({
        namespace: 'AWS/EC2',
        metricName: 'CPUUtilization',
        dimensionsMap: { AutoScalingGroupName: autoScalingGroupName },
        statistic: 'SampleCount',
        period: PERIOD,
      }),
      answers: new cloudwatch.Metric({
        namespace: METRICS_NAMESPACE,
        metricName: 'ApiReady',
        dimensionsMap: { Cluster: cluster, Seat: seat },
        statistic: 'Sum',
        period: PERIOD,
      }),
    },
  });
}
