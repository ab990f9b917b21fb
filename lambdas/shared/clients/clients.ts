import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { S3Client } from '@aws-sdk/client-s3';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { SSMClient } from '@aws-sdk/client-ssm';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { getHttps, type Web } from './https';
import { logAwsCalls } from './log-aws-calls';
import { nameNetworkErrors } from './name-network-errors';

/** One client for each AWS service that the steps call. */
export interface Clients {
  ec2: EC2Client;
  autoScaling: AutoScalingClient;
  loadBalancing: ElasticLoadBalancingV2Client;
  s3: S3Client;
  serviceQuotas: ServiceQuotasClient;
  ssm: SSMClient;
  sns: SNSClient;
  stepFunctions: SFNClient;
  dynamo: DynamoDBDocumentClient;
  /** Not AWS: the app, from outside. */
  web: Web;
}

/** Throttling and passing faults are the SDK's business, not the state machine's. Times in ms. */
const CONFIG = { maxAttempts: 5, requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 } };

let standIns: Partial<Clients> = {};

/**
 * Runs `make` with other clients in place of the real ones: how the twin gives a step its model of AWS. Nothing that
 * awaits, so two models never see each other.
 */
export function withClients<T>(clients: Partial<Clients>, make: () => T): T {
  standIns = clients;
  try {
    return make();
  } finally {
    standIns = {};
  }
}

/** Makes a client on first use and keeps it for the life of the function. */
function lazy<Name extends keyof Clients>(name: Name, make: () => Clients[Name]): () => Clients[Name] {
  let made: Clients[Name] | undefined;
  return () => standIns[name] ?? (made ??= make());
}

/** What every client gets. */
function prepare<Client>(client: Client): Client {
  return nameNetworkErrors(logAwsCalls(client));
}

// Each is marked pure, so that a bundle carries only the clients that its handler names.
export const ec2 = /* @__PURE__ */ lazy('ec2', () => prepare(new EC2Client(CONFIG)));
export const autoScaling = /* @__PURE__ */ lazy('autoScaling', () => prepare(new AutoScalingClient(CONFIG)));
export const loadBalancing = /* @__PURE__ */ lazy('loadBalancing', () =>
  prepare(new ElasticLoadBalancingV2Client(CONFIG)),
);
export const s3 = /* @__PURE__ */ lazy('s3', () => prepare(new S3Client(CONFIG)));
/** Nobody waits long for an answer without which everything goes on. */
export const serviceQuotas = /* @__PURE__ */ lazy('serviceQuotas', () =>
  prepare(
    new ServiceQuotasClient({ maxAttempts: 2, requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000 } }),
  ),
);
/** The work is done when somebody is told of it: no step waits long for that. */
export const sns = /* @__PURE__ */ lazy('sns', () =>
  prepare(new SNSClient({ maxAttempts: 3, requestHandler: { connectionTimeout: 2_000, requestTimeout: 4_000 } })),
);
export const ssm = /* @__PURE__ */ lazy('ssm', () => prepare(new SSMClient(CONFIG)));
export const stepFunctions = /* @__PURE__ */ lazy('stepFunctions', () => prepare(new SFNClient(CONFIG)));
export const dynamo = /* @__PURE__ */ lazy('dynamo', () =>
  DynamoDBDocumentClient.from(prepare(new DynamoDBClient(CONFIG)), {
    marshallOptions: { removeUndefinedValues: true },
  }),
);
export const web = /* @__PURE__ */ lazy('web', () => ({ get: getHttps }));
