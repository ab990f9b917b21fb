import {
  hasOfferings,
  INSTANCE_TYPES,
  INSTANCE_TYPES_DATE,
  type InstanceType,
  offeringsDate,
  regionsOffering,
} from '../facts/instance-types';
import { didYouMean } from './did-you-mean';
import type { ClusterConfig } from './schema';

/** Where a configuration says of instance types what drowse's table does not. */
export type OwnTypes = Pick<ClusterConfig, 'newInstanceTypes'>;

/** The public GPU image has NVIDIA's open kernel modules, which drive GPUs from Turing on; source: NVIDIA's driver documentation. */
const OPEN_MODULES_FROM = 7.5;

/** What is known of an instance type: what the configuration says of it, else the table; undefined if neither knows it. */
export function instanceTypeOf(name: string, { newInstanceTypes }: OwnTypes): InstanceType | undefined {
  return newInstanceTypes[name] ?? INSTANCE_TYPES[name];
}

/** NVIDIA GPUs of an instance type, as Kubernetes counts them; 0 for a type without one, or that nobody knows. */
export function gpusOf(name: string, config: OwnTypes): number {
  const type = instanceTypeOf(name, config);
  return type === undefined || type.manufacturer !== undefined ? 0 : (type.gpus ?? 0);
}

/** How a type may be used: in which region, on which market, with which image. */
export interface TypeUse {
  region: string;
  spot: boolean;
  /** True if it is to have an NVIDIA GPU. */
  gpu: boolean;
  /** True if it runs the user's own image. */
  ownImage: boolean;
}

/** Why a type can't be used so, and what to do; undefined if it can. */
export function typeProblem(name: string, use: TypeUse, config: OwnTypes): string | undefined {
  const type = instanceTypeOf(name, config);
  if (type === undefined) {
    const near = didYouMean(name, Object.keys(INSTANCE_TYPES));
    const hint = near === undefined ? '' : `did you mean ${near}? Otherwise `;
    return `${name} is no instance type (list of ${INSTANCE_TYPES_DATE}): ${hint}describe it under newInstanceTypes if it is newer`;
  }
  const architectures = type.architectures ?? ['x86_64'];
  if (architectures.some((one) => one.endsWith('_mac'))) {
    return `${name} is a dedicated host that runs macOS: use an x86-64 type that runs Linux, for example t3.medium`;
  }
  if (!architectures.includes('x86_64')) return `${name} is ${architectures.join(' and ')}: use an x86-64 type`;
  if (use.gpu && gpusOf(name, config) === 0) {
    const other =
      type.manufacturer === undefined ? '' : ` (its ${type.gpu ?? 'accelerator'} is made by ${type.manufacturer})`;
    return `${name} has no NVIDIA GPU${other}: use a GPU type (g4dn.xlarge, g5.xlarge, g6.xlarge …) or gpu: false`;
  }
  if (use.gpu && !use.ownImage && (type.computeCapability ?? OPEN_MODULES_FROM) < OPEN_MODULES_FROM) {
    const found = `${name} has a ${type.gpu ?? 'GPU'}, which the driver of the public GPU image does not support`;
    return `${found} (open kernel modules, from Turing on): use a newer type, for example g4dn.xlarge, or an ami of your own`;
  }
  if (use.spot && type.spot === false) return `${name} can't be had on spot: use market: on-demand, or another type`;
  const offering = regionsOffering(type);
  if (offering !== undefined && hasOfferings(use.region) && !offering.includes(use.region)) {
    const where = offering.length === 0 ? 'no other region' : offering.slice(0, 6).join(', ');
    const more = offering.length > 6 ? ' …' : '';
    return `${name} is not offered in ${use.region} (list of ${offeringsDate(use.region)}; offered in ${where}${more}): use another type, or describe it under newInstanceTypes if it is by now`;
  }
  return undefined;
}
