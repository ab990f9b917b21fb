import ipaddr from 'ipaddr.js';
import {
  KUBERNETES_DATE,
  KUBELET_LABEL_NAMESPACES,
  isKubeletLabel,
  isKubernetesLabel,
  unreleased,
} from '../facts/kubernetes';
import { accessEnvironment, defaultName } from '../access/person';
import { principalKey, principalOf } from '../access/principal';
import { regionOf } from '../facts/regions';
import { didYouMean } from './did-you-mean';
import { checkExamples } from './example-rules';
import { gpusOf, instanceTypeOf, typeProblem } from './instance-types';
import type { Problem, Surroundings } from './problem';
import { checkIdle, checkScheduleTimes } from './schedule-rules';
import { KUBERNETES_MINORS, type ClusterConfig, type PoolConfig } from './schema';

/** Labels and taints of a pool become tags of its group, of which AWS allows 50; the rest is ours. */
const MAX_DESCRIBED = 25;
/** Tags that AWS allows on one resource, and how many of a pool's group are ours beside labels and taints (tested). */
const MAX_TAGS = 50;
export const OWN_GROUP_TAGS = 22;
/** Beginnings that AWS keeps for itself; source: naming rules of SSM documents and parameters. */
const RESERVED_BY_AWS = ['aws', 'amazon', 'amzn'];
/** From this share of all addresses on, ranges count as the whole Internet. */
const WHOLE_INTERNET = 0.5;
/** Labels in our own namespace that are for users; the others are set by drowse. */
const LABELS_FOR_USERS = ['drowse.dev/infra'];
/** Labels beyond our namespace that drowse sets on GPU nodes. */
const OWN_LABELS = ['nvidia.com/gpu.present', 'k8s.amazonaws.com/accelerator'];

/** What compares fields with each other, or with the world. */
export interface Rule {
  /** Top-level fields that the rule reads: it is skipped if one of them is already known to be wrong. */
  uses: (keyof ClusterConfig)[];
  /** The one of them whose values it judges one by one: what is wrong with another value of that field does not matter. */
  oneByOne?: keyof ClusterConfig;
  check(config: ClusterConfig, surroundings: Surroundings): Problem[];
}

/** The rules that one field alone can't break: each compares fields with each other. */
export const RULES: readonly Rule[] = [
  { uses: ['name', 'pools'], oneByOne: 'pools', check: checkNames },
  { uses: ['controlPlane', 'zones', 'region'], check: checkZones },
  { uses: ['kubernetes'], check: checkKubernetesVersion },
  { uses: ['vpcCidr', 'kubernetes'], check: checkAddressRanges },
  { uses: ['kubernetes', 'pools', 'controlPlane'], check: checkPodAddresses },
  { uses: ['operatorCidrs', 'iKnowTheApiIsOpenToTheWorld'], check: checkOperatorCidrs },
  { uses: ['access'], check: checkAccess },
  { uses: ['controlPlane', 'region', 'newInstanceTypes'], oneByOne: 'controlPlane', check: checkControlPlane },
  { uses: ['pools', 'region', 'newInstanceTypes'], oneByOne: 'pools', check: checkPools },
  { uses: ['pools', 'controlPlane'], check: checkIngress },
  { uses: ['schedules'], check: checkSchedules },
  { uses: ['idle'], check: checkIdle },
  { uses: ['idle', 'platform'], check: checkIdleMonitoring },
  { uses: ['platform', 'app'], oneByOne: 'platform', check: checkPlatform },
  { uses: ['encryption', 'region'], check: checkKey },
  { uses: ['tags', 'pools'], oneByOne: 'tags', check: checkTags },
  { uses: ['platform', 'pools'], check: checkExamples },
];

function checkZones({ controlPlane, zones, region }: ClusterConfig): Problem[] {
  if (new Set(zones).size < zones.length) {
    return [{ path: ['zones'], message: `${zones.join(', ')}: name each zone once` }];
  }
  const known = regionOf(region)?.zones ?? zones;
  const missing = zones.flatMap((zone, index) =>
    known.includes(zone)
      ? []
      : [{ path: ['zones', index], message: `${zone}: ${region} has no such zone, use ${known.join(', ')}` }],
  );
  if (missing.length > 0) return missing;
  if (controlPlane.seats <= zones.length) return [];
  const found = `${String(controlPlane.seats)} seats need ${String(controlPlane.seats)} zones, found ${zones.join(', ')}`;
  return [{ path: ['zones'], message: `${found}: add zones, or set controlPlane.seats to 1` }];
}

