import { Duration, Validations } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

export interface InterruptionsProps {
  queueName: string;
}

/**
 * EC2's notices about instances, by the name that EventBridge gives them. Rebalance recommendations are not among them: few are
 * followed by an interruption, and in queue mode the handler empties the node for each, whatever `enableRebalanceDraining` says
 * (v1.25.6). The only worker would be emptied before there is another. Auto Scaling answers them by itself (`capacityRebalance`).
 */
const NOTICES: Readonly<Record<string, string>> = {
  SpotInterruption: 'EC2 Spot Instance Interruption Warning',
  StateChange: 'EC2 Instance State-change Notification',
};

/** Queue from which the node termination handler learns that a node is about to go; it knows its own nodes by tag. */
export class Interruptions extends Construct {
  constructor(scope: Construct, id: string, { queueName }: InterruptionsProps) {
    super(scope, id);
    const queue = new Queue(this, 'Queue', {
      queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      // A notice is about the next two minutes: an old one would drain a node for nothing.
      retentionPeriod: Duration.minutes(5),
    });
    Validations.of(queue).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'Notices are worth nothing after minutes: one that nobody takes may go',
    });
    for (const [rule, detailType] of Object.entries(NOTICES)) {
      new events.Rule(this, rule, {
        description: detailType,
        eventPattern: { source: ['aws.ec2'], detailType: [detailType] },
        targets: [new SqsQueue(queue)],
      });
    }
  }
}
