import { choosePruned } from '../../lambdas/prune-snapshots/choose-pruned';
import type { SnapshotSet } from '../../lambdas/shared/commands/snapshots';

const NOW = Date.parse('2026-11-20T08:30:00Z');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const KEEPING = { hourlyDays: 7, dailyDays: 90 };

function set(at: string | number, reason = 'schedule', whole = true): SnapshotSet {
  const time = typeof at === 'number' ? at : Date.parse(at);
  const folder = `snapshots/${new Date(time).toISOString()}-${reason}`;
  return { folder, at: time, reason, keys: [`${folder}/etcd.db`], whole };
}

/** Times of the sets that stay, oldest first. */
function kept(sets: SnapshotSet[], now = NOW, newest?: string): string[] {
  const pruned = choosePruned(sets, KEEPING, now, newest);
  expect(sets).toEqual(expect.arrayContaining(pruned));
  return sets
    .filter((one) => !pruned.includes(one))
    .sort((a, b) => a.at - b.at)
    .map(({ at }) => new Date(at).toISOString().slice(5, 16));
}

const every = (ms: number, from: number, to: number) =>
  Array.from({ length: Math.floor((to - from) / ms) + 1 }, (_, n) => set(from + n * ms));

test('nothing is pruned of nothing', () => {
  expect(choosePruned([], KEEPING, NOW)).toEqual([]);
});

test('of each hour the newest stays', () => {
  const sets = ['2026-11-20T07:00Z', '2026-11-20T07:15Z', '2026-11-20T07:59:59Z', '2026-11-20T08:00Z'].map((at) =>
    set(at),
  );
  expect(kept(sets)).toEqual(['11-20T07:59', '11-20T08:00']);
});

test('the order in which they are listed does not matter', () => {
  const sets = every(15 * 60_000, NOW - 3 * DAY, NOW);
  expect(kept([...sets].reverse())).toEqual(kept(sets));
});

test('after a week one of each day stays: its newest', () => {
  const sets = every(HOUR, NOW - 10 * DAY, NOW);
  const stays = kept(sets);
  expect(stays.filter((at) => at < '11-13T09')).toEqual(['11-10T23:30', '11-11T23:30', '11-12T23:30', '11-13T08:30']);
  expect(stays.filter((at) => at >= '11-13T09')).toHaveLength(7 * 24);
});

test('after 90 days none stays', () => {
  expect(kept([set(NOW - 90 * DAY), set(NOW - 90 * DAY + 1), set(NOW)])).toEqual(['08-22T08:30', '11-20T08:30']);
});

test('years of snapshots, pruned every hour, come to what was promised', () => {
  let sets: SnapshotSet[] = [];
  for (let now = NOW - 120 * DAY; now <= NOW; now += HOUR) {
    sets.push(set(now));
    const pruned = new Set(choosePruned(sets, KEEPING, now));
    sets = sets.filter((one) => !pruned.has(one));
  }
  const days = new Set(sets.map(({ at }) => Math.floor(at / DAY)));
  // The week by the hour, the rest by the day; the day on which they meet may have both.
  expect(sets.length).toBeGreaterThanOrEqual(7 * 24 + 83);
  expect(sets.length).toBeLessThanOrEqual(7 * 24 + 85);
  expect(days.size).toBeGreaterThanOrEqual(90);
});

test('the newest whole one stays, however old, also with a newer one that is not whole', () => {
  const old = set(NOW - 400 * DAY, 'sleep');
  expect(kept([set(NOW - 500 * DAY), old, set(NOW, 'schedule', false)])).toEqual(['10-16T08:30', '11-20T08:30']);
});

test('the newest verified one stays, though a newer one of its hour was not', () => {
  const verified = set('2026-11-20T07:10Z');
  expect(kept([verified, set('2026-11-20T07:40Z'), set(NOW)], NOW, verified.folder)).toHaveLength(3);
});

test('what a person took stays as long as the daily ones', () => {
  const sets = [set(NOW - 89 * DAY, 'manual'), set(NOW - 89 * DAY + 1000), set(NOW - 91 * DAY, 'manual'), set(NOW)];
  expect(kept(sets)).toEqual(['08-23T08:30', '08-23T08:30', '11-20T08:30']);
});

test('one without its manifest may still be being written; after a day it is not', () => {
  const sets = [set(NOW - 60_000, 'schedule', false), set(NOW - DAY, 'schedule', false), set(NOW - 2 * HOUR)];
  expect(kept(sets)).toEqual(['11-20T06:30', '11-20T08:29']);
});

test('one from the future (a clock that was wrong) is the newest, and the others keep their hours', () => {
  expect(kept([set(NOW + DAY), set(NOW)])).toHaveLength(2);
});

test('fewer daily than hourly days still keep every hour for those', () => {
  const sets = every(HOUR, NOW - 5 * DAY, NOW);
  expect(choosePruned(sets, { hourlyDays: 3, dailyDays: 1 }, NOW)).toHaveLength(2 * 24 + 1);
});
