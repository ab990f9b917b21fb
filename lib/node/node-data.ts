import * as z from 'zod';

/**
 * The one document that tells an instance who it is. User data writes it to `/etc/drowse/node.json`; the node scripts
 * read nothing else about the cluster. What to *install* is not here but in the node bundle (see `install.ts`), so that
 * user data stays small and an image can be baked without knowing the instance.
 *
 * Names that follow from the cluster's are not repeated: its SSM parameters are `/drowse/<cluster>/…`: `join/<pool>/<instance>`,
 * `kubeconfig`, `snapshot-key`, and `initialized` (the conditional record that the cluster exists).
 *
 * Strings may be CDK tokens at synthesis (bucket, addresses): formats that only AWS knows are checked on the node.
 */

const taint = z.strictObject({
  /** Key of the taint, for example `nvidia.com/gpu`. */
  key: z.string().min(1),
  /** Value of the taint; may be empty. */
  value: z.string(),
  effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
});

const seat = z.strictObject({
  /** Index of the seat from 0; the state volume carries it as its `drowse:seat` tag. Seat 0 initialises the cluster. */
  index: z.int().min(0).max(2),
  /** Address that the seat keeps for ever: reserved in its subnet, taken over at boot as a secondary address. */
  fixedIp: z.string().min(1),
  /** True if this seat carries the Elastic IP (one seat only): labelled so that the ingress controller lands there. */
  ingress: z.boolean().default(false),
  /** True if people get certificates of their own: no shared administrator is stored at boot then. */
  namedOperators: z.boolean().optional(),
});

const pool = z.strictObject({
  /** Name of the pool; its nodes' join parameters are named after it. */
  name: z.string().min(1),
  /** The pool's own labels; the node adds those that every pool has (`labelsOfPool`). */
  labels: z.record(z.string(), z.string()).default({}),
  /** Kubernetes taints that the kubelet registers its node with. */
  taints: z.array(taint).default([]),
  /** True if the node must show an NVIDIA GPU before it joins. */
  gpu: z.boolean().default(false),
  /** True if this pool's node carries the Elastic IP. */
  ingress: z.boolean().default(false),
});

/** Schema of the node data document. */
export const nodeDataSchema = z
  .strictObject({
    /** Version of this document; the scripts refuse any other. */
    schema: z.literal(1),
    /** Name of the cluster, as in the `drowse:cluster` tag of everything that the node may touch. */
    cluster: z.string().min(1),
    /** AWS region of the cluster. */
    region: z.string().min(1),
    /** Domain of AWS's endpoints there, as `services/domain` of the metadata service: `amazonaws.com`. */
    domain: z.string().min(1),
    /** Bucket of the cluster: node bundle, platform tree, snapshots, logs. */
    bucket: z.string().min(1),
    /** CloudWatch log group that takes the journal of our units; one stream per instance. */
    logGroup: z.string().min(1),
    role: z.enum(['seat', 'pool']),
    /** Present if and only if `role` is `seat`. */
    seat: seat.optional(),
    /** Present if and only if `role` is `pool`. */
    pool: pool.optional(),
    kubernetes: z.strictObject({
      /** Full version without a `v`, for example `1.36.3`. */
      version: z.string().regex(/^1\.\d+\.\d+$/),
      podCidr: z.string().min(1),
      serviceCidr: z.string().min(1),
      /** kube-proxy's mode, explicit since 1.37 warns when unset; Calico's data plane must match. */
      proxyMode: z.enum(['iptables', 'nftables']),
    }),
    endpoint: z.strictObject({
      /** Fixed name of the API in every node's /etc/hosts and in the API server's certificate. */
      name: z.string().min(1),
      /** TCP port of the API, on the nodes and at the load balancer. */
      port: z.int().min(1).max(65535),
      /** Fixed addresses of all seats, in the order of their index: one or three. */
      seats: z.array(z.string().min(1)).min(1).max(3),
    }),
  })
  .refine((data) => (data.role === 'seat') === (data.seat !== undefined), 'seat is given exactly if role is seat')
  .refine((data) => (data.role === 'pool') === (data.pool !== undefined), 'pool is given exactly if role is pool');

/** The node data document with every default filled in. */
export type NodeData = z.infer<typeof nodeDataSchema>;
/** What a stack passes in: defaults may be left out. */
export type NodeDataInput = z.input<typeof nodeDataSchema>;

/** Checks node data and fills in its defaults; throws zod's error, which names the field. */
export function parseNodeData(input: NodeDataInput): NodeData {
  return nodeDataSchema.parse(input);
}

/** Label of the node that carries the Elastic IP; the ingress controller selects it. */
export const INGRESS_LABEL = 'drowse.dev/ingress';
/** Label that names a node's pool. */
export const POOL_LABEL = 'drowse.dev/pool';

/**
 * Every label that nodes of a pool register with. The node-template tags of its Auto Scaling group must say the same, or
 * Cluster Autoscaler does not scale it from zero (autoscaler#5278). GPU nodes carry the label that the device plugin's
 * chart selects, and the one without which the autoscaler counts a GPU twice (autoscaler#3164).
 */
export function labelsOfPool(config: {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly gpu?: boolean;
  readonly ingress?: boolean;
}): Record<string, string> {
  const labels = {
    [POOL_LABEL]: config.name,
    ...(config.ingress === true ? { [INGRESS_LABEL]: 'true' } : {}),
    ...(config.gpu === true ? { 'nvidia.com/gpu.present': 'true', 'k8s.amazonaws.com/accelerator': 'nvidia' } : {}),
    ...config.labels,
  };
  return Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
