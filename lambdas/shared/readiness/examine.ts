import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { type _InstanceType, type EC2Client, paginateDescribeInstanceTypeOfferings } from '@aws-sdk/client-ec2';
import type { S3Client } from '@aws-sdk/client-s3';
import type { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { WAITING_MARK, WAITING_PATH } from '../../../core/api/waiting';
import { TAG } from '../../../core/config/names';
import type { ClusterRecord, SnapshotRecord } from '../../../core/record/cluster-record';
import type { Web } from '../clients/https';
import { CertificateExpired, CertificateNotValid } from '../step/errors';
import { verifySnapshot } from '../commands/snapshots';
import { describeElasticIp } from '../ec2/elastic-ip';
import { describeGroups, type Group } from '../ec2/groups';
import { describeImageProblem } from '../ec2/images';
import { compareQuotas } from '../ec2/quotas';
import { checkCertificate } from './checks';
import { describeVolumeProblems } from './foundation';

/** What was found out of one thing that the next wake needs. */
export interface Finding {
  /** What was looked at. */
  name: string;
  /** `problem`: the wake fails. `warning`: it lacks something, or it could not be found out. */
  state: 'ok' | 'warning' | 'problem';
  /** What was found, for a person. */
  detail: string;
}

/** One look: a name, and how to find out. What it throws is a finding, too. */
export interface Look {
  name: string;
  find: () => Promise<Omit<Finding, 'name'>>;
}

export interface ReadinessDeps {
  cluster: string;
  /** The cluster's bucket. */
  bucket: string;
  /** Host name of the app; undefined without one. */
  domain: string | undefined;
  autoScaling: AutoScalingClient;
  ec2: EC2Client;
  s3: S3Client;
  serviceQuotas: ServiceQuotasClient;
  /** What is recorded of the cluster, as far as it counts here. */
  record: () => Promise<
    Pick<ClusterRecord, 'sizes' | 'platformAt' | 'certificateUntil'> & {
      snapshot?: Pick<SnapshotRecord, 'key' | 'at'> | undefined;
    }
  >;
  /** Who signs the app's certificate. */
  certificates: 'letsencrypt' | 'letsencrypt-staging' | 'self-signed';
  /** Looks at the app as its users do. */
  web: Web;
  /** Addresses of which each must answer if nodes are to get their packages, and the platform its charts and images. */
  sources: readonly string[];
  /** Status that an address answers with. */
  reach: (url: string) => Promise<number>;
  /** True if CloudFront is to stand at the domain. */
  hasWaitingPage: boolean;
  /** IPv4 addresses of a host name. */
  resolve: (host: string) => Promise<string[]>;
  /** What an address answers, whatever its status. */
  read: (url: string) => Promise<string>;
  now?: () => number;
}

/** An older snapshot than this (ms) is told of: while asleep it grows old by itself, and nothing is lost by that. */
const OLD_MS = 14 * 24 * 3_600_000;
/** How long the waiting page may take (ms). */
const READ_MS = 8_000;

/** What an address answers, whatever its status. @throws Error that says why nobody answers */
export async function readPage(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(READ_MS) });
  return answer.text();
}

/** Status that an address answers with, after redirections. @throws Error that says why nobody answers */
export async function reachUrl(url: string): Promise<number> {
  const { status } = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(READ_MS) });
  return status;
}

/** What everything that a wake needs is looked at for, in the order in which a wake needs it. */
export function looksOf(deps: ReadinessDeps): Look[] {
  const { autoScaling, cluster, ec2, domain } = deps;
  let found: Promise<Group[]> | undefined;
  const groups = (): Promise<Group[]> => (found ??= describeGroups(autoScaling, cluster));
  return [
    { name: 'groups', find: async () => examineGroups(await groups()) },
    {
      name: 'state volumes',
      find: async () => listed(await describeVolumeProblems(ec2, cluster, await groups()), 'there'),
    },
    { name: 'Elastic IP', find: () => examineAddress(deps) },
    { name: 'images', find: async () => examineImages(ec2, await groups()) },
    { name: 'instance types', find: async () => examineOfferings(ec2, await groups()) },
    { name: 'quotas', find: async () => examineQuotas(deps, await groups()) },
    { name: 'snapshot', find: () => examineSnapshot(deps) },
    ...(domain === undefined ? [] : [{ name: 'domain', find: () => examineDomain(deps, domain) }]),
    ...(domain === undefined || deps.certificates === 'self-signed'
      ? []
      : [{ name: 'certificate', find: () => examineCertificate(deps, domain) }]),
    ...(deps.sources.length === 0 ? [] : [{ name: 'sources', find: () => examineSources(deps) }]),
  ];
}

