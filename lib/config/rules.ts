import ipaddr from 'ipaddr.js';
import { GPU_INSTANCE_TYPES, gpusOf, isArm } from './instance-types';
import { checkIdle, checkScheduleTimes } from './schedule-rules';
import { KUBERNETES_MINORS, type ClusterConfig, type PoolConfig } from './schema';

/** Labels and taints of a pool become tags of its group, of which AWS allows 50; the rest is ours. */
const MAX_DESCRIBED = 25;

/** One thing that is wrong: where, what was found there, and what is allowed. */
export interface Problem {
  /** Path of the field, for example `['pools', 0, 'max']`. */
  path: (string | number)[];
  /** What is wrong and what to write instead. */
  message: string;
}

interface Rule {
  /** Top-level fields that the rule reads: it is skipped if one of them is already known to be wrong. */
  uses: (keyof ClusterConfig)[];
  check(config: ClusterConfig): Problem[];
}

/** The rules that one field alone can't break: each compares fields with each other. */
export const RULES: readonly Rule[] = [
  { uses: ['controlPlane', 'zones'], check: checkZones },
  { uses: ['kubernetes'], check: checkKubernetesVersion },
  { uses: ['vpcCidr', 'kubernetes'], check: checkAddressRanges },
  { uses: ['operatorCidrs', 'iKnowTheApiIsOpenToTheWorld'], check: checkOperatorCidrs },
  { uses: ['controlPlane'], check: checkControlPlane },
  { uses: ['pools'], check: (config) => [...checkUnique('pools', config.pools), ...config.pools.flatMap(checkPool)] },
  { uses: ['pools', 'controlPlane'], check: checkIngress },
  { uses: ['schedules'], check: checkSchedules },
  { uses: ['idle'], check: checkIdle },
  { uses: ['platform', 'app'], check: checkPlatform },
];

function checkZones({ controlPlane, zones }: ClusterConfig): Problem[] {
  const problems: Problem[] = [];
  if (new Set(zones).size < zones.length) {
    problems.push({ path: ['zones'], message: `${zones.join(', ')}: name each zone once` });
  } else if (controlPlane.seats > zones.length) {
    const found = `${String(controlPlane.seats)} seats need ${String(controlPlane.seats)} zones, found ${zones.join(', ')}`;
    problems.push({ path: ['zones'], message: `${found}: add zones, or set controlPlane.seats to 1` });
  }
  return problems;
}

function checkKubernetesVersion({ kubernetes: { version } }: ClusterConfig): Problem[] {
  const minor = version.split('.').slice(0, 2).join('.');
  return (KUBERNETES_MINORS as readonly string[]).includes(minor)
    ? []
    : [
        {
          path: ['kubernetes', 'version'],
          message: `${version} is not supported: use a version of ${KUBERNETES_MINORS.join(', ')}`,
        },
      ];
}

function checkAddressRanges({ vpcCidr, kubernetes }: ClusterConfig): Problem[] {
  const ranges: [name: string, path: (string | number)[], cidr: string][] = [
    ['vpcCidr', ['vpcCidr'], vpcCidr],
    ['kubernetes.podCidr', ['kubernetes', 'podCidr'], kubernetes.podCidr],
    ['kubernetes.serviceCidr', ['kubernetes', 'serviceCidr'], kubernetes.serviceCidr],
  ];
  const problems: Problem[] = [];
  ranges.forEach(([, path, cidr], index) => {
    for (const [otherName, , otherCidr] of ranges.slice(0, index)) {
      if (overlap(cidr, otherCidr)) {
        problems.push({
          path,
          message: `${cidr} overlaps ${otherName} (${otherCidr}): choose ranges that do not touch`,
        });
      }
    }
  });
  const prefix = ipaddr.parseCIDR(vpcCidr)[1];
  if (prefix < 16 || prefix > 22) {
    problems.push({ path: ['vpcCidr'], message: `${vpcCidr}: use a range from /16 to /22` });
  }
  if (ipaddr.parseCIDR(kubernetes.podCidr)[1] > 24) {
    problems.push({
      path: ['kubernetes', 'podCidr'],
      message: `${kubernetes.podCidr}: use /24 or larger, nodes take /26 each`,
    });
  }
  return problems;
}

