/** CPU in thousandths of a core, memory in MiB. */
export interface Resources {
  cpu: number;
  memory: number;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1 / 2 ** 20,
  k: 1000 / 2 ** 20,
  M: 1000 ** 2 / 2 ** 20,
  G: 1000 ** 3 / 2 ** 20,
  Ki: 1 / 2 ** 10,
  Mi: 1,
  Gi: 2 ** 10,
  Ti: 2 ** 20,
};

/** A Kubernetes quantity of CPU as thousandths of a core. */
export function milliCpu(quantity: unknown): number {
  const text = String(quantity);
  const value = text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000;
  if (!Number.isFinite(value)) throw new Error(`${text} is no quantity of CPU`);
  return value;
}

/** A Kubernetes quantity of memory as MiB. */
export function mebibytes(quantity: unknown): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(\w*)$/.exec(String(quantity)) ?? [];
  const factor = UNITS[unit ?? ''];
  if (number === undefined || factor === undefined) throw new Error(`${String(quantity)} is no quantity of memory`);
  return Number(number) * factor;
}

/** The sum of some resources. */
export function add(...parts: readonly Resources[]): Resources {
  return parts.reduce((a, b) => ({ cpu: a.cpu + b.cpu, memory: a.memory + b.memory }), { cpu: 0, memory: 0 });
}
