import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { METRICS_NAMESPACE } from '../../../core/config/names';
import { FAILED_WORKFLOWS } from '../queries/workflow-queries';

export interface ClusterDashboardProps {
  cluster: string;
  /** All state machines by name. */
  workflows: Readonly<Record<string, IStateMachine>>;
  /** Log groups of the workflows. */
  logGroups: readonly string[];
  /** Number of seats. */
  seats: number;
  /** USD an hour by list prices, awake with every pool at its desired size, and asleep. */
  rates: { awake: number; asleep: number };
  alarms: readonly cloudwatch.IAlarm[];
}

const WIDTH = 24;
const HALF = { width: WIDTH / 2, height: 6 };

/**
 * What the cluster did, on one page of CloudWatch: awake or asleep, what it costs, workflows and their steps by time, failures,
 * alarms. All of it out of metrics and logs that are there anyway. It names fewer than fifty metrics: with more it would not
 * be one of the three that an account has free (CloudWatch pricing).
 */
export class ClusterDashboard extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { cluster, workflows, logGroups, seats, rates, alarms }: ClusterDashboardProps,
  ) {
    super(scope, id);
    const machines = Object.entries(workflows);
    const query = (title: string, ...queryLines: string[]) =>
      new cloudwatch.LogQueryWidget({ title, logGroupNames: [...logGroups], queryLines, ...HALF });
    const usd = (amount: number) => `$${amount.toFixed(3)}`;

    new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: `drowse-${cluster}`,
      defaultInterval: Duration.days(7),
      widgets: [
        [
          new cloudwatch.TextWidget({
            markdown: [
              `# ${cluster}`,
              `By list prices ${usd(rates.awake)} an hour awake with every pool at its desired size, ${usd(rates.asleep)} asleep.`,
              'Now and in detail: `drowse status`, `drowse runs`, `drowse cost --actual`. What to do about an alarm stands in its description.',
            ].join('\n\n'),
            width: WIDTH / 2,
            height: 4,
          }),
          new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: WIDTH / 2, height: 4 }),
        ],
        [
          new cloudwatch.GraphWidget({
            ...{ title: 'Awake: seats whose API answers', ...HALF },
            left: [awakeSeats(cluster, seats)],
            leftYAxis: { min: 0, showUnits: false },
          }),
          new cloudwatch.GraphWidget({
            ...{ title: 'Cost, USD an hour by list prices', ...HALF },
            left: [costPerHour(cluster, rates)],
            leftYAxis: { min: 0, showUnits: false },
          }),
        ],
        [
          new cloudwatch.GraphWidget({
            ...{ title: 'Workflows: how long they took, in minutes', ...HALF },
            left: machines.map(([name, machine]) => minutesOf(name, machine)),
            leftYAxis: { min: 0, showUnits: false },
          }),
          new cloudwatch.GraphWidget({
            ...{ title: 'Workflows that failed, ran out of time or were stopped', ...HALF, stacked: true },
            left: machines.flatMap(([name, machine]) => failuresOf(name, machine)),
            leftYAxis: { min: 0, showUnits: false },
          }),
        ],
        [
          query(
            'Steps by time, in seconds',
            'filter type in ["TaskStateEntered", "TaskStateExited"]',
            'fields details.name as step',
            'stats (max(@timestamp) - min(@timestamp)) / 1000 as seconds by execution_arn, step',
            'stats count(*) as runs, pct(seconds, 50) as median, pct(seconds, 90) as p90, max(seconds) as longest by step',
            'sort median desc',
          ),
          query('Failures', ...FAILED_WORKFLOWS),
        ],
      ],
    });
  }
}

/** Minutes of a period in which a seat's API answered (userdata/report-api.sh says so once a minute). */
function answers(cluster: string, seat: number, period: Duration): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: METRICS_NAMESPACE,
    metricName: 'ApiReady',
    dimensionsMap: { Cluster: cluster, Seat: String(seat) },
    statistic: 'Sum',
    period,
  });
}

function awakeSeats(cluster: string, seats: number): cloudwatch.MathExpression {
  const period = Duration.minutes(5);
  const names = Array.from({ length: seats }, (_, seat) => `seat${String(seat)}`);
  return new cloudwatch.MathExpression({
    expression: names.map((name) => `CEIL(FILL(${name}, 0) / 5)`).join(' + '),
    usingMetrics: Object.fromEntries(names.map((name, seat) => [name, answers(cluster, seat, period)])),
    label: 'seats',
    period,
  });
}

/** The share of each hour that seat 0 was up, times the rate awake, and the rest times that asleep. */
function costPerHour(cluster: string, { awake, asleep }: ClusterDashboardProps['rates']): cloudwatch.MathExpression {
  const period = Duration.hours(1);
  return new cloudwatch.MathExpression({
    expression: `${asleep.toFixed(4)} + FILL(minutes, 0) / 60 * ${(awake - asleep).toFixed(4)}`,
    usingMetrics: { minutes: answers(cluster, 0, period) },
    label: 'USD an hour',
    period,
  });
}

function minutesOf(name: string, machine: IStateMachine): cloudwatch.MathExpression {
  const id = name.replaceAll('-', '_');
  return new cloudwatch.MathExpression({
    expression: `${id} / 60000`,
    usingMetrics: { [id]: machine.metricTime({ statistic: 'Maximum', period: Duration.minutes(5) }) },
    label: name,
    period: Duration.minutes(5),
  });
}

function failuresOf(name: string, machine: IStateMachine): cloudwatch.Metric[] {
  const options = { statistic: 'Sum', period: Duration.minutes(5) };
  return [
    machine.metricFailed({ ...options, label: `${name} failed` }),
    machine.metricTimedOut({ ...options, label: `${name} out of time` }),
    machine.metricAborted({ ...options, label: `${name} stopped` }),
  ];
}
