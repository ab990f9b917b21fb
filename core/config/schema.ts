import * as z from 'zod';
import { COMMERCIAL_REGIONS, regionOf, REGIONS_DATE } from '../facts/regions';
import { isTimeZone, TIME_ZONES } from '../facts/time-zones';
import { webhook } from '../news/webhooks';
import { WEEKDAYS } from '../schedule/weekdays';
import { principalOf } from '../access/principal';
import { didYouMean } from './did-you-mean';
import { ECR_EXAMPLE, ECR_REPOSITORY } from './registries';

/** Kubernetes minors that the node scripts and the platform are made for; source: kubernetes.io/releases, 2026-11-20. */
export const KUBERNETES_MINORS = ['1.35', '1.36', '1.37'] as const;

/** A Kubernetes or AWS name of ours: short, lower case, safe in every resource name that it becomes part of. */
const shortName = (max: number) =>
  z
    .string()
    .regex(/^[a-z]([a-z0-9-]*[a-z0-9])?$/, 'use lower-case letters, digits and dashes, starting with a letter')
    .max(max, `use at most ${String(max)} characters`);

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use a time of day as HH:MM, in 24 hours');
const timeZone = z.string().refine(isTimeZone, {
  error: ({ input }) =>
    `${meantZone(String(input))}use an IANA time zone, for example Europe/Berlin, America/New_York or UTC`,
});
const instanceTypes = z
  .array(z.string().regex(/^[a-z0-9-]+\.[a-z0-9-]+$/, 'use an EC2 instance type in lower case, for example t3.medium'))
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

/** A URL with a password; with https, a lone user name is a token. */
const HOLDS_SECRET = /^(https:\/\/[^/]*@|ssh:\/\/[^/@]*:[^/]*@)/;

/** Days for which CloudWatch Logs can keep logs: it knows no others. */
const logRetention = z.literal([1, 3, 5, 7, 14, 30, 60, 90, 180, 365]);

/** Groups that no configuration gives: they pass by RBAC, or are what seats and nodes are known by. */
const RESERVED_GROUPS = ['system:', 'kubeadm:'];

const accessEntry = z.strictObject({
  arn: z
    .string()
    .superRefine((arn, context) => {
      const message = arnProblem(arn);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .describe('ARN of the IAM role or user; the role of IAM Identity Center too'),
  groups: z
    .array(
      z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9:._/-]{0,63}$/, 'use a name of at most 64 letters, digits and : . _ / -')
        .refine(
          (group) => !RESERVED_GROUPS.some((beginning) => group.startsWith(beginning)),
          'groups that begin with system: or kubeadm: are Kubernetes’ own, and no binding takes them back: use drowse:operators, drowse:viewers or a group that you bind',
        ),
    )
    .min(1, 'name at least one group')
    .max(8, 'name at most eight groups')
    .default(['drowse:operators'])
    .describe('Kubernetes groups; drowse:operators may do everything, drowse:viewers looks, others you bind'),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.@-]{0,31}$/, 'use at most 32 letters, digits and _ . @ -')
    .optional()
    .describe('What stands for it in the names of its people; default: the name of the role or user'),
});

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
  min: z
    .int()
    .min(0)
    .max(100, 'use at most 100: they all run whenever the cluster is awake; more come by themselves, up to max')
    .optional()
    .describe('Smallest number of nodes while awake; default: 1 for the pool with ingress, 0 for others'),
  max: z.int().min(0).max(1000).default(1).describe('Largest number of nodes; Cluster Autoscaler stays below it'),
  desired: z.int().min(0).max(1000).default(1).describe('Nodes at bootstrap; later wakes bring back the last size'),
  labels: z.record(labelKey, labelValue).default({}).describe('Kubernetes labels of each node'),
  taints: z
    .array(taint)
    .default([])
    .describe('Kubernetes taints of each node; GPU pools beside others keep off what needs no GPU by themselves'),
  gpu: z.boolean().default(false).describe('True if the instance types carry NVIDIA GPUs'),
  diskGiB: z
    .int()
    .min(20)
    .max(16_384)
    .optional()
    .describe('Root disk of each node, in GiB (gp3, encrypted); default: 100 with GPUs, 50 without'),
  ingress: z.boolean().default(false).describe('True for the one pool whose node carries the Elastic IP'),
  sleep: z
    .enum(['terminate', 'stop'])
    .default('terminate')
    .describe('What sleep does to nodes: stop keeps disk and images (on-demand only; the disks are billed)'),
  ami: amiId.optional().describe('AMI to use instead of the public image'),
});

