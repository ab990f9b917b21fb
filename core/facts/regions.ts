import types from './instance-types.json';
import facts from './regions.json';

/** What a region is. */
export interface Region {
  /** `aws` for the commercial regions. */
  partition: string;
  /** Letters of zones that some account has; each account sees its own choice of them. */
  zones: readonly string[];
  /** Letters of zones that both sources name: what an account most likely has. */
  likelyZones: readonly string[];
  /** Resource types of ours that CloudFormation lacks there; undefined where the source does not say. */
  lacks: readonly string[] | undefined;
}

interface Row {
  partition: string;
  zones: string;
  lacks: string[] | null;
}

const ROWS = facts.regions as Readonly<Record<string, Row>>;
const OTHER_ZONES = types.zones as Readonly<Record<string, string>>;

/** Every region that AWS has, of all partitions. */
export const REGIONS: readonly string[] = Object.keys(ROWS);

/** Regions of the partition that everybody can use. */
export const COMMERCIAL_REGIONS: readonly string[] = REGIONS.filter((name) => ROWS[name]?.partition === 'aws');

/** When the table was made (YYYY-MM-DD). */
export const REGIONS_DATE = facts.date;

/** The region of a name; undefined if AWS has none. */
export function regionOf(name: string): Region | undefined {
  const row = ROWS[name];
  if (row === undefined) return undefined;
  const letters = row.zones.split('');
  const others = (OTHER_ZONES[name] ?? row.zones).split('');
  return {
    partition: row.partition,
    zones: [...new Set([...letters, ...others])].sort(),
    likelyZones: letters.filter((letter) => others.includes(letter)),
    lacks: row.lacks ?? undefined,
  };
}

/** Partition of a region, for ARNs. A region that nobody knows (a token) counts as commercial: no other is accepted. */
export function partitionOf(region: string): string {
  return ROWS[region]?.partition ?? 'aws';
}

const DNS_SUFFIXES = facts.dnsSuffixes as Readonly<Record<string, string>>;

/** What the names of AWS's endpoints in a region end with. */
export function dnsSuffixOf(region: string): string {
  return DNS_SUFFIXES[partitionOf(region)] ?? '';
}

/** Whether CloudFormation has a resource type in a region. Not known counts as no: it is asked for what a stack can do without. */
export function hasResourceType(region: string, type: string): boolean {
  const lacks = regionOf(region)?.lacks;
  return lacks !== undefined && !lacks.includes(type);
}
