import type { MachineFacts } from './room';

/** How long one boot of a machine took to each phase, in seconds from when its power came on. */
export interface BootTimes {
  instanceId: string;
  role: string;
  boot: number;
  /** Part of the life in which it was seen: `bootstrap`, `wake`, `reboot`, … */
  part: string;
  phases: Record<string, number>;
  /** When this seat came to lead the scheduler and the controller manager, in the same seconds; only where it did. */
  leads?: Record<string, number>;
}

/** The times of machines' latest boots; a phase that came twice counts when it came last. */
export function bootTimes(machines: readonly MachineFacts[], part: string): BootTimes[] {
  return machines.map(({ instanceId, role, boots, startedAt, phases }) => ({
    instanceId,
    role,
    boot: boots,
    part,
    phases: Object.fromEntries(phases.map(({ at, phase }) => [phase, Math.round((at - startedAt) * 10) / 10])),
  }));
}

/** Adds boots that are not known yet, and what is new of those that are. */
export function mergeTimes(known: readonly BootTimes[], seen: readonly BootTimes[]): BootTimes[] {
  const name = ({ instanceId, boot }: BootTimes) => `${instanceId} ${String(boot)}`;
  const merged = new Map(known.map((times) => [name(times), times]));
  for (const times of seen) merged.set(name(times), { ...times, ...merged.get(name(times)), phases: times.phases });
  return [...merged.values()];
}

/** What the twin takes from the lab (sim/measured.json): seconds, each the median of `boots` boots. */
export interface Measured {
  /** A seat that restores itself, from `control-plane` to `ready`. */
  seat: { seconds: number; boots: number };
  /** A pool node, from `joining` to `ready`. */
  pool: { seconds: number; boots: number };
}

/** Parts of a life in which every seat restores itself from its volume on a new machine, and pool nodes join. */
const PARTS = ['wake', 'loss of an instance', 'a pool node'];

/**
 * The medians of what a life showed.
 * @throws RangeError no seat restored itself in it, or no pool node joined
 */
export function measured(boots: readonly BootTimes[]): Measured {
  const spans = (role: string, from: string) => {
    const all = boots
      .filter((one) => one.role === role && PARTS.includes(one.part))
      .map(({ phases }) => (phases.ready ?? Number.NaN) - (phases[from] ?? Number.NaN))
      .filter((seconds) => seconds > 0)
      .sort((a, b) => a - b);
    const median = all[Math.floor(all.length / 2)];
    if (median === undefined) throw new RangeError(`no ${role} came from ${from} to ready in this life`);
    return { seconds: Math.round(median * 10) / 10, boots: all.length };
  };
  return { seat: spans('seat', 'control-plane'), pool: spans('pool', 'joining') };
}
