import { install } from '@sinonjs/fake-timers';

/** Taken before any clock is installed. */
const realSetImmediate = setImmediate;

/** Nothing is due any more, and what was run has not ended: it waits for something that will never happen. */
export class NothingLeftToHappen extends Error {
  override readonly name = 'NothingLeftToHappen';
}

/**
 * Runs something in virtual time: `Date` and timers belong to a clock that jumps from one timer to the next as soon as
 * everything in between is done. Minutes take milliseconds, and the same run always goes the same way.
 * @param start UTC ISO time at which it begins
 */
export async function inVirtualTime<T>(run: () => Promise<T>, start = '2026-11-20T08:00:00.000Z'): Promise<T> {
  const clock = install({
    now: new Date(start),
    toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'],
    // The engine's own time-out timers; a real workflow never reaches this many.
    loopLimit: 1_000_000,
  });
  try {
    let ended = false;
    const hasEnded = () => ended;
    const result = run().finally(() => (ended = true));
    result.catch(() => undefined); // Thrown to the caller below; it must not count as unhandled until then.
    for (;;) {
      await settle();
      if (hasEnded()) return await result;
      if (clock.countTimers() === 0) throw new NothingLeftToHappen('No timer is left, and the run has not ended');
      clock.next();
    }
  } finally {
    clock.uninstall();
  }
}

/** Lets every promise that can go on do so. */
function settle(): Promise<void> {
  return new Promise((resolve) => realSetImmediate(resolve));
}

/** Waits in virtual time (s). */
export function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
