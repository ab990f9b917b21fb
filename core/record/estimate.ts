/** A state of a run that has ended: from when to when, in seconds since any moment that is the same for the whole run. */
export interface TimedState {
  name: string;
  seconds: number;
  /** When it was entered, in seconds from the run's start; missing in records of earlier versions. */
  at?: number | undefined;
}

/** A run that ended well, state by state. */
export interface TimedRun {
  seconds: number;
  states: readonly TimedState[];
}

/** A state of the run that is under way (epoch ms). */
export interface StateUnderWay {
  name: string;
  enteredAt: number;
  exitedAt: number | undefined;
}

/** How much longer a run takes, by runs that went well. */
export interface Estimate {
  /** Half of the runs were done within it (s). */
  secondsLeft: number;
  /** Nine of ten were (s). */
  secondsLeftAtMost: number;
  /** Runs that it is made of. */
  runs: number;
  /** True if no past run took this long from here. */
  late: boolean;
}

/** Fewer runs say nothing of a spread. */
const ENOUGH = 3;

/**
 * How much longer a run takes. Each state that has ended is a mark: past runs say how long it was from there to the end, and those
 * that were done by now no longer count. Of all marks the one with the least spread is believed, so that the estimate gets better
 * as states end, and a slow state moves it while it lasts. Undefined without a past run to go by.
 */
export function estimateRest(
  past: readonly TimedRun[],
  states: readonly StateUnderWay[],
  now: number,
): Estimate | undefined {
  const marks = states.flatMap(({ name, exitedAt }) => {
    if (exitedAt === undefined) return [];
    const since = (now - exitedAt) / 1000;
    const rests = past.flatMap((run) => restAfter(run, name) ?? []);
    return rests.length === 0 ? [] : [{ since, rests }];
  });
  const most = Math.max(0, ...marks.map(({ rests }) => rests.length));
  // A mark that few runs had is worth less than one that all had.
  const known = marks.filter(({ rests }) => rests.length >= Math.min(most, ENOUGH));
  const [best] = known
    .map(({ since, rests }) => {
      const ahead = rests.map((rest) => rest - since).filter((rest) => rest > 0);
      return { ahead, longest: Math.max(...rests), since, spread: spreadOf(ahead.length > 0 ? ahead : rests) };
    })
    .sort((a, b) => Number(b.ahead.length > 0) - Number(a.ahead.length > 0) || a.spread - b.spread);
  if (best === undefined) return undefined;
  const { ahead, longest } = best;
  if (ahead.length === 0) return { secondsLeft: 0, secondsLeftAtMost: tenths(longest), runs: most, late: true };
  return {
    secondsLeft: tenths(quantile(ahead, 0.5)),
    secondsLeftAtMost: tenths(quantile(ahead, 0.9)),
    runs: most,
    late: false,
  };
}

/** How long a whole run takes, from when it has the cluster to itself. Undefined without a past run. */
export function estimateWhole(
  past: readonly TimedRun[],
): { seconds: number; secondsAtMost: number; runs: number } | undefined {
  const whole = past.map((run) => restAfter(run, 'AcquireLease') ?? run.seconds);
  if (whole.length === 0) return undefined;
  return { seconds: tenths(quantile(whole, 0.5)), secondsAtMost: tenths(quantile(whole, 0.9)), runs: whole.length };
}

/** How much longer a run takes that waits until another is done. Undefined if nothing is known of one of them. */
export function estimateAfter(
  before: Estimate | undefined,
  whole: ReturnType<typeof estimateWhole>,
): Estimate | undefined {
  if (before === undefined || whole === undefined) return undefined;
  return {
    secondsLeft: tenths(before.secondsLeft + whole.seconds),
    secondsLeftAtMost: tenths(before.secondsLeftAtMost + whole.secondsAtMost),
    runs: Math.min(before.runs, whole.runs),
    late: before.late,
  };
}

/** As exact as anybody can use it. */
function tenths(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

/** From the end of a state to the end of the run (s). */
function restAfter({ seconds, states }: TimedRun, name: string): number | undefined {
  const state = states.findLast((one) => one.name === name);
  return state?.at === undefined ? undefined : Math.max(0, seconds - state.at - state.seconds);
}

function spreadOf(values: readonly number[]): number {
  return quantile(values, 0.9) - quantile(values, 0.1);
}

/** Between the two values that are next to it, as most tools count it. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const index = (sorted.length - 1) * part;
  const [low = 0, high = low] = [sorted[Math.floor(index)], sorted[Math.ceil(index)]];
  return low + (high - low) * (index - Math.floor(index));
}