function checkNames({ name, pools }: ClusterConfig): Problem[] {
  const refused = (word: string, path: Problem['path'], beginnings: readonly string[], where: string) => {
    const beginning = beginnings.find((one) => word.startsWith(one));
    return beginning === undefined
      ? []
      : [{ path, message: `${word}: AWS keeps names that begin with ${beginning} ${where}: use another` }];
  };
  return [
    ...refused(name, ['name'], RESERVED_BY_AWS, 'to itself (SSM documents)'),
    ...refused(name, ['name'], ['internal'], 'for internal load balancers'),
    ...pools.flatMap((pool, index) =>
      refused(pool.name, ['pools', index, 'name'], RESERVED_BY_AWS, 'to itself (parameters)'),
    ),
  ];
}

/** A function's environment has 4 KB; the rest of this one's is far below what is left. */
const LONGEST_ACCESS = 3_000;

function checkAccess({ access }: ClusterConfig): Problem[] {
  const known = access.map(({ arn, name }, index) => {
    const principal = principalOf(arn);
    const key = principal === undefined ? arn : principalKey(principal);
    return {
      index,
      key,
      kind: principal?.kind,
      name: name ?? (principal === undefined ? arn : defaultName(principal)),
    };
  });
  const problems = known.flatMap(({ index, key, kind, name }): Problem[] => {
    const before = known.slice(0, index);
    if (before.some((one) => one.key === key)) {
      const message = `${access[index]?.arn ?? ''}: it is there already: IAM knows one of that name, whatever its path`;
      return [{ path: ['access', index, 'arn'], message }];
    }
    // Of users and of roles' sessions the one has no slash in it, the other has.
    if (before.some((one) => one.name === name && (one.kind === 'role') === (kind === 'role'))) {
      const message = `${name}: another’s people are named so: give one of them a name of its own`;
      return [{ path: ['access', index, 'name'], message }];
    }
    return [];
  });
  if (problems.length > 0) return problems;
  const { length } = accessEnvironment(access).ACCESS;
  if (length <= LONGEST_ACCESS) return [];
  const message = `it takes ${String(length)} characters of the ${String(LONGEST_ACCESS)} that a function is told: name fewer groups and roles`;
  return [{ path: ['access'], message }];
}

function checkKubernetesVersion({ kubernetes: { version } }: ClusterConfig, { now }: Surroundings): Problem[] {
  const minor = version.split('.').slice(0, 2).join('.');
  const path = ['kubernetes', 'version'];
  if (!(KUBERNETES_MINORS as readonly string[]).includes(minor)) {
    return [{ path, message: `${version} is not supported: use a version of ${KUBERNETES_MINORS.join(', ')}` }];
  }
  const newest = unreleased(version, now);
  if (newest === undefined) return [];
  return [{ path, message: `${version} was never released: the newest of ${minor} is ${newest} (${KUBERNETES_DATE})` }];
}

/** Where addresses of a kind may lie, and why. */
const RANGES: readonly { path: string[]; widest: number; narrowest: number; why: string }[] = [
  { path: ['vpcCidr'], widest: 16, narrowest: 22, why: 'AWS allows no larger one, and each zone takes an eighth' },
  {
    path: ['kubernetes', 'podCidr'],
    widest: 8,
    narrowest: 24,
    why: 'Kubernetes takes no larger one, and each node takes a /26',
  },
  { path: ['kubernetes', 'serviceCidr'], widest: 12, narrowest: 28, why: 'the API server takes no other' },
];
const PRIVATE_RANGES = '10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16';
/** Kinds of addresses that no network can use for itself, as ipaddr.js names them. */
const UNUSABLE = new Set(['unspecified', 'loopback', 'linkLocal', 'multicast', 'broadcast', 'reserved']);

