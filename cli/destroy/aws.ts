import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { CommandFailed } from '../terminal/errors';

/** The account that a cluster is in, as the person who destroys it sees it. */
export interface Aws {
  account: string;
  partition: string;
  region: string;
  autoScaling: AutoScalingClient;
  cloudFormation: CloudFormationClient;
  dynamo: DynamoDBClient;
  ec2: EC2Client;
  loadBalancing: ElasticLoadBalancingV2Client;
  s3: S3Client;
  sfn: SFNClient;
  ssm: SSMClient;
}

export async function connect(region: string): Promise<Aws> {
  const identity = await new STSClient({ region }).send(new GetCallerIdentityCommand({}));
  return {
    account: identity.Account ?? '',
    partition: identity.Arn?.split(':')[1] ?? 'aws',
    region,
    autoScaling: new AutoScalingClient({ region }),
    cloudFormation: new CloudFormationClient({ region }),
    dynamo: new DynamoDBClient({ region }),
    ec2: new EC2Client({ region }),
    loadBalancing: new ElasticLoadBalancingV2Client({ region }),
    s3: new S3Client({ region }),
    sfn: new SFNClient({ region }),
    ssm: new SSMClient({ region }),
  };
}

/** Between two looks (ms). */
const LOOK_MS = 2_000;

/** Waits until something holds. @throws CommandFailed after so many minutes */
export async function until(what: string, minutes: number, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + minutes * 60_000;
  while (!(await holds())) {
    if (Date.now() > end) {
      throw new CommandFailed(
        `Not within ${String(minutes)} minutes: ${what}`,
        'Look at it in the AWS console, then run the command again.',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
