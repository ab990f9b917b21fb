import facts from './instance-types.json';

/** What an instance type is. */
export interface InstanceType {
  vCpus: number;
  memoryGiB: number;
  /** As DescribeInstanceTypes says them: `x86_64`, `arm64`, `x86_64_mac` …; x86_64 without it. */
  architectures?: readonly string[];
  /** Who made its GPU; NVIDIA without it. */
  manufacturer?: string;
  /** Name of its GPU, for example `T4`. */
  gpu?: string;
  /** GPUs as Kubernetes counts them: a part of one counts as one. */
  gpus?: number;
  /** Which part of a GPU it has, if less than a whole one. */
  gpuPart?: number;
  /** CUDA compute capability of its GPU, for example 7.5. */
  computeCapability?: number;
  /** False if it can't be had on spot. */
  spot?: boolean;
  /** True for types that DescribeInstanceTypes no longer shows. */
  past?: boolean;
  /** Which of the regions offer it: bit n of this hexadecimal number for the region at index n. */
  regions?: string;
}

/** Every type that the table knows. */
export const INSTANCE_TYPES = facts.types as Readonly<Record<string, InstanceType>>;

/** When the table was made (YYYY-MM-DD). */
export const INSTANCE_TYPES_DATE = facts.date;

/** Regions that are known to offer a type; undefined if nothing is known of that. */
export function regionsOffering(type: InstanceType): readonly string[] | undefined {
  if (type.regions === undefined) return type.past === true ? undefined : facts.offeringRegions;
  const bits = BigInt(`0x${type.regions}`);
  return facts.offeringRegions.filter((_, index) => ((bits >> BigInt(index)) & 1n) === 1n);
}

/** Of which day the list of what a region offers is (YYYY-MM-DD). */
export function offeringsDate(region: string): string {
  return (facts.olderOfferings as Readonly<Record<string, string>>)[region] ?? facts.date;
}

/** Whether it is known which types a region offers. */
export function hasOfferings(region: string): boolean {
  return facts.offeringRegions.includes(region);
}
