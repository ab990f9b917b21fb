import { closest, distance } from 'fastest-levenshtein';

/** Beyond this many letters a suggestion would be a guess. */
const FAR = 2;

/** What eksctl, kOps, Terraform, Karpenter and SkyPilot call fields of ours, in lower case. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  ...{ cluster: 'name', clustername: 'name', cluster_name: 'name', metadata: 'name', location: 'region' },
  ...{ availabilityzones: 'zones', azs: 'zones', version: 'kubernetes', kubernetesversion: 'kubernetes' },
  ...{ nodepools: 'pools', nodegroups: 'pools', managednodegroups: 'pools', nodes: 'pools', workers: 'pools' },
  ...{ vpc: 'vpcCidr', cidr: 'vpcCidr', networkcidr: 'vpcCidr', masters: 'controlPlane', labels: 'tags' },
  ...{ kubernetesapiaccess: 'operatorCidrs', admincidrs: 'operatorCidrs', allowedcidrs: 'operatorCidrs' },
  ...{ spot: 'market', use_spot: 'market', capacitytype: 'market', capacity_type: 'market' },
  ...{ minsize: 'min', min_size: 'min', maxsize: 'max', max_size: 'max', minnodes: 'min', maxnodes: 'max' },
  ...{ desiredcapacity: 'desired', desiredsize: 'desired', desired_size: 'desired', replicas: 'desired' },
  ...{ count: 'desired', size: 'desired', machinetype: 'instanceTypes', instance_types: 'instanceTypes' },
  ...{ volumesize: 'diskGiB', disksize: 'diskGiB', disk_size: 'diskGiB', rootvolumesize: 'diskGiB', image: 'ami' },
  ...{ timezone: 'timeZone', start: 'wake', stop: 'sleep', up: 'wake', down: 'sleep' },
};

/** The name of ours for a field that other tools call so; undefined if it is none of those allowed. */
export function ourNameOf(field: string, allowed: readonly string[]): string | undefined {
  const ours = ELSEWHERE[field.toLowerCase()];
  return ours !== undefined && allowed.includes(ours) ? ours : undefined;
}

/** Of what may stand there, what a typo was probably meant to be; undefined if nothing is near. */
export function didYouMean(found: string, allowed: readonly string[]): string | undefined {
  if (allowed.length === 0) return undefined;
  const lower = found.toLowerCase();
  // Two letters the wrong way round are the commonest typo: g4nd is g4dn, not g4ad.
  const swapped = allowed.find(
    (one) => sameLetters(lower, one.toLowerCase()) && distance(lower, one.toLowerCase()) <= FAR,
  );
  if (swapped !== undefined) return swapped;
  // A whole word for its short form: monday is mon.
  const begun = allowed.filter((one) => one.length > FAR && lower.startsWith(one.toLowerCase()));
  if (begun.length === 1) return begun[0];
  // The city of a time zone: Berlin is Europe/Berlin.
  const ended = allowed.filter((one) => one.toLowerCase().endsWith(`/${lower.replaceAll(' ', '_')}`));
  if (ended.length === 1) return ended[0];
  const nearest = closest(
    lower,
    allowed.map((one) => one.toLowerCase()),
  );
  const near = distance(lower, nearest) <= Math.max(1, Math.min(FAR, Math.floor(found.length / 3)));
  return near ? allowed.find((one) => one.toLowerCase() === nearest) : undefined;
}

function sameLetters(one: string, other: string): boolean {
  const sorted = (word: string) => Array.from(word).sort().join('');
  return one.length === other.length && sorted(one) === sorted(other);
}