/** Takes each look, side by side: one that cannot be taken keeps no other from it. */
export function examine(looks: readonly Look[]): Promise<Finding[]> {
  return Promise.all(
    looks.map(async ({ name, find }) => {
      try {
        return { name, ...(await find()) };
      } catch (error) {
        const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
        return { name, state: 'warning' as const, detail: `could not be looked at: ${why}` };
      }
    }),
  );
}

/** Nothing in a list of what is wrong is well. */
function listed(problems: readonly string[], well: string): Omit<Finding, 'name'> {
  return problems.length === 0
    ? { state: 'ok', detail: well }
    : { state: 'problem', detail: `missing: ${problems.join('; ')}` };
}

function examineGroups(groups: readonly Group[]): Omit<Finding, 'name'> {
  const none = (['seat', 'pool'] as const).filter((role) => !groups.some((group) => group.role === role));
  return listed(
    none.map((role) => `a group with ${TAG.role}=${role}`),
    groups.map(({ name }) => name).join(', '),
  );
}

async function examineAddress({ ec2, cluster }: ReadinessDeps): Promise<Omit<Finding, 'name'>> {
  const address = await describeElasticIp(ec2, cluster);
  return listed(address ? [] : ['the Elastic IP: it was released'], address?.PublicIp ?? 'there');
}

async function examineImages(ec2: EC2Client, groups: readonly Group[]): Promise<Omit<Finding, 'name'>> {
  const problems = await Promise.all(groups.map((group) => describeImageProblem(ec2, group)));
  return listed(
    problems.filter((problem) => problem !== undefined),
    'launch templates and their images are there',
  );
}

/** A group none of whose types any of its zones offers can launch nothing. */
async function examineOfferings(ec2: EC2Client, groups: readonly Group[]): Promise<Omit<Finding, 'name'>> {
  const types = [...new Set(groups.flatMap(({ instanceTypes }) => instanceTypes))] as _InstanceType[];
  const offered = new Set<string>();
  const input = { LocationType: 'availability-zone' as const, Filters: [{ Name: 'instance-type', Values: types }] };
  for await (const { InstanceTypeOfferings = [] } of paginateDescribeInstanceTypeOfferings({ client: ec2 }, input)) {
    for (const { InstanceType = '', Location = '' } of InstanceTypeOfferings)
      offered.add(`${InstanceType} ${Location}`);
  }
  const without = groups.filter(
    ({ instanceTypes, zones }) =>
      instanceTypes.length > 0 && !instanceTypes.some((type) => zones.some((zone) => offered.has(`${type} ${zone}`))),
  );
  const problems = without.map(
    ({ name, instanceTypes, zones }) => `${name}: ${zones.join(', ')} offer none of ${instanceTypes.join(', ')}`,
  );
  if (problems.length === 0) return { state: 'ok', detail: 'offered in the zones' };
  return { state: without.some(({ role }) => role === 'seat') ? 'problem' : 'warning', detail: problems.join('; ') };
}

async function examineQuotas(deps: ReadinessDeps, groups: readonly Group[]): Promise<Omit<Finding, 'name'>> {
  const { sizes } = await deps.record();
  const { missing, warnings, unknown } = await compareQuotas(deps, groups, ({ role, pool = '', configured }) =>
    role === 'seat' ? 1 : (sizes?.[pool]?.desired ?? configured.desired),
  );
  if (missing.length > 0) return { state: 'problem', detail: missing.join('; ') };
  if (warnings.length > 0) return { state: 'warning', detail: warnings.join('; ') };
  return {
    state: 'ok',
    detail: unknown.length > 0 ? `not known: ${unknown.join(', ')}` : 'enough, for this cluster alone',
  };
}

async function examineSnapshot({ record, now = Date.now, ...deps }: ReadinessDeps): Promise<Omit<Finding, 'name'>> {
  const { snapshot, platformAt } = await record();
  if (snapshot === undefined) {
    return platformAt === undefined
      ? { state: 'ok', detail: 'none yet: the cluster was never made' }
      : { state: 'warning', detail: 'there is none: the state volumes are all there is' };
  }
  try {
    await verifySnapshot(deps, snapshot.key);
  } catch (error) {
    if (!(error instanceof Error && error.name === 'SnapshotNotVerified')) throw error;
    return { state: 'warning', detail: `the newest cannot be restored: ${error.message}` };
  }
  const age = now() - Date.parse(snapshot.at);
  const days = `${String(Math.floor(age / 86_400_000))} days`;
  return { state: age > OLD_MS ? 'warning' : 'ok', detail: `${snapshot.key} is whole, and ${days} old` };
}

