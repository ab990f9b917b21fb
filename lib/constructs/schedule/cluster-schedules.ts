import { Duration, RemovalPolicy, Stack, TimeZone } from 'aws-cdk-lib';
import { Role } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke, StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { ScheduleConfig } from '../../../core/config/schema';
import { allow } from '../access/statement';
import { daysOfWorkflow } from '../../../core/schedule/events';
import { rehearsalOf } from '../../../core/schedule/rehearsal';
import { CARE_MINUTES } from '../../../core/decisions/look-after';
import { LOOK_MINUTES } from '../../../core/schedule/idle';
import { servicePrincipal } from '../access/service-principal';

export interface ClusterSchedulesProps {
  cluster: string;
  schedules: readonly ScheduleConfig[];
  sleep: IStateMachine;
  wake: IStateMachine;
  /** Looks whether the cluster is as it should be. */
  lookAfter: IFunction;
  /** Looks, the evening before, at what a wake will need. */
  rehearseWake: IFunction;
  /** Looks whether anybody uses the cluster; undefined if nobody asked for that. */
  detectIdle: IFunction | undefined;
  /** Takes triggers that could not be delivered. */
  deadLetters: IQueue;
}

/**
 * The windows in which the cluster sleeps: for each, one trigger of sleep and one of wake, in the window's time zone. Beside
 * them what looks after the cluster, and what looks for one that nobody uses.
 */
export class ClusterSchedules extends Construct {
  constructor(scope: Construct, id: string, props: ClusterSchedulesProps) {
    super(scope, id);
    const { cluster, schedules, lookAfter, rehearseWake, detectIdle } = props;
    const scheduleGroup = new scheduler.ScheduleGroup(this, 'Group', {
      scheduleGroupName: cluster,
      // Kept, its name would be taken when the stack is made again.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    for (const schedule of schedules) this.addWindow(scheduleGroup, schedule, props);
    const wakes = schedules.flatMap((schedule) => {
      const rehearsal = rehearsalOf(schedule);
      return rehearsal ? [{ ...schedule, ...rehearsal }] : [];
    });
    const looks = [lookAfter, ...(wakes.length > 0 ? [rehearseWake] : []), ...(detectIdle ? [detectIdle] : [])];
    // The library's own role would be allowed to invoke every version of a function; there is one.
    const role = new Role(this, 'LooksRole', {
      assumedBy: servicePrincipal('scheduler', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: 'Scheduled looks',
    });
    allow(role, {
      sid: 'InvokeLooks',
      actions: ['lambda:InvokeFunction'],
      resources: looks.map(({ functionArn }) => functionArn),
    });
    const look = (name: string, description: string, handler: IFunction, when: scheduler.ScheduleExpression) =>
      new scheduler.Schedule(this, name, {
        scheduleName: `${cluster}-${name}`,
        scheduleGroup,
        description,
        schedule: when,
        target: new LambdaInvoke(handler, {
          input: scheduler.ScheduleTargetInput.fromObject({ execution: scheduler.ContextAttribute.executionId }),
          role: role.withoutPolicyUpdates(),
          // The next look finds the same: a lost one is not worth an alarm.
          retryAttempts: 0,
        }),
      });
    const every = (minutes: number) => scheduler.ScheduleExpression.rate(Duration.minutes(minutes));
    look('look-after', 'Puts right what is not as it should be', lookAfter, every(CARE_MINUTES));
    if (detectIdle) look('detect-idle', 'Looks whether anybody uses the cluster', detectIdle, every(LOOK_MINUTES));
    for (const { name, time, days, timeZone } of wakes) {
      const description = `Rehearses the wake of ${name} at ${time} ${timeZone} (${days.join(', ')})`;
      look(`${name}-rehearsal`, description, rehearseWake, weekly(time, days, timeZone));
    }
  }

  private addWindow(
    scheduleGroup: scheduler.IScheduleGroup,
    schedule: ScheduleConfig,
    { cluster, sleep, wake, deadLetters }: ClusterSchedulesProps,
  ): void {
    const { name, timeZone } = schedule;
    for (const [workflow, machine] of [['sleep', sleep] as const, ['wake', wake] as const]) {
      const time = schedule[workflow];
      if (time === undefined) continue;
      const days = daysOfWorkflow(schedule, workflow);
      new scheduler.Schedule(this, `${name}-${workflow}`, {
        scheduleName: `${cluster}-${name}-${workflow}`,
        scheduleGroup,
        description: `${workflow} at ${time} ${timeZone} (${days.join(', ')})`,
        schedule: weekly(time, days, timeZone),
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

/** At a time of some days of each week. */
function weekly(time: string, days: readonly string[], timeZone: string): scheduler.ScheduleExpression {
  const [hour = '', minute = ''] = time.split(':');
  return scheduler.ScheduleExpression.cron({
    hour: String(Number(hour)),
    minute: String(Number(minute)),
    weekDay: days.join(',').toUpperCase(),
    timeZone: TimeZone.of(timeZone),
  });
}
