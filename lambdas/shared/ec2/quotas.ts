import { type _InstanceType, type EC2Client, paginateDescribeInstanceTypes } from '@aws-sdk/client-ec2';
import { GetServiceQuotaCommand, type ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { QUOTA } from '../../../core/config/names';
import type { Group } from './groups';
import { logger } from '../clients/logger';

type Kind = keyof typeof QUOTA;

/** Which instance types a quota is about. */
const FAMILIES: readonly [families: RegExp, kind: Kind][] = [
  [/^(a|c|d|h|i|im|is|m|r|t|z)\d/, 'standard'],
  [/^(g|gr|vt)\d/, 'G and VT'],
];

interface Clients {
  ec2: EC2Client;
  serviceQuotas: ServiceQuotasClient;
}

/** vCPUs that some groups want under one quota, or under two where either market will do. */
interface Demand {
  codes: string[];
  what: string;
  by: string[];
  vcpus: number;
}

export interface QuotaFindings {
  /** Without this the cluster cannot run at all. */
  missing: string[];
  /** Without this some pool cannot reach its size. */
  warnings: string[];
  /** Quotas that could not be asked. */
  unknown: string[];
}

/**
 * Compares the account's vCPU quotas with what seats and pools want, each pool at the smallest of its instance types:
 * what does not fit then will not fit. What else runs in the account counts too and is not known, so that fitting
 * promises nothing. A quota that cannot be asked is unknown, and stops nothing.
 * @param sizeOf nodes that a group will be asked for
 */
export async function compareQuotas(
  { ec2, serviceQuotas }: Clients,
  groups: readonly Group[],
  sizeOf: (group: Group) => number,
): Promise<QuotaFindings> {
  const vcpus = await describeVcpus(ec2, [...new Set(groups.flatMap(({ instanceTypes }) => instanceTypes))]);
  const seats = demandsOf(
    groups.filter(({ role }) => role === 'seat'),
    vcpus,
    sizeOf,
  );
  const all = demandsOf(groups, vcpus, sizeOf);
  const values = await readQuotas(serviceQuotas, [...new Set(all.flatMap(({ codes }) => codes))]);
  const tooMuch = (demands: Demand[]) => demands.flatMap((demand) => describeExcess(demand, values));
  const missing = tooMuch(seats);
  return {
    missing,
    warnings: missing.length > 0 ? [] : tooMuch(all),
    unknown: [...values].filter(([, value]) => value === undefined).map(([code]) => code),
  };
}

function demandsOf(
  groups: readonly Group[],
  vcpus: ReadonlyMap<string, number>,
  sizeOf: (group: Group) => number,
): Demand[] {
  const demands = new Map<string, Demand>();
  for (const group of groups.filter((one) => sizeOf(one) > 0)) {
    const kinds = new Set(group.instanceTypes.map(kindOf));
    const [kind] = kinds;
    const smallest = Math.min(...group.instanceTypes.map((type) => vcpus.get(type) ?? 0));
    if (kind === undefined || kinds.size > 1 || smallest === 0) continue;
    const markets = group.market === 'spot-with-fallback' ? (['spot', 'on-demand'] as const) : [group.market];
    const codes = markets.map((market) => QUOTA[kind][market]);
    const what = `${markets.join(' or ')} ${kind}`;
    const demand = demands.get(what) ?? { codes, what, by: [], vcpus: 0 };
    demands.set(what, demand);
    demand.by.push(group.pool ?? `seat ${group.seat ?? '?'}`);
    demand.vcpus += smallest * sizeOf(group);
  }
  return [...demands.values()];
}

function describeExcess({ codes, what, by, vcpus }: Demand, values: ReadonlyMap<string, number | undefined>): string[] {
  const known = codes.map((code) => values.get(code)).filter((value) => value !== undefined);
  const allowed = known.reduce((sum, value) => sum + value, 0);
  if (known.length < codes.length || vcpus <= allowed) return [];
  return [
    `${by.join(', ')} ${by.length > 1 ? 'want' : 'wants'} ${vcpus} vCPUs of ${what} instances, the account's quota (${codes.join(' + ')}) is ${allowed}`,
  ];
}

function kindOf(instanceType: string): Kind | undefined {
  return FAMILIES.find(([families]) => families.test(instanceType))?.[1];
}

async function describeVcpus(ec2: EC2Client, types: readonly string[]): Promise<Map<string, number>> {
  // A filter, since a name that AWS does not know would fail the whole request.
  const input = { Filters: [{ Name: 'instance-type', Values: types as _InstanceType[] }] };
  const vcpus = new Map<string, number>();
  if (types.length === 0) return vcpus;
  for await (const { InstanceTypes } of paginateDescribeInstanceTypes({ client: ec2 }, input)) {
    for (const { InstanceType = '', VCpuInfo } of InstanceTypes ?? []) {
      vcpus.set(InstanceType, VCpuInfo?.DefaultVCpus ?? 0);
    }
  }
  return vcpus;
}

async function readQuotas(
  client: ServiceQuotasClient,
  codes: readonly string[],
): Promise<Map<string, number | undefined>> {
  const read = async (QuotaCode: string) => {
    try {
      const { Quota } = await client.send(new GetServiceQuotaCommand({ ServiceCode: 'ec2', QuotaCode }));
      return [QuotaCode, Quota?.Value] as const;
    } catch (error) {
      logger.info('Quota unknown', { quota: QuotaCode, error: error as Error });
      return [QuotaCode, undefined] as const;
    }
  };
  return new Map(await Promise.all(codes.map(read)));
}