/** Before a wake of tomorrow is over (ms). */
const TOMORROW_MS = 24 * 3_600_000;

/**
 * What the ingress would serve tomorrow: now, if somebody carries the Elastic IP, else what the last wake has seen. cert-manager renews
 * while the cluster is awake, and not at once: visitors of the first minutes get what there was.
 */
async function examineCertificate(deps: ReadinessDeps, host: string): Promise<Omit<Finding, 'name'>> {
  const { ec2, cluster, web, certificates, record, now = Date.now } = deps;
  const address = await describeElasticIp(ec2, cluster);
  if (address?.InstanceId === undefined || address.PublicIp === undefined) {
    const { certificateUntil: until } = await record();
    if (until === undefined) return { state: 'ok', detail: 'nobody serves one now' };
    return Date.parse(until) > now() + TOMORROW_MS
      ? { state: 'ok', detail: `the last wake has seen one that holds until ${until}` }
      : {
          state: 'warning',
          detail: `the next wake begins with one that ends at ${until}, until cert-manager renews it`,
        };
  }
  const request = { address: address.PublicIp, port: 443, host, path: '/', timeoutMs: READ_MS };
  const { certificate } = await web.get(request);
  try {
    checkCertificate(certificate, { host, trusted: certificates === 'letsencrypt', now: now() + TOMORROW_MS });
  } catch (error) {
    if (error instanceof CertificateExpired) {
      return { state: 'warning', detail: `the ingress serves one that ends at ${certificate.validTo}` };
    }
    if (error instanceof CertificateNotValid) return { state: 'warning', detail: error.message };
    throw error;
  }
  return { state: 'ok', detail: `the ingress serves one that holds until ${certificate.validTo}` };
}

/** Whether those answer from whom nodes take packages, and the cluster what its bucket does not have. */
async function examineSources({ sources, reach }: ReadinessDeps): Promise<Omit<Finding, 'name'>> {
  const problems = await Promise.all(
    sources.map(async (url) => {
      const said = await reach(url).then(
        // A registry that asks who is there, is there.
        (status) => (status < 400 || status === 401 ? undefined : String(status)),
        (error: unknown) => ((error as { cause?: Error }).cause ?? (error as Error)).message,
      );
      return said === undefined ? undefined : `${new URL(url).host} (${said})`;
    }),
  );
  const silent = problems.filter((problem) => problem !== undefined);
  return silent.length === 0
    ? { state: 'ok', detail: `${String(sources.length)} hosts of packages, charts and images answer` }
    : {
        state: 'warning',
        detail: `no answer from ${silent.join(', ')}: what is not kept in the bucket cannot be fetched`,
      };
}

async function examineDomain(deps: ReadinessDeps, domain: string): Promise<Omit<Finding, 'name'>> {
  const { ec2, cluster, resolve } = deps;
  if (deps.hasWaitingPage) return examineFront(deps, domain);
  const [address, addresses] = await Promise.all([describeElasticIp(ec2, cluster), resolve(domain)]);
  const wanted = address?.PublicIp ?? '';
  return addresses.includes(wanted)
    ? { state: 'ok', detail: `${domain} leads to ${wanted}` }
    : { state: 'warning', detail: `${domain} leads to ${addresses.join(', ') || 'nothing'}, and not to ${wanted}` };
}

/** Whether visitors of the domain come by CloudFront, which has the waiting page also while the cluster sleeps. */
async function examineFront({ read }: ReadinessDeps, domain: string): Promise<Omit<Finding, 'name'>> {
  const url = `https://${domain}${WAITING_PATH}`;
  const why = await read(url).then(
    (text) => (text.includes(WAITING_MARK) ? undefined : 'something else answers there'),
    (error: unknown) => ((error as { cause?: Error }).cause ?? (error as Error)).message,
  );
  return why === undefined
    ? { state: 'ok', detail: `${domain} leads to the waiting page, and by it to the app` }
    : { state: 'warning', detail: `${domain} does not lead to the output AppFront (${url}: ${why})` };
}
