import * as z from 'zod';
import { pricesEnv } from '../../../core/cost/instance-price';

/** Environment of every step that knows the cluster. */
export const clusterEnv = z.object({
  /** Name of the cluster. */
  CLUSTER_NAME: z.string().min(1),
});

/** Environment of the steps that read or write the cluster's record. */
export const storeEnv = clusterEnv.extend({
  /** Name of the cluster's table. */
  TABLE_NAME: z.string().min(1),
});

/** Environment of the steps that look at snapshots. */
export const bucketEnv = storeEnv.extend({
  /** Name of the cluster's bucket. */
  BUCKET_NAME: z.string().min(1),
});

/** Environment of the steps under the lease that look at the Elastic IP. */
export const elasticIpEnv = storeEnv.extend({
  /** Allocation ID of the cluster's Elastic IP. */
  ELASTIC_IP_ID: z.string().startsWith('eipalloc-'),
});

/** Environment of the steps that give people a link to the page. */
export const noticeLinkEnv = z.object({
  /** Name of the parameter that holds the key of links. */
  LINK_KEY_PARAMETER: z.string().startsWith('/'),
  /** Address of the page. */
  PAGE_URL: z.string().min(1),
});

/** Environment of the steps that tell people how it went. */
export const notifyEnv = storeEnv.extend({
  /** ARN of the cluster's topic. */
  TOPIC_ARN: z.string().startsWith('arn:'),
});

/** Environment of the steps that tell people what the cluster costs as it is. */
export const costEnv = notifyEnv.extend(pricesEnv.shape);

/** How people reach the Kubernetes API. */
export const apiAccess = z.enum(['load-balancer', 'tunnel']);

/** Environment of the functions that say where the app is. */
export const appEnv = z.object({
  /** For example `https://app.example.org/`; empty if it has no name. */
  APP_URL: z.union([z.literal(''), z.url({ protocol: /^https$/ })]),
});

/** Environment of the steps that make the API load balancer. */
export const loadBalancerEnv = storeEnv.extend({
  /** How people reach the API; with `tunnel` there is no load balancer to make. */
  API_ACCESS: apiAccess,
  /** Public subnets of the load balancer, separated by commas. */
  SUBNET_IDS: z.string().min(1),
  /** Security group that lets the operator's addresses in. */
  SECURITY_GROUP_ID: z.string().startsWith('sg-'),
  /** Target group with the seats' fixed addresses. */
  TARGET_GROUP_ARN: z.string().startsWith('arn:'),
});