function checkAddressRanges({ vpcCidr, kubernetes }: ClusterConfig): Problem[] {
  const cidrs = [vpcCidr, kubernetes.podCidr, kubernetes.serviceCidr];
  return RANGES.flatMap(({ path, widest, narrowest, why }, index): Problem[] => {
    const cidr = cidrs[index] ?? '';
    const [address, prefix] = ipaddr.IPv4.parseCIDR(cidr);
    if (prefix < widest || prefix > narrowest) {
      return [{ path, message: `${cidr}: use a range from /${String(widest)} to /${String(narrowest)}: ${why}` }];
    }
    const network = networkOf(cidr);
    if (network !== cidr) return [{ path, message: `${cidr} names an address within a range: use ${network}` }];
    const kind = address.range();
    if (UNUSABLE.has(kind)) {
      return [{ path, message: `${cidr} is ${kind}: use a private range (${PRIVATE_RANGES})` }];
    }
    if (kind === 'unicast') {
      const found = `${cidr} is of the public Internet, and nobody there could be reached any more`;
      return [{ path, message: `${found}: use a range within ${PRIVATE_RANGES} or 100.64.0.0/10` }];
    }
    return RANGES.slice(0, index).flatMap((other, n) =>
      overlap(cidr, cidrs[n] ?? '')
        ? [
            {
              path,
              message: `${cidr} overlaps ${other.path.join('.')} (${cidrs[n] ?? ''}): choose ranges that do not touch`,
            },
          ]
        : [],
    );
  });
}

/** A range with its host bits cleared. */
function networkOf(cidr: string): string {
  return `${ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()}/${cidr.split('/')[1] ?? ''}`;
}

function overlap(a: string, b: string): boolean {
  const [addressA, prefixA] = ipaddr.parseCIDR(a);
  const [addressB, prefixB] = ipaddr.parseCIDR(b);
  return addressA.match(addressB, Math.min(prefixA, prefixB));
}

/** What every pool could have at most must find addresses: each node takes a block of /26 for its pods. */
function checkPodAddresses({ kubernetes, pools, controlPlane }: ClusterConfig): Problem[] {
  const blocks = 2 ** (26 - ipaddr.parseCIDR(kubernetes.podCidr)[1]);
  const nodes = controlPlane.seats + pools.reduce((sum, { max }) => sum + max, 0);
  if (nodes <= blocks) return [];
  const found = `${kubernetes.podCidr} has room for ${String(blocks)} nodes (/26 each), and ${String(nodes)} may run`;
  return [{ path: ['kubernetes', 'podCidr'], message: `${found}: use a larger range, or a smaller max of pools` }];
}

function checkOperatorCidrs({ operatorCidrs, iKnowTheApiIsOpenToTheWorld }: ClusterConfig): Problem[] {
  const each = operatorCidrs.flatMap((cidr, index): Problem[] => {
    const path = ['operatorCidrs', index];
    const network = networkOf(cidr);
    if (network !== cidr) {
      const one = `${cidr.split('/')[0] ?? ''}/32`;
      return [{ path, message: `${cidr} names an address within a range: use ${network}, or ${one} for one address` }];
    }
    return operatorCidrs.indexOf(cidr) < index
      ? [{ path, message: `${cidr} is there twice: name each range once` }]
      : [];
  });
  if (each.length > 0 || iKnowTheApiIsOpenToTheWorld) return each;
  const share = shareOfAddresses(operatorCidrs);
  if (share < WHOLE_INTERNET) return [];
  const [first = '', ...others] = operatorCidrs;
  const which =
    others.length === 0
      ? `${first} opens the Kubernetes API to ${share === 1 ? 'everybody' : 'half of the Internet'}`
      : `together they open the Kubernetes API to ${String(Math.floor(share * 100))} % of the Internet`;
  return [
    {
      path: others.length === 0 ? ['operatorCidrs', 0] : ['operatorCidrs'],
      message: `${which}: name your own addresses, or set iKnowTheApiIsOpenToTheWorld: true`,
    },
  ];
}

