import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type { EC2Client } from '@aws-sdk/client-ec2';
import type { SFNClient } from '@aws-sdk/client-sfn';
import type * as z from 'zod';
import { autoScaling, dynamo, ec2, loadBalancing, s3, sns, ssm, stepFunctions } from '../clients/clients';
import { LaunchBreaker } from '../ec2/breaker';
import type { LoadBalancerDeps } from '../ec2/make-load-balancer';
import { LinkKey } from '../links/link-key';
import { LinkStore } from '../links/link-store';
import type { NoticeLinkDeps } from '../links/notice-link';
import { ClusterStore } from '../record/cluster-store';
import { HistoryStore } from '../record/history-store';
import type { bucketEnv, loadBalancerEnv, noticeLinkEnv, notifyEnv, storeEnv } from './env';
import type { NotifyDeps } from '../news/notify';
import { Outbox } from '../news/outbox';
import type { RunCommandDeps } from '../commands/run-command';
import { RunStore } from '../record/run-store';
import type { PoolDeps } from '../ec2/short-pools';
import type { SnapshotDeps } from '../commands/snapshots';

type StoreEnv = z.output<typeof storeEnv>;

/** The cluster's record, for a step's `deps`. */
export function clusterStore({ TABLE_NAME }: Pick<StoreEnv, 'TABLE_NAME'>): ClusterStore {
  return new ClusterStore(dynamo(), TABLE_NAME);
}

/** What is known of past runs, for a step's `deps`. */
export function runStore({ TABLE_NAME }: Pick<StoreEnv, 'TABLE_NAME'>): RunStore {
  return new RunStore(dynamo(), TABLE_NAME);
}

/** What became of past runs, for a step's `deps`. */
export function historyStore({ TABLE_NAME }: Pick<StoreEnv, 'TABLE_NAME'>): HistoryStore {
  return new HistoryStore(dynamo(), TABLE_NAME);
}

/** What a step that runs a command on a seat works with. */
export function runCommandDeps(env: StoreEnv): RunCommandDeps {
  return { cluster: env.CLUSTER_NAME, ec2: ec2(), ssm: ssm(), store: clusterStore(env) };
}

/** What a step that looks at snapshots works with. */
export function snapshotDeps(env: z.output<typeof bucketEnv>): SnapshotDeps {
  return { cluster: env.CLUSTER_NAME, bucket: env.BUCKET_NAME, s3: s3(), store: clusterStore(env) };
}

/** What a step that changes groups and looks at their instances works with. */
export interface GroupDeps {
  cluster: string;
  autoScaling: AutoScalingClient;
  ec2: EC2Client;
  store: ClusterStore;
}

export function groupDeps(env: StoreEnv): GroupDeps {
  return { cluster: env.CLUSTER_NAME, autoScaling: autoScaling(), ec2: ec2(), store: clusterStore(env) };
}

/** What a step that makes the API load balancer works with. */
export function loadBalancerDeps(env: z.output<typeof loadBalancerEnv>): LoadBalancerDeps {
  return {
    cluster: env.CLUSTER_NAME,
    loadBalancing: loadBalancing(),
    subnetIds: env.SUBNET_IDS.split(','),
    securityGroupId: env.SECURITY_GROUP_ID,
    targetGroupArn: env.TARGET_GROUP_ARN,
    store: clusterStore(env),
  };
}

/** What a step that tells people how it went works with, under `notify` in its `deps`. */
export function notifyDeps({ TABLE_NAME, TOPIC_ARN }: z.output<typeof notifyEnv>): NotifyDeps {
  return { outbox: new Outbox(dynamo(), TABLE_NAME), sns: sns(), topicArn: TOPIC_ARN };
}

/** What a step that gives people a link to the page works with. */
export function noticeLinkDeps(env: StoreEnv & z.output<typeof noticeLinkEnv>): NoticeLinkDeps {
  return {
    cluster: env.CLUSTER_NAME,
    key: new LinkKey(ssm(), env.LINK_KEY_PARAMETER),
    links: new LinkStore(dynamo(), env.TABLE_NAME),
    pageUrl: env.PAGE_URL,
  };
}

/** What a step that ends a workflow badly works with. */
export interface FailureDeps {
  cluster: string;
  store: ClusterStore;
  history: Pick<HistoryStore, 'record'>;
  sfn: SFNClient;
  notify: NotifyDeps;
}

export function failureDeps(env: StoreEnv & z.output<typeof notifyEnv>): FailureDeps {
  return {
    cluster: env.CLUSTER_NAME,
    store: clusterStore(env),
    history: historyStore(env),
    sfn: stepFunctions(),
    notify: notifyDeps(env),
  };
}

/** What keeps a group from launching nodes that fail for ever. */
export function launchBreaker({ TABLE_NAME }: Pick<StoreEnv, 'TABLE_NAME'>): LaunchBreaker {
  return new LaunchBreaker(dynamo(), TABLE_NAME);
}

/** What a step that looks for pools that are not up works with. */
export function poolDeps(env: StoreEnv): PoolDeps {
  return {
    cluster: env.CLUSTER_NAME,
    autoScaling: autoScaling(),
    ec2: ec2(),
    breaker: launchBreaker(env),
    store: clusterStore(env),
  };
}
