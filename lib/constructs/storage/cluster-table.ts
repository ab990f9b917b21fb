import { RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

export interface ClusterTableProps {
  tableName: string;
  /** The user's own key; DynamoDB's free one without it. */
  key: IKey | undefined;
}

/** The cluster's state, lease and sent commands: a few items, billed by request, so that it costs nothing asleep. */
export class ClusterTable extends Construct {
  readonly table: dynamodb.Table;

  constructor(scope: Construct, id: string, { tableName, key }: ClusterTableProps) {
    super(scope, id);
    this.table = new dynamodb.Table(this, 'Table', {
      tableName,
      partitionKey: { name: 'id', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      ...(key && { encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED, encryptionKey: key }),
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
  }
}