/** Share of all IPv4 addresses that ranges cover together, from 0 to 1. */
function shareOfAddresses(cidrs: readonly string[]): number {
  const spans = cidrs
    .map((cidr): [from: number, to: number] => {
      const from = ipaddr.IPv4.networkAddressFromCIDR(cidr).octets.reduce((sum, byte) => sum * 256 + byte, 0);
      return [from, from + 2 ** (32 - ipaddr.parseCIDR(cidr)[1])];
    })
    .sort(([a], [b]) => a - b);
  let covered = 0;
  let end = 0;
  for (const [from, to] of spans) {
    covered += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return covered / 2 ** 32;
}

function checkControlPlane(config: ClusterConfig): Problem[] {
  const { controlPlane, region } = config;
  const use = { region, spot: false, gpu: false, ownImage: controlPlane.ami !== undefined };
  return controlPlane.instanceTypes.flatMap((name, index) => {
    const problem = typeProblem(name, use, config) ?? seatProblem(name, config);
    return problem === undefined ? [] : [{ path: ['controlPlane', 'instanceTypes', index], message: problem }];
  });
}

/** kubeadm refuses a control plane with less; source: its preflight checks (NumCPU, Mem). */
function seatProblem(name: string, config: ClusterConfig): string | undefined {
  const { vCpus = 0, memoryGiB = 0 } = instanceTypeOf(name, config) ?? {};
  if (vCpus >= 2 && memoryGiB >= 1.7) return undefined;
  const found = `${name} has ${String(vCpus)} vCPU and ${String(memoryGiB)} GiB`;
  return `${found}: a control plane needs at least 2 vCPUs and 1.7 GiB, for example t3.medium`;
}

function checkPools(config: ClusterConfig): Problem[] {
  return [
    ...checkUnique('pools', config.pools),
    ...config.pools.flatMap((pool, index) => checkPool(pool, index, config)),
  ];
}

function checkPool(pool: PoolConfig, index: number, config: ClusterConfig): Problem[] {
  const at = (...rest: (string | number)[]) => ['pools', index, ...rest];
  const problems: Problem[] = [];
  if (pool.min > pool.max) {
    problems.push({ path: at('min'), message: `${String(pool.min)} is more than max (${String(pool.max)})` });
  }
  if (pool.desired < pool.min || pool.desired > pool.max) {
    const range = `${String(pool.min)} (min) and ${String(pool.max)} (max)`;
    problems.push({ path: at('desired'), message: `${String(pool.desired)} is not between ${range}` });
  }
  const use = {
    region: config.region,
    spot: pool.market !== 'on-demand',
    gpu: pool.gpu,
    ownImage: pool.ami !== undefined,
  };
  pool.instanceTypes.forEach((name, n) => {
    if (pool.instanceTypes.indexOf(name) < n) {
      problems.push({ path: at('instanceTypes', n), message: `${name} is there twice: name each type once` });
      return;
    }
    const problem = typeProblem(name, use, config);
    const gpus = gpusOf(name, config);
    if (problem !== undefined) {
      problems.push({ path: at('instanceTypes', n), message: problem });
    } else if (!pool.gpu && gpus > 0) {
      problems.push({ path: at('gpu'), message: `false, but ${name} has ${String(gpus)} NVIDIA GPU: set gpu: true` });
    }
  });
  problems.push(...checkLabels(pool, index));
  if (pool.sleep === 'stop' && pool.market !== 'on-demand') {
    problems.push({
      path: at('sleep'),
      message: `stop needs market: on-demand, found ${pool.market}: only on-demand instances can be stopped`,
    });
  }
  const counts = [...new Set(pool.instanceTypes.map((name) => gpusOf(name, config)))];
  if (pool.gpu && counts.length > 1 && !counts.includes(0)) {
    const found = `${pool.instanceTypes.join(', ')} have ${counts.join(' or ')} GPUs`;
    problems.push({ path: at('instanceTypes'), message: `${found}: name types with the same number of GPUs` });
  }
  const taints = pool.taints.map(({ key }) => key);
  if (new Set(taints).size < taints.length) {
    // Cluster Autoscaler learns a pool's taints from tags, which have one value a key.
    problems.push({ path: at('taints'), message: `${taints.join(', ')}: give each key once` });
  }
  const described = Object.keys(pool.labels).length + taints.length;
  if (described > MAX_DESCRIBED) {
    const found = `${String(described)} labels and taints`;
    problems.push({ path: at('labels'), message: `${found}: use at most ${String(MAX_DESCRIBED)} in all` });
  }
  return problems;
}

/** A kubelet refuses to start with labels of Kubernetes's own that it may not set, and drowse sets its own itself. */
function checkLabels({ labels, taints }: PoolConfig, index: number): Problem[] {
  const problem = (key: string): string | undefined => {
    if (OWN_LABELS.includes(key)) return `drowse sets it itself on nodes with GPUs: leave it out`;
    if (key.startsWith('drowse.dev/') && !LABELS_FOR_USERS.includes(key)) {
      return `drowse.dev/ is for what drowse sets itself (for you: ${LABELS_FOR_USERS.join(', ')}): use a prefix of your own`;
    }
    if (!isKubernetesLabel(key) || isKubeletLabel(key)) return undefined;
    const allowed = KUBELET_LABEL_NAMESPACES.map((namespace) => `${namespace}/…`).join(' and ');
    return `a node may set no labels in kubernetes.io and k8s.io but ${allowed}: use a prefix of your own`;
  };
  return [
    ...Object.keys(labels).flatMap((key) => {
      const message = problem(key);
      return message === undefined ? [] : [{ path: ['pools', index, 'labels', key], message: `${key}: ${message}` }];
    }),
    ...taints.flatMap(({ key }, n) =>
      key.startsWith('drowse.dev/') && !LABELS_FOR_USERS.includes(key)
        ? [{ path: ['pools', index, 'taints', n, 'key'], message: `${key}: ${problem(key) ?? ''}` }]
        : [],
    ),
  ];
}

/** Keys of tags that others read: a user's tag there would mislead them. */
const TAKEN_TAGS: readonly [beginning: RegExp, why: string][] = [
  [/^aws:/i, 'AWS keeps keys that begin with aws: to itself'],
  [/^drowse:/i, 'keys that begin with drowse: are how drowse finds its own things'],
  [/^(kubernetes\.io|k8s\.io)\//i, 'the controllers of the cluster find their things by it'],
  [/^Name$/, 'drowse names its resources itself'],
];

function checkTags({ tags, pools }: ClusterConfig): Problem[] {
  const keys = Object.keys(tags);
  const each = Object.entries(tags).flatMap(([key, value], index): Problem[] => {
    const path = ['tags', key];
    const taken = TAKEN_TAGS.find(([beginning]) => beginning.test(key));
    if (taken) return [{ path, message: `${taken[1]}: use another key` }];
    const same = keys.slice(0, index).find((other) => other.toLowerCase() === key.toLowerCase());
    if (same !== undefined)
      return [{ path, message: `${key}: IAM takes it for the same key as ${same}: use one of them` }];
    if (key.length === 0 || key.length > 128) return [{ path, message: `${key}: use a key of 1 to 128 characters` }];
    if (value.length > 256) {
      return [{ path, message: `a value of ${String(value.length)} characters: use at most 256` }];
    }
    const bad = /[^\p{L}\p{N} _.:/=+@-]/u.exec(`${key}${value}`);
    if (bad === null) return [];
    return [
      {
        path,
        message: `${key}: ${value}: use letters, digits, blanks and _ . : / = + - @, not ${JSON.stringify(bad[0])}`,
      },
    ];
  });
  const described = Math.max(...pools.map(({ labels, taints }) => Object.keys(labels).length + taints.length));
  const room = MAX_TAGS - OWN_GROUP_TAGS - described;
  if (keys.length <= room) return each;
  const found = `${String(keys.length)} tags; AWS allows ${String(MAX_TAGS)} on a resource, and drowse and the labels of pools need ${String(MAX_TAGS - room)}`;
  return [...each, { path: ['tags'], message: `${found}: use at most ${String(room)}` }];
}

function checkKey({ encryption: { kmsKeyArn }, region }: ClusterConfig): Problem[] {
  const of = kmsKeyArn?.split(':')[3];
  if (of === undefined || of === region) return [];
  const path = ['encryption', 'kmsKeyArn'];
  return [{ path, message: `the key is in ${of}, the cluster in ${region}: use a key of ${region}` }];
}

/** Who decides about idleness asks Prometheus; without it the cluster counts as active for ever. */
function checkIdleMonitoring(
  { idle, platform }: ClusterConfig,
  { platform: { withoutMonitoring } }: Surroundings,
): Problem[] {
  if (!idle.enabled || platform.source !== 'bucket' || !withoutMonitoring.includes(platform.overlay)) return [];
  const message = `true needs monitoring, which the overlay ${platform.overlay} leaves out: the cluster would never count as idle. Use another overlay, or schedules`;
  return [{ path: ['idle', 'enabled'], message }];
}

function checkUnique(field: 'pools' | 'schedules', items: readonly { name: string }[]): Problem[] {
  return items.flatMap(({ name }, index) => {
    const first = items.findIndex((other) => other.name === name);
    return first < index
      ? [
          {
            path: [field, index, 'name'],
            message: `${name} is already the name of ${field}[${String(first)}]: give each its own name`,
          },
        ]
      : [];
  });
}

function checkIngress({ pools, controlPlane }: ClusterConfig): Problem[] {
  const empty = pools.flatMap(({ ingress, min, max }, index) => {
    if (!ingress || min > 0) return [];
    const path = ['pools', index, max === 0 ? 'max' : 'min'];
    return [
      { path, message: '0, but this pool has ingress: true: without a node nobody reaches the app; use at least 1' },
    ];
  });
  const holders = [
    ...(controlPlane.ingress ? ['controlPlane'] : []),
    ...pools.flatMap((pool) => (pool.ingress ? [`pool ${pool.name}`] : [])),
  ];
  const problems: Problem[] = [...empty];
  if (holders.length !== 1) {
    const found = holders.length === 0 ? 'none has' : `${holders.join(' and ')} have`;
    problems.push({
      path: ['pools'],
      message: `${found} ingress: true; exactly one pool, or controlPlane, must carry the Elastic IP`,
    });
  }
  if (controlPlane.ingress && controlPlane.seats > 1) {
    problems.push({
      path: ['controlPlane', 'ingress'],
      message: 'true needs seats: 1; with 3 seats give ingress to a pool',
    });
  }
  return problems;
}

function checkSchedules(config: ClusterConfig): Problem[] {
  const names = checkUnique('schedules', config.schedules);
  return names.length > 0 ? names : checkScheduleTimes(config);
}

function checkPlatform({ platform, app }: ClusterConfig, { platform: { overlays: known } }: Surroundings): Problem[] {
  const problems: Problem[] = [];
  if (platform.source === 'git' && platform.git === undefined) {
    problems.push({ path: ['platform', 'git'], message: 'missing: source: git needs the url of your repository' });
  }
  if (platform.source === 'bucket' && !known.includes(platform.overlay)) {
    const near = didYouMean(platform.overlay, known);
    const hint = near === undefined ? '' : `did you mean ${near}? `;
    problems.push({
      path: ['platform', 'overlay'],
      message: `${platform.overlay}: ${hint}There is no such folder in platform/clusters: use one of ${known.join(', ')}, or make it`,
    });
  }
  if (app.domain === undefined && app.certificates?.startsWith('letsencrypt')) {
    problems.push({
      path: ['app', 'certificates'],
      message: `${app.certificates} needs app.domain: a certificate is for a name`,
    });
  }
  return [...problems, ...checkWaitingPage(app)];
}

/** CloudFront talks to the cluster by the app's name, and trusts no certificate that browsers do not. */
function checkWaitingPage({ waitingPage, domain, certificates = 'letsencrypt' }: ClusterConfig['app']): Problem[] {
  if (waitingPage === undefined) return [];
  const path = ['app', 'waitingPage'];
  if (domain === undefined) return [{ path, message: 'needs app.domain: it stands at that name' }];
  if (certificates === 'letsencrypt') return [];
  const found = `app.certificates is ${certificates}, and CloudFront talks to no cluster whose certificate browsers refuse`;
  return [{ path, message: `${found}: use letsencrypt` }];
}
