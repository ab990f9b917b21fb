import type { ClusterConfig } from './schema';

/** CloudWatch namespace of what seats report (userdata/report-api.sh). */
export const METRICS_NAMESPACE = 'drowse';

/** Port of the Kubernetes API, on the nodes and on the load balancer. */
export const API_PORT = 6443;

/** Tag keys that drowse reads and writes. Values stay within the characters that EC2 tags allow. */
export const TAG = {
  /** Name of the cluster; on everything. Permission conditions and discovery go by it. */
  cluster: 'drowse:cluster',
  /** `seat` or `pool`; on groups and their instances. */
  role: 'drowse:role',
  /** Index of the seat, from 0; on groups, instances and state volumes. */
  seat: 'drowse:seat',
  /** Name of the pool; on groups and instances. */
  pool: 'drowse:pool',
  /** `true` on the group whose node carries the Elastic IP, and on its instances. */
  ingress: 'drowse:ingress',
  /** Configured sizes; on groups. */
  min: 'drowse:min',
  desired: 'drowse:desired',
  max: 'drowse:max',
  /** What sleep does to the pool's nodes: `terminate` or `stop`; on pool groups. */
  sleep: 'drowse:sleep',
  /** `true` on groups of pools whose nodes carry GPUs. */
  gpu: 'drowse:gpu',
  /** How the pool buys capacity: `spot`, `on-demand` or `spot-with-fallback`; on pool groups. */
  market: 'drowse:market',
  /** How far a node has come (`booting`, …, `ready`, `failed:<reason>`); written by the node on its own instance. */
  phase: 'drowse:phase',
  /** When the phase was reached, UTC ISO. */
  phaseAt: 'drowse:phase-at',
  /** ARN of the one instance that may read a join parameter; on those parameters. */
  onlyFor: 'drowse:only-for',
} as const;

/**
 * Quotas of running vCPUs by kind of instance and market. Source of the codes and of which families they cover: "Amazon
 * EC2 instance quotas" in the EC2 user guide. Other families have quotas of their own, about which nothing is said.
 */
export const QUOTA = {
  standard: { 'on-demand': 'L-1216C47A', spot: 'L-34B43A08' },
  'G and VT': { 'on-demand': 'L-DB2E81BA', spot: 'L-3819A6DF' },
} as const;

/** Name of the launch lifecycle hook of pools. */
export const LAUNCH_HOOK = 'launch';

/** CloudWatch log group of a function. AWS gives no other. */
export function functionLogGroup(functionName: string): string {
  return `/aws/lambda/${functionName}`;
}

/** CloudWatch log group of a state machine. Groups whose names start so share one resource policy of the account, which has a limit. */
export function workflowLogGroup(stateMachineName: string): string {
  return `/aws/vendedlogs/states/${stateMachineName}`;
}

/** Every name that is derived from the cluster's: one place, so that stacks, handlers, scripts and tools agree. */
export function namesOf(cluster: string) {
  return {
    cluster,
    foundationStack: `${cluster}-foundation`,
    clusterStack: `${cluster}-cluster`,
    operationsStack: `${cluster}-operations`,
    auditStack: `${cluster}-audit`,
    table: `drowse-${cluster}`,
    bucket: (account: string, region: string) => `drowse-${cluster}-${account}-${region}`,
    seatGroup: (seat: number) => `${cluster}-seat-${String(seat)}`,
    poolGroup: (pool: string) => `${cluster}-pool-${pool}`,
    /** Role of the function that lays node bundle and platform into the bucket: nobody else may write there. */
    deployerRole: (region: string) => `drowse-${cluster}-${region}-deployer`,
    /** State machine of a workflow, for example `sleep`. */
    workflow: (workflow: string) => `${cluster}-${workflow}`,
    /** Function of a step, for example `drain-nodes`. */
    step: (step: string) => `${cluster}-${step}`,
    /** SSM document of a command, for example `mint-join-token`. */
    document: (command: string) => `${cluster}-${command}`,
    /** CloudWatch log group of the nodes' journals. */
    nodeLogGroup: `/drowse/${cluster}/nodes`,
    parameterRoot: `/drowse/${cluster}`,
    /** Parameter with the join token of one instance, which no other can read. */
    joinParameter: (pool: string, instanceId: string) => `/drowse/${cluster}/join/${pool}/${instanceId}`,
    joinParameterRoot: `/drowse/${cluster}/join`,
    kubeconfigParameter: `/drowse/${cluster}/kubeconfig`,
    /** Record that the cluster was initialised, and with which authorities: a blank volume is then no first boot. */
    initializedParameter: `/drowse/${cluster}/initialized`,
    /** What the seats brought the cluster to: version, networks, number of seats. A deploy that cannot follow from it is refused. */
    runningParameter: `/drowse/${cluster}/running`,
    /** What a deploy says that seats apply: digest of the platform's tree, and what tells Flux about this cluster. */
    platformParameter: `/drowse/${cluster}/platform`,
    /** Which state volume a deployment made for a seat: asked for where several carry the seat's tags. */
    volumeParameter: (seat: number) => `/drowse/${cluster}/volume/${String(seat)}`,
    snapshotKeyParameter: `/drowse/${cluster}/snapshot-key`,
    /** Path of the parameters with the addresses of webhooks. */
    webhookParameterRoot: `/drowse/${cluster}/webhook`,
    /** The key that signs links to the page. */
    linkKeyParameter: `/drowse/${cluster}/link-key`,
    apiLoadBalancer: `${cluster}-api`,
    /** Queue of spot interruption notices, from which the termination handler in the cluster drains nodes. */
    interruptionQueue: `${cluster}-interruptions`,
    /** Topic of everything that a person should hear of; Alertmanager publishes to it as well. */
    notificationTopic: `${cluster}-notifications`,
    /** Fixed name of the Kubernetes API in every node's /etc/hosts and in the API server's certificate. */
    endpoint: `api.${cluster}.drowse.internal`,
  };
}

/** The derived names of a cluster. */
export type Names = ReturnType<typeof namesOf>;

/** Full names of the availability zones of a configuration, for example `us-east-1a`. */
export function zonesOf(config: Pick<ClusterConfig, 'region' | 'zones'>): string[] {
  return config.zones.map((letter) => `${config.region}${letter}`);
}

/** What is known of the app from outside, with what follows from the rest where `cluster.yaml` does not say it. */
export function appOf({ name, app, platform }: Pick<ClusterConfig, 'name' | 'app' | 'platform'>) {
  const { domain } = app;
  const ingress = platform.overlay === 'default' ? 'ingress' : 'none';
  return {
    /** Host name by which the ingress knows the app; without a domain nobody else does. */
    host: domain ?? `app.${name}.drowse.internal`,
    /** Where people find it; empty without a domain. */
    url: domain === undefined ? '' : `https://${domain}/`,
    certificates: app.certificates ?? (domain === undefined ? 'self-signed' : 'letsencrypt'),
    /** What a wake must see from outside. */
    probe: app.probe ?? (domain === undefined ? ingress : 'app'),
    probePath: app.probePath,
    /** True if CloudFront stands at its name, and shows visitors a page while nobody answers. */
    hasWaitingPage: app.waitingPage !== undefined,
  } as const;
}
