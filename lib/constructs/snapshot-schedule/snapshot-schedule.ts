import { Duration } from 'aws-cdk-lib';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { StepFunctionsStartExecution } from 'aws-cdk-lib/aws-scheduler-targets';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

export interface SnapshotScheduleProps {
  cluster: string;
  everyMinutes: number;
  snapshotEtcd: IStateMachine;
}

/**
 * Starts snapshot-etcd every so often, asleep too: the workflow ends at once then, which costs a few cents a month and has
 * no switch that could be forgotten. A lost trigger is not kept: the next one does the same.
 */
export class SnapshotSchedule extends Construct {
  constructor(scope: Construct, id: string, { cluster, everyMinutes, snapshotEtcd }: SnapshotScheduleProps) {
    super(scope, id);
    new scheduler.Schedule(this, 'Schedule', {
      scheduleName: `${cluster}-snapshot-etcd`,
      description: 'Saves etcd to the bucket while the cluster is awake',
      schedule: scheduler.ScheduleExpression.rate(Duration.minutes(everyMinutes)),
      target: new StepFunctionsStartExecution(snapshotEtcd, {
        input: scheduler.ScheduleTargetInput.fromObject({ requestedBy: 'schedule:snapshots' }),
        retryAttempts: 3,
        maxEventAge: Duration.minutes(10),
      }),
    });
  }
}
