import * as z from 'zod';

/** Kubernetes minors that the node scripts and the platform are made for; source: kubernetes.io/releases, 2026-11-20. */
export const KUBERNETES_MINORS = ['1.35', '1.36', '1.37'] as const;

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** A Kubernetes or AWS name of ours: short, lower case, safe in every resource name that it becomes part of. */
const shortName = (max: number) =>
  z
    .string()
    .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, 'use lower-case letters, digits and dashes, starting with a letter')
    .max(max, `use at most ${String(max)} characters`);

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use a time of day as HH:MM, in 24 hours');
const timeZone = z
  .string()
  .refine(isTimeZone, 'use an IANA time zone, for example Europe/Berlin, America/New_York or UTC');
const instanceTypes = z
  .array(z.string().regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'use an EC2 instance type, for example t3.medium'))
  .min(1, 'name at least one instance type');
const amiId = z.string().regex(/^ami-[0-9a-f]{8,17}$/, 'use an AMI ID (ami-…)');
/** Short enough for the tag by which Cluster Autoscaler learns of it: AWS allows 128 characters, its prefix takes 46. */
const labelKey = z
  .string()
  .max(80, 'use at most 80 characters')
  .regex(
    /^([a-z0-9]([a-z0-9.-]*[a-z0-9])?\/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/,
    'use a Kubernetes label key',
  );
const labelValue = z
  .string()
  .regex(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/, 'use a Kubernetes label value (quote true and numbers)');

/** Days for which CloudWatch Logs can keep logs: it knows no others. */
const logRetention = z.literal([1, 3, 5, 7, 14, 30, 60, 90, 180, 365]);

/** Names are substituted into YAML without quotes, where these words are no strings. */
const YAML_WORDS = new Set(['y', 'yes', 'n', 'no', 'on', 'off', 'true', 'false', 'null']);

const taint = z.strictObject({
  key: labelKey.describe('Key of the taint, for example nvidia.com/gpu'),
  value: labelValue.min(1, 'give the taint a value, for example "true"').describe('Value of the taint'),
  effect: z
    .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
    .describe('What happens to pods that do not tolerate it'),
});

const pool = z.strictObject({
  name: shortName(20).describe('Name of the pool, unique in the cluster'),
  instanceTypes: instanceTypes.describe(
    'Instance types in order of preference; all x86-64, all with or all without GPU',
  ),
  market: z
    .enum(['spot', 'on-demand', 'spot-with-fallback'])
    .default('on-demand')
    .describe('How capacity is bought; spot-with-fallback takes on-demand where there is no spot capacity'),
  min: z.int().min(0).max(1000).default(0).describe('Smallest number of nodes while awake'),
  max: z.int().min(0).max(1000).default(1).describe('Largest number of nodes; Cluster Autoscaler stays below it'),
  desired: z.int().min(0).max(1000).default(1).describe('Nodes at bootstrap; later wakes bring back the last size'),
  labels: z.record(labelKey, labelValue).default({}).describe('Kubernetes labels of each node'),
  taints: z
    .array(taint)
    .default([])
    .describe('Kubernetes taints of each node; GPU pools beside others keep off what needs no GPU by themselves'),
  gpu: z.boolean().default(false).describe('True if the instance types carry NVIDIA GPUs'),
  diskGiB: z.int().min(20).max(16_384).default(50).describe('Root disk of each node, in GiB (gp3, encrypted)'),
  ingress: z.boolean().default(false).describe('True for the one pool whose node carries the Elastic IP'),
  sleep: z
    .enum(['terminate', 'stop'])
    .default('terminate')
    .describe('What sleep does to nodes: stop keeps disk and images (on-demand only; the disks are billed)'),
  ami: amiId.optional().describe('AMI to use instead of the public image'),
});

const schedule = z.strictObject({
  name: shortName(20).describe('Name of the schedule, unique in the cluster'),
  days: z.array(z.enum(DAYS)).min(1, 'name at least one day').describe('Days of the week on which it acts'),
  sleep: timeOfDay.optional().describe('When to put the cluster to sleep, HH:MM'),
  wake: timeOfDay.optional().describe('When to wake it, HH:MM'),
  timeZone: timeZone.default('UTC').describe('IANA time zone of the times, daylight saving included'),
  catchUpMinutes: z
    .int()
    .min(30)
    .max(720)
    .default(60)
    .describe('For how long a trigger that was missed, or failed for a passing reason, is made good, in minutes'),
});

/**
 * What `cluster.yaml` may hold. The defaults are the cluster of the first seed: one t3.medium control plane, and one
 * g4dn.xlarge on spot that carries the Elastic IP.
 */
export const clusterConfigShape = z.strictObject({
  name: shortName(20)
    .refine((name) => !YAML_WORDS.has(name), 'use a name that YAML does not read as true, false or null')
    .default('drowse')
    .describe('Name of the cluster, unique in the account and region'),
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'use an AWS region, for example us-east-1')
    .default('us-east-1')
    .describe('AWS region'),
  zones: z
    .array(z.string().regex(/^[a-h]$/, 'use the letter of an availability zone, a to h'))
    .min(1, 'name at least one zone')
    .max(6, 'name at most six zones')
    .default(['a', 'b', 'c'])
    .describe('Letters of the availability zones to use; more zones find GPU capacity more often'),
  kubernetes: z
    .strictObject({
      version: z
        .string()
        .regex(/^\d+\.\d+\.\d+$/, 'use a full version, for example 1.36.2')
        .default('1.36.2')
        .describe(`Kubernetes version; minors ${KUBERNETES_MINORS.join(', ')}`),
      podCidr: z.cidrv4().default('10.244.0.0/16').describe('Addresses of pods'),
      serviceCidr: z.cidrv4().default('10.96.0.0/12').describe('Addresses of services'),
      proxyMode: z.enum(['iptables', 'nftables']).default('iptables').describe('kube-proxy mode; Calico follows it'),
    })
    .prefault({}),
  vpcCidr: z.cidrv4().default('10.0.0.0/16').describe('Addresses of the VPC'),
  operatorCidrs: z
    .array(z.cidrv4())
    .default([])
    .describe('Addresses that may reach the Kubernetes API through the load balancer; empty: nobody'),
  iKnowTheApiIsOpenToTheWorld: z.boolean().default(false).describe('Needed to allow 0.0.0.0/0 in operatorCidrs'),
  apiAccess: z
    .enum(['load-balancer', 'tunnel'])
    .default('load-balancer')
    .describe('How people reach the Kubernetes API: a load balancer while awake, or only through Session Manager'),
  controlPlane: z
    .strictObject({
      seats: z
        .union([z.literal(1), z.literal(3)])
        .default(1)
        .describe('Control-plane nodes: 1, or 3 for high availability'),
      instanceTypes: instanceTypes.default(['t3.medium']).describe('Instance types in order of preference (on-demand)'),
      diskGiB: z.int().min(20).max(1_024).default(20).describe('Root disk of each seat, in GiB (gp3, encrypted)'),
      stateVolumeGiB: z
        .int()
        .min(4)
        .max(1_024)
        .default(8)
        .describe('Volume of etcd and the authorities, in GiB; it stays while asleep'),
      ingress: z
        .boolean()
        .default(false)
        .describe('True if the control plane carries the Elastic IP (with 1 seat only)'),
      ami: amiId.optional().describe('AMI to use instead of the public image'),
    })
    .prefault({}),
  pools: z
    .array(pool)
    .min(1, 'define at least one pool')
    .max(20, 'define at most twenty pools')
    .default([
      pool.parse({
        name: 'gpu',
        instanceTypes: ['g4dn.xlarge'],
        market: 'spot',
        min: 1,
        gpu: true,
        ingress: true,
        diskGiB: 100,
      }),
    ])
    .describe('Groups of worker nodes'),
  schedules: z
    .array(schedule)
    .max(20, 'define at most twenty schedules')
    .default([])
    .describe('When the cluster sleeps and wakes by itself'),
  holidays: z
    .strictObject({
      dates: z
        .array(z.iso.date('use a date as YYYY-MM-DD'))
        .max(1000, 'name at most a thousand days')
        .default([])
        .describe('Days on which no schedule wakes the cluster, YYYY-MM-DD; sleeps happen all the same'),
      ics: z
        .string()
        .min(1)
        .optional()
        .describe('Calendar file (.ics), relative to this file; the days of its all-day events are holidays too'),
    })
    .prefault({}),
  idle: z
    .strictObject({
      enabled: z.boolean().default(false).describe('Put the cluster to sleep when nobody uses it'),
      afterMinutes: z.int().min(15).max(1440).default(60).describe('How long nobody must have used it, in minutes'),
      warnMinutes: z
        .int()
        .min(5)
        .max(240)
        .default(15)
        .describe('How long before that a warning goes out, in minutes; less than afterMinutes'),
      postponeMinutes: z
        .int()
        .min(15)
        .max(1440)
        .default(60)
        .describe('By how much POST /postpone-sleep puts it off, in minutes'),
      requestsPerMinute: z
        .number()
        .min(0)
        .max(10_000)
        .default(1)
        .describe('Requests to the ingress, a minute, that still count as idle: scanners of the Internet never stop'),
      gpuPercent: z.number().min(0).max(100).default(5).describe('Use of a GPU that still counts as idle, in percent'),
      podLabels: z
        .array(
          z
            .string()
            .max(144)
            .regex(/^[A-Za-z0-9./_-]+=[A-Za-z0-9._-]+$/, 'use a label as key=value, for example app=notebook'),
        )
        .max(10, 'name at most ten labels')
        .default(['drowse.dev/keep-awake=true'])
        .describe('While a pod with any of these labels (key=value) runs, the cluster is in use'),
    })
    .prefault({}),
  snapshots: z
    .strictObject({
      everyMinutes: z
        .int()
        .min(15)
        .max(1440)
        .default(60)
        .describe('How often etcd is saved to the bucket while awake, in minutes; every sleep saves it as well'),
      keepHourlyDays: z
        .int()
        .min(1)
        .max(365)
        .default(7)
        .describe('Days for which the newest snapshot of each hour is kept'),
      keepDailyDays: z
        .int()
        .min(1)
        .max(3650)
        .default(90)
        .describe('Days for which the newest of each day is kept, and every one that a person took'),
    })
    .prefault({}),
  app: z
    .strictObject({
      domain: z.hostname().optional().describe('Host name of the app; point it at the Elastic IP'),
      email: z.email().optional().describe('Address for certificate notices (Let’s Encrypt)'),
      certificates: z
        .enum(['letsencrypt', 'letsencrypt-staging', 'self-signed'])
        .optional()
        .describe('Who signs the app’s certificate; default: letsencrypt with a domain, self-signed without'),
      image: z
        .string()
        .regex(
          /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)+$/,
          'use a registry and a repository without a tag, for example registry.example.com/ghibli',
        )
        .optional()
        .describe('Where `make app-deploy` pushes the app’s image: registry and repository, without a tag'),
      probe: z
        .enum(['app', 'ingress', 'none'])
        .optional()
        .describe(
          'What a wake must see from outside: the app’s page, any answer of the ingress, or nothing; default: app with a domain, ingress without, none without the default platform',
        ),
      probePath: z
        .string()
        .regex(/^\/[\w./~-]*$/, 'use a path, for example /healthz')
        .default('/')
        .describe('Path of the app that answers once it is up'),
      model: z
        .strictObject({
          url: z.url({ protocol: /^https$/, error: 'use an https:// URL' }).describe('An AnimeGANv2 generator as ONNX'),
          sha256: z
            .string()
            .regex(/^[0-9a-f]{64}$/, 'use the SHA-256 as 64 hexadecimal digits')
            .describe('What its SHA-256 must be'),
        })
        .optional()
        .describe('The model that goes into the app’s image; without one the app starts, and says that it is missing'),
    })
    .prefault({}),
  gpu: z
    .strictObject({
      slices: z
        .int()
        .min(1)
        .max(16)
        .default(1)
        .describe('Pods that share one GPU by time slicing; 1 shares nothing. Sharers see each other’s memory'),
    })
    .prefault({}),
  platform: z
    .strictObject({
      source: z
        .enum(['bucket', 'git'])
        .default('bucket')
        .describe('Where Flux gets the platform from: the bucket that a deploy fills, or your own Git repository'),
      overlay: shortName(40).default('default').describe('Folder below platform/clusters that this cluster applies'),
      git: z
        .strictObject({
          url: z
            .string()
            .regex(/^(https|ssh):\/\/\S+$/, 'use a URL with https:// or ssh://')
            .describe('Repository that holds platform/ at its top'),
          branch: z.string().min(1).default('main').describe('Branch to follow'),
          credentials: z
            .boolean()
            .default(false)
            .describe('True if it needs credentials: SecureString parameter git-credentials, see docs/platform.md'),
        })
        .optional()
        .describe('Your repository; needed if source is git'),
    })
    .prefault({}),
  notifications: z
    .strictObject({
      email: z.email().optional().describe('Who hears of sleeps, wakes, failures, alarms and the budget'),
    })
    .prefault({}),
  budget: z
    .strictObject({
      monthlyUsd: z.number().positive().default(100).describe('Alarm at 80 % and 100 % of this, in USD a month'),
    })
    .prefault({}),
  encryption: z
    .strictObject({
      kmsKeyArn: z
        .string()
        .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-f-]{36}$/, 'use the ARN of a KMS key')
        .optional()
        .describe(
          'Your own KMS key for parameters, volumes and the bucket; default: the keys that AWS manages for free',
        ),
    })
    .prefault({}),
  audit: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('Record API calls with CloudTrail and ship queries for denied calls'),
      retentionDays: logRetention.default(90).describe('Days to keep the trail'),
    })
    .prefault({}),
  logRetentionDays: logRetention.default(30).describe('Days to keep logs of Lambdas, workflows and nodes'),
  tags: z.record(z.string().min(1), z.string()).default({}).describe('Tags for cost allocation, on every resource'),
});

/** A checked configuration with every default filled in. */
export type ClusterConfig = z.infer<typeof clusterConfigShape>;
/** One pool of a checked configuration. */
export type PoolConfig = ClusterConfig['pools'][number];
/** One schedule of a checked configuration. */
export type ScheduleConfig = ClusterConfig['schedules'][number];

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