function overlap(a: string, b: string): boolean {
  const [addressA, prefixA] = ipaddr.parseCIDR(a);
  const [addressB, prefixB] = ipaddr.parseCIDR(b);
  return addressA.match(addressB, Math.min(prefixA, prefixB));
}

function checkOperatorCidrs({ operatorCidrs, iKnowTheApiIsOpenToTheWorld }: ClusterConfig): Problem[] {
  if (iKnowTheApiIsOpenToTheWorld) return [];
  return operatorCidrs.flatMap((cidr, index) =>
    ipaddr.parseCIDR(cidr)[1] > 0
      ? []
      : [
          {
            path: ['operatorCidrs', index],
            message: `${cidr} opens the Kubernetes API to everybody: name your own addresses, or set iKnowTheApiIsOpenToTheWorld: true`,
          },
        ],
  );
}

function checkControlPlane({ controlPlane }: ClusterConfig): Problem[] {
  return controlPlane.instanceTypes.flatMap((type, index) =>
    isArm(type)
      ? [{ path: ['controlPlane', 'instanceTypes', index], message: `${type} is arm64: use an x86-64 type` }]
      : [],
  );
}

function checkPool(pool: PoolConfig, index: number): Problem[] {
  const at = (...rest: (string | number)[]) => ['pools', index, ...rest];
  const problems: Problem[] = [];
  if (pool.min > pool.max) {
    problems.push({ path: at('min'), message: `${String(pool.min)} is more than max (${String(pool.max)})` });
  }
  if (pool.desired < pool.min || pool.desired > pool.max) {
    const range = `${String(pool.min)} (min) and ${String(pool.max)} (max)`;
    problems.push({ path: at('desired'), message: `${String(pool.desired)} is not between ${range}` });
  }
  pool.instanceTypes.forEach((type, n) => {
    if (isArm(type)) {
      problems.push({ path: at('instanceTypes', n), message: `${type} is arm64: use an x86-64 type` });
    } else if (pool.gpu && gpusOf(type) === 0) {
      const some = GPU_INSTANCE_TYPES.slice(0, 3).join(', ');
      problems.push({
        path: at('instanceTypes', n),
        message: `${type} has no NVIDIA GPU: use a GPU type (${some} …) or gpu: false`,
      });
    } else if (!pool.gpu && gpusOf(type) > 0) {
      problems.push({
        path: at('gpu'),
        message: `false, but ${type} has ${String(gpusOf(type))} NVIDIA GPU: set gpu: true`,
      });
    }
  });
  if (pool.sleep === 'stop' && pool.market !== 'on-demand') {
    problems.push({
      path: at('sleep'),
      message: `stop needs market: on-demand, found ${pool.market}: only on-demand instances can be stopped`,
    });
  }
  const counts = [...new Set(pool.instanceTypes.map(gpusOf))];
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
  const holders = [
    ...(controlPlane.ingress ? ['controlPlane'] : []),
    ...pools.flatMap((pool) => (pool.ingress ? [`pool ${pool.name}`] : [])),
  ];
  const problems: Problem[] = [];
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

function checkPlatform({ platform, app }: ClusterConfig): Problem[] {
  const problems: Problem[] = [];
  if (platform.source === 'git' && platform.git === undefined) {
    problems.push({ path: ['platform', 'git'], message: 'missing: source: git needs the url of your repository' });
  }
  if (app.domain === undefined && app.certificates?.startsWith('letsencrypt')) {
    problems.push({
      path: ['app', 'certificates'],
      message: `${app.certificates} needs app.domain: a certificate is for a name`,
    });
  }
  return problems;
}
