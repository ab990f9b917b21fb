/**
 * What drowse needs to know of instance types before it asks AWS: which ones carry NVIDIA GPUs, and which are arm64.
 * Source of the GPU counts: AWS's "Accelerated computing" instance pages, families with an NVIDIA device and x86-64 CPUs.
 */
const GPUS_BY_TYPE: Readonly<Record<string, number>> = {
  ...sizes('g4dn', { xlarge: 1, '2xlarge': 1, '4xlarge': 1, '8xlarge': 1, '12xlarge': 4, '16xlarge': 1, metal: 8 }),
  ...sizes('g5', {
    xlarge: 1,
    '2xlarge': 1,
    '4xlarge': 1,
    '8xlarge': 1,
    '12xlarge': 4,
    '16xlarge': 1,
    '24xlarge': 4,
    '48xlarge': 8,
  }),
  ...sizes('g6', {
    xlarge: 1,
    '2xlarge': 1,
    '4xlarge': 1,
    '8xlarge': 1,
    '12xlarge': 4,
    '16xlarge': 1,
    '24xlarge': 4,
    '48xlarge': 8,
  }),
  ...sizes('g6e', {
    xlarge: 1,
    '2xlarge': 1,
    '4xlarge': 1,
    '8xlarge': 1,
    '12xlarge': 4,
    '16xlarge': 1,
    '24xlarge': 4,
    '48xlarge': 8,
  }),
  ...sizes('gr6', { '4xlarge': 1, '8xlarge': 1 }),
  ...sizes('p3', { '2xlarge': 1, '8xlarge': 4, '16xlarge': 8 }),
  ...sizes('p3dn', { '24xlarge': 8 }),
  ...sizes('p4d', { '24xlarge': 8 }),
  ...sizes('p4de', { '24xlarge': 8 }),
  ...sizes('p5', { '4xlarge': 1, '48xlarge': 8 }),
  ...sizes('p5e', { '48xlarge': 8 }),
  ...sizes('p5en', { '48xlarge': 8 }),
};

function sizes(family: string, gpus: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(gpus).map(([size, count]) => [`${family}.${size}`, count]));
}

/** NVIDIA GPUs of an instance type; 0 for a type without one. */
export function gpusOf(instanceType: string): number {
  return GPUS_BY_TYPE[instanceType] ?? 0;
}

/** The GPU types that drowse knows, for error messages. */
export const GPU_INSTANCE_TYPES: readonly string[] = Object.keys(GPUS_BY_TYPE);

/** True for Graviton types: AWS puts a `g` after the generation digit (t4g, m7gd, g5g), or names the family a1. */
export function isArm(instanceType: string): boolean {
  return /^(a1|[a-z]+\d+g[a-z]*)\./.test(instanceType);
}
