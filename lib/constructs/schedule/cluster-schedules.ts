import { Duration, RemovalPolicy, TimeZone } from 'aws-cdk-lib';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { ScheduleConfig } from '../../config/schema';

export interface ClusterSchedulesProps {
  cluster: string;
  schedules: readonly ScheduleConfig[];
  sleep: IStateMachine;
  wake: IStateMachine;
  /** Takes triggers that could not be delivered. */
  deadLetters: IQueue;
}

/** The windows in which the cluster sleeps: for each, one trigger of sleep and one of wake, in the window's time zone. */
export class ClusterSchedules extends Construct {
  constructor(scope: Construct, id: string, { cluster, schedules, sleep, wake, deadLetters }: ClusterSchedulesProps) {
    super(scope, id);
    if (schedules.length === 0) return;
    const scheduleGroup = new scheduler.ScheduleGroup(this, 'Group', {
      scheduleGroupName: cluster,
      // Kept, its name would be taken when the stack is made again.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    for (const { name, days, timeZone, ...times } of schedules) {
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
            input: scheduler.ScheduleTargetInput.fromObject({ requestedBy: `schedule:${name}` }),
            deadLetterQueue: deadLetters,
            retryAttempts: 10,
            maxEventAge: Duration.hours(1),
          }),
        });
      }
    }
  }
}
