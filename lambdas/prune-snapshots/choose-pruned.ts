import type { SnapshotSet } from '../shared/commands/snapshots';

/** How long snapshots are kept, in days. */
export interface Keeping {
  hourlyDays: number;
  dailyDays: number;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * The snapshots that may go: all but the newest of each hour (for some days), the newest of each day (for some more), what
 * a person took (as long as those), and the newest that is whole, however old. Hours and days are those of UTC. A set
 * without its manifest is one that is being written, or never was finished: it goes after a day.
 * @param sets in any order
 * @param now epoch ms
 * @param newest folder of the newest verified snapshot, if it is known
 */
export function choosePruned(
  sets: readonly SnapshotSet[],
  { hourlyDays, dailyDays }: Keeping,
  now: number,
  newest?: string,
): SnapshotSet[] {
  const newestFirst = [...sets].sort((a, b) => b.at - a.at);
  const whole = newestFirst.filter((set) => set.whole);
  const kept = new Set(whole.slice(0, 1).map(({ folder }) => folder));
  if (newest !== undefined) kept.add(newest);
  const slots = new Set<string>();
  for (const { folder, at, reason } of whole) {
    const age = now - at;
    // The newest of a day is the newest of its hour too, so what becomes a daily one was never pruned before.
    const slot =
      age < hourlyDays * DAY ? `hour ${String(Math.floor(at / HOUR))}` : `day ${String(Math.floor(at / DAY))}`;
    if (age >= Math.max(hourlyDays, dailyDays) * DAY || slots.has(slot)) {
      if (reason === 'manual' && age < dailyDays * DAY) kept.add(folder);
      continue;
    }
    slots.add(slot);
    kept.add(folder);
  }
  return newestFirst.filter((set) => !kept.has(set.folder) && (set.whole || now - set.at >= DAY));
}
