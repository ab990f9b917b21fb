import { Duration, RemovalPolicy, Stack, TimeZone } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke, StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { ScheduleConfig } from '../../config/schema';
import { allow } from '../access/statement';
import { LOOK_MINUTES } from '../../schedule/idle';

export interface ClusterSchedulesProps {
  cluster: string;
  schedules: readonly ScheduleConfig[];
  sleep: IStateMachine;
  wake: IStateMachine;
  /** Makes good for triggers that were missed. */
  catchUp: IFunction;
  /** Looks whether anybody uses the cluster; undefined if nobody asked for that. */
  detectIdle: IFunction | undefined;
  /** Takes triggers that could not be delivered. */
  deadLetters: IQueue;
}

/** How often it is looked whether a trigger was missed (minutes). */
const CATCH_UP_MINUTES = 10;

/**
 * The windows in which the cluster sleeps: for each, one trigger of sleep and one of wake, in the window's time zone. Beside
 * them what makes good for a missed one, and what looks for a cluster that nobody uses.
 */
export class ClusterSchedules extends Construct {
  constructor(scope: Construct, id: string, props: ClusterSchedulesProps) {
    super(scope, id);
    const { cluster, schedules, catchUp, detectIdle } = props;
    if (schedules.length === 0 && detectIdle === undefined) return;
    const scheduleGroup = new scheduler.ScheduleGroup(this, 'Group', {
      scheduleGroupName: cluster,
      // Kept, its name would be taken when the stack is made again.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    for (const schedule of schedules) this.addWindow(scheduleGroup, schedule, props);
    const looks = [...(schedules.length > 0 ? [catchUp] : []), ...(detectIdle ? [detectIdle] : [])];
    // The library's own role would be allowed to invoke every version of a function; there is one.
    const role = new Role(this, 'LooksRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: 'Scheduled looks',
    });
    allow(role, {
      sid: 'InvokeLooks',
      actions: ['lambda:InvokeFunction'],
      resources: looks.map(({ functionArn }) => functionArn),
    });
    const every = (minutes: number, name: string, description: string, handler: IFunction) =>
      new scheduler.Schedule(this, name, {
        scheduleName: `${cluster}-${name}`,
        scheduleGroup,
        description,
        schedule: scheduler.ScheduleExpression.rate(Duration.minutes(minutes)),
        target: new LambdaInvoke(handler, {
          input: scheduler.ScheduleTargetInput.fromObject({ execution: scheduler.ContextAttribute.executionId }),
          role: role.withoutPolicyUpdates(),
          // The next look finds the same: a lost one is not worth an alarm.
          retryAttempts: 0,
        }),
      });
    if (schedules.length > 0) every(CATCH_UP_MINUTES, 'catch-up', 'Makes good for triggers that were missed', catchUp);
    if (detectIdle) every(LOOK_MINUTES, 'detect-idle', 'Looks whether anybody uses the cluster', detectIdle);
  }

  private addWindow(
    scheduleGroup: scheduler.IScheduleGroup,
    { name, days, timeZone, ...times }: ScheduleConfig,
    { cluster, sleep, wake, deadLetters }: ClusterSchedulesProps,
  ): void {
    for (const [workflow, machine] of [['sleep', sleep] as const, ['wake', wake] as const]) {
      const time = times[workflow];
      if (time === undefined) continue;
      const [hour = '', minute = ''] = time.split(':');
      new scheduler.Schedule(this, `${name}-${workflow}`, {
        scheduleName: `${cluster}-${name}-${workflow}`,
        scheduleGroup,
        description: `${workflow} at ${time} ${timeZone} (${days.join(', ')})`,
        schedule: scheduler.ScheduleExpression.cron({
          hour: String(Number(hour)),
          minute: String(Number(minute)),
          weekDay: days.join(',').toUpperCase(),
          timeZone: TimeZone.of(timeZone),
        }),
        target: new StepFunctionsStartExecution(machine, {
          // The moment that was meant, however late it arrives: by it an event is known.
          input: scheduler.ScheduleTargetInput.fromObject({
            requestedBy: `schedule:${name}`,
            scheduledAt: scheduler.ContextAttribute.scheduledTime,
          }),
          deadLetterQueue: deadLetters,
          retryAttempts: 10,
          maxEventAge: Duration.hours(1),
        }),
      });
    }
  }
}
