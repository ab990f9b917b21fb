import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Stack } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { hasResourceType } from '../../../core/facts/regions';
import { namesOf, TAG } from '../../../core/config/names';
import { servicePrincipal } from '../access/service-principal';

export interface NotificationsProps {
  cluster: string;
  /** Who gets the topic's messages by e-mail. */
  email: string | undefined;
  monthlyUsd: number;
  /** Region of the stack: CloudFormation can make a budget in some only. */
  region: string;
}

/** Where the cluster's news go, and a budget that reports there. */
export class Notifications extends Construct {
  readonly topic: Topic;

  constructor(scope: Construct, id: string, { cluster, email, monthlyUsd, region }: NotificationsProps) {
    super(scope, id);
    // Not encrypted with alias/aws/sns: alarms and budgets cannot publish under that key, and an own key is billed.
    this.topic = new Topic(this, 'Topic', {
      topicName: namesOf(cluster).notificationTopic,
      displayName: `drowse ${cluster}`,
      enforceSSL: true,
    });
    if (email !== undefined) this.topic.addSubscription(new EmailSubscription(email));
    const { account } = Stack.of(this);
    for (const service of ['cloudwatch', 'budgets']) {
      this.topic.addToResourcePolicy(
        new PolicyStatement({
          sid: `From${service}`,
          principals: [servicePrincipal(service)],
          actions: ['sns:Publish'],
          resources: [this.topic.topicArn],
          conditions: { StringEquals: { 'aws:SourceAccount': account } },
        }),
      );
    }
    // Budgets are the account's, not a region's: elsewhere a person makes one (docs/cost.md).
    if (!hasResourceType(region, CfnBudget.CFN_RESOURCE_TYPE_NAME)) return;
    const notify = (threshold: number, notificationType: 'ACTUAL' | 'FORECASTED') => ({
      notification: { notificationType, comparisonOperator: 'GREATER_THAN', threshold, thresholdType: 'PERCENTAGE' },
      subscribers: [{ subscriptionType: 'SNS', address: this.topic.topicArn }],
    });
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: `drowse-${cluster}`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: monthlyUsd, unit: 'USD' },
        // Works once the tag is activated for cost allocation (docs/cost.md); before that the budget sees nothing.
        costFilters: { TagKeyValue: [`user:${TAG.cluster}$${cluster}`] },
      },
      notificationsWithSubscribers: [notify(80, 'ACTUAL'), notify(100, 'ACTUAL'), notify(100, 'FORECASTED')],
    });
  }
}