const schedule = z.strictObject({
  name: shortName(20).describe('Name of the schedule, unique in the cluster'),
  days: z
    .array(z.enum(WEEKDAYS))
    .min(1, 'name at least one day')
    .describe(
      'Days of the week on which it acts; a window over midnight (wake 22:00, sleep 06:00) ends on the day after',
    ),
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
    .superRefine((name, context) => {
      const message = regionProblem(name);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .default('us-east-1')
    .describe('AWS region'),
  zones: z
    .array(z.string().regex(/^[a-h]$/, 'use the letter of an availability zone, a to h'))
    .min(1, 'name at least one zone')
    .max(6, 'name at most six zones')
    .optional()
    .describe(
      'Letters of the availability zones to use; more find GPU capacity more often. Default: the region’s first three',
    ),
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
    .max(50, 'name at most fifty ranges: a security group holds no more')
    .default([])
    .describe(
      'Addresses that may reach the Kubernetes API through the load balancer; empty: there is none, and nobody may',
    ),
  iKnowTheApiIsOpenToTheWorld: z.boolean().default(false).describe('Needed to allow 0.0.0.0/0 in operatorCidrs'),
  apiAccess: z
    .enum(['load-balancer', 'tunnel'])
    .default('load-balancer')
    .describe(
      'How people reach the Kubernetes API: a load balancer while awake (if there are operatorCidrs), or only through Session Manager',
    ),
  access: z
    .array(accessEntry)
    .max(25, 'name at most twenty-five: give groups of people a role')
    .default([])
    .describe(
      'Who gets which rights in Kubernetes, by IAM role or user; empty: whoever may read one parameter is the administrator',
    ),
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
  registries: z
    .strictObject({
      ecr: z
        .array(
          z
            .string()
            .regex(
              ECR_REPOSITORY,
              `use a repository of ECR as images name it, without a tag, for example ${ECR_EXAMPLE}`,
            ),
        )
        .max(50)
        .default([])
        .describe(
          'Repositories of ECR that nodes pull from with their own role, besides the one of app.image; * at the end stands for any rest',
        ),
    })
    .prefault({}),
  app: z
    .strictObject({
      domain: z
        .hostname()
        .optional()
        .describe('Host name of the app; point it at the Elastic IP, or with waitingPage at the output AppFront'),
      waitingPage: z
        .strictObject({
          certificateArn: z
            .string()
            .regex(
              /^arn:aws[a-z-]*:acm:us-east-1:\d{12}:certificate\/[0-9a-f-]{36}$/,
              'use the ARN of a certificate of AWS Certificate Manager in us-east-1: CloudFront takes no other, wherever the cluster is',
            )
            .describe('Certificate of app.domain in AWS Certificate Manager, made in us-east-1'),
        })
        .optional()
        .describe('Shows visitors of app.domain a page instead of a time-out while it sleeps; see docs/page.md'),
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
      examples: z
        .array(shortName(40))
        .default([])
        .describe('Examples to turn on: folders below platform/examples. One that is taken off the list is removed'),
      git: z
        .strictObject({
          url: z
            .string()
            .regex(/^(https|ssh):\/\/\S+$/, 'use a URL with https:// or ssh://')
            .refine(
              (url) => !HOLDS_SECRET.test(url),
              'it holds a password or token: take it out, and set credentials: true (docs/platform.md)',
            )
            .describe('Repository that holds platform/ at its top'),
          branch: z
            .string()
            .regex(
              /^(?!-)(?!.*(\.\.|\/\/|@\{))[^\s~^:?*[\\]+(?<![./])$/,
              'use a name of a Git branch: without blanks, not beginning with a dash',
            )
            .default('main')
            .describe('Branch to follow'),
          credentials: z
            .boolean()
            .default(false)
            .describe('True if it needs credentials: SecureString parameter git-credentials, see docs/platform.md'),
          signingKeys: z
            .array(
              z
                .string()
                .regex(
                  /^-----BEGIN PGP PUBLIC KEY BLOCK-----\n[\s\S]+\n-----END PGP PUBLIC KEY BLOCK-----\n?$/,
                  'use an OpenPGP public key as `gpg --armor --export` prints it',
                ),
            )
            .max(20)
            .default([])
            .describe('Public keys of those whose signed commits Flux applies; without any it applies every commit'),
        })
        .optional()
        .describe('Your repository; needed if source is git'),
    })
    .prefault({}),
  notifications: z
    .strictObject({
      email: z.email().optional().describe('Who hears of sleeps, wakes, failures, alarms and the budget'),
      webhooks: z
        .array(webhook)
        .max(5)
        .default([])
        .describe('Who else does: Slack, Teams, or any HTTPS address; each address is in a SecureString parameter'),
    })
    .prefault({}),
  budget: z
    .strictObject({
      monthlyUsd: z.number().positive().default(100).describe('Alarm at 80 % and 100 % of this, in USD a month'),
    })
    .prefault({}),
  dashboard: z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe(
          'A CloudWatch dashboard of workflows, failures and cost; three are free in an account, others $3 a month',
        ),
    })
    .prefault({}),
  encryption: z
    .strictObject({
      kmsKeyArn: z
        .string()
        .regex(
          /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[0-9a-f-]{36}$/,
          'use the ARN of a KMS key, not of an alias (arn:<partition>:kms:<region>:<account>:key/<id>)',
        )
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
  tags: z.record(z.string(), z.string()).default({}).describe('Tags for cost allocation, on every resource'),
  newInstanceTypes: z
    .record(
      z.string(),
      z.strictObject({
        vCpus: z.int().min(1).max(2048).describe('Its vCPUs'),
        memoryGiB: z.number().positive().max(65_536).describe('Its memory, in GiB'),
        gpus: z.int().min(0).max(64).default(0).describe('Its NVIDIA GPUs, as Kubernetes counts them'),
        pricePerHour: z
          .number()
          .positive()
          .optional()
          .describe('What it costs on demand, in USD an hour, for the bill'),
      }),
    )
    .default({})
    .describe('Instance types that are newer than drowse’s table, or that it has wrong: what they are, by name'),
});

/** A configuration as it is written, with the defaults of single fields filled in. */
export type WrittenConfig = z.infer<typeof clusterConfigShape>;
/** One pool of a checked configuration. */
export type PoolConfig = Omit<WrittenConfig['pools'][number], 'min' | 'diskGiB'> & { min: number; diskGiB: number };
/** A checked configuration with every default filled in. */
export type ClusterConfig = Omit<WrittenConfig, 'zones' | 'pools'> & { zones: string[]; pools: PoolConfig[] };
/** One schedule of a checked configuration. */
export type ScheduleConfig = ClusterConfig['schedules'][number];

/** Why nobody can be given access by an ARN; undefined if somebody can. */
function arnProblem(arn: string): string | undefined {
  const { account, kind, name, session } = principalOf(arn) ?? {};
  if (session !== undefined) {
    return `it is one session of a role: use the ARN of the role itself, which ends with :iam::${account ?? ''}:role/${name ?? ''}`;
  }
  if (kind !== undefined) return undefined;
  if (arn.endsWith(':root')) return 'it is the account’s root, which is nobody in particular: use a role or a user';
  return 'use the ARN of an IAM role or user (arn:<partition>:iam::<account>:role/<name>)';
}

/** Why a cluster can't be in a region; undefined if it can. */
function regionProblem(name: string): string | undefined {
  const region = regionOf(name);
  if (region === undefined) {
    const hint = meant(name, COMMERCIAL_REGIONS);
    return `AWS has no such region (list of ${REGIONS_DATE}): ${hint}use one of ${COMMERCIAL_REGIONS.join(', ')}`;
  }
  if (region.partition === 'aws') return undefined;
  const why =
    region.partition === 'aws-cn'
      ? 'nodes take packages and images from hosts outside, which China reaches slowly or not at all'
      : 'drowse was never tried there';
  return `it is in the partition ${region.partition}, and ${why}: use a commercial region, for example eu-central-1`;
}

/** Zones that people name by what their clocks show, or as Windows does. */
const ZONES_BY_CLOCK: readonly (readonly [name: RegExp, zone: string])[] = [
  [/^(PST|PDT|Pacific Standard Time|US\/Pacific)$/i, 'America/Los_Angeles'],
  [/^(MST|MDT|Mountain Standard Time)$/i, 'America/Denver'],
  [/^(CDT|Central Standard Time)$/i, 'America/Chicago'],
  [/^(EST|EDT|Eastern Standard Time)$/i, 'America/New_York'],
  [/^(CET|CEST|MEZ|MESZ|W\. Europe Standard Time)$/i, 'Europe/Berlin'],
  [/^(BST|GMT Standard Time)$/i, 'Europe/London'],
  [/^(JST|Tokyo Standard Time)$/i, 'Asia/Tokyo'],
];

function meantZone(name: string): string {
  if (/^(UTC|GMT)? ?[+-]\d/i.test(name)) return 'an offset knows no daylight saving: ';
  const zone = ZONES_BY_CLOCK.find(([clock]) => clock.test(name))?.[1];
  return zone === undefined ? meant(name, TIME_ZONES) : `did you mean ${zone}? Otherwise `;
}

/** `did you mean eu-central-1? `, or nothing if no candidate is near. */
function meant(word: string, candidates: readonly string[]): string {
  const found = didYouMean(word, candidates);
  return found === undefined ? '' : `did you mean ${found}? Otherwise `;
}
