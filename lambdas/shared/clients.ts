import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { logAwsCalls } from './log-aws-calls';

/** Throttling and passing faults are the SDK's business, not the state machine's. Times in ms. */
const CONFIG = { maxAttempts: 5, requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 } };

/** Makes a client on first use and keeps it for the life of the function. */
function lazy<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

// Each is marked pure, so that a bundle carries only the clients that its handler names.
export const ec2 = /* @__PURE__ */ lazy(() => logAwsCalls(new EC2Client(CONFIG)));
export const autoScaling = /* @__PURE__ */ lazy(() => logAwsCalls(new AutoScalingClient(CONFIG)));
export const loadBalancing = /* @__PURE__ */ lazy(() => logAwsCalls(new ElasticLoadBalancingV2Client(CONFIG)));
export const ssm = /* @__PURE__ */ lazy(() => logAwsCalls(new SSMClient(CONFIG)));
export const stepFunctions = /* @__PURE__ */ lazy(() => logAwsCalls(new SFNClient(CONFIG)));
export const dynamo = /* @__PURE__ */ lazy(() =>
  DynamoDBDocumentClient.from(logAwsCalls(new DynamoDBClient(CONFIG)), {
    marshallOptions: { removeUndefinedValues: true },
  }),
);
