import type * as z from 'zod';
import { complete } from './complete';
import type { Path, Problem } from './problem';
import type { Rule } from './rules';
import type { ClusterConfig, WrittenConfig } from './schema';

/** A configuration without what is broken in it, so that the rules can say at once what else is wrong. */
export interface Mended {
  config: ClusterConfig;
  /** Top-level fields that had to be left out whole. */
  leftOut: ReadonlySet<unknown>;
  /** A path of this configuration as it is in the file, where items of lists were left out. */
  inFile: (path: Path) => (string | number)[];
}

/**
 * Leaves each broken field and each broken item of a list out. Where that is not enough the whole top-level field is left out; undefined
 * if nothing helps.
 * @param read the validator
 */
export function mend(
  input: unknown,
  broken: readonly Path[],
  read: (input: unknown) => z.ZodSafeParseResult<WrittenConfig>,
): Mended | undefined {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return undefined;
  const copy = structuredClone(input) as Record<string, unknown>;
  const places = new Map(broken.map((path) => [JSON.stringify(path), path]));
  // From the last item of a list to its first, so that the places of the others hold.
  for (const path of [...places.values()].reverse()) leaveOut(copy, path);
  const mended = { inFile: (path: Path) => inFile(path, [...places.values()]) };
  const first = read(copy);
  if (first.success) return { ...mended, config: complete(first.data), leftOut: new Set() };
  const leftOut = new Set<unknown>(first.error.issues.map(({ path }) => path[0]));
  const sound = Object.fromEntries(Object.entries(copy).filter(([key]) => !leftOut.has(key)));
  const second = read(sound);
  return second.success ? { ...mended, config: complete(second.data), leftOut } : undefined;
}

function leaveOut(input: object, path: Path): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], input);
  const last = path.at(-1);
  if (Array.isArray(parent) && typeof last === 'number') parent.splice(last, 1);
  else if (typeof parent === 'object' && parent !== null && last !== undefined) Reflect.deleteProperty(parent, last);
}

/** Counts the items that were left out before each item of the path. */
function inFile(path: Path, leftOut: readonly Path[]): (string | number)[] {
  const found: (string | number)[] = [];
  for (const part of path) {
    const before = leftOut
      .filter((other) => other.length === found.length + 1 && isAt(other, found))
      .map((other) => other.at(-1))
      .filter((place) => typeof place === 'number')
      .sort((a, b) => a - b);
    found.push(typeof part === 'number' ? before.reduce((at, place) => (place <= at ? at + 1 : at), part) : part);
  }
  return found;
}

/** True if a rule can judge a configuration although something in it is broken and was left out. */
export function canJudge({ uses, oneByOne }: Rule, { leftOut }: Mended, broken: readonly Path[]): boolean {
  return broken.every(
    ([field, ...below]) =>
      !uses.some((one) => one === field) || (field === oneByOne && below.length > 0 && !leftOut.has(field)),
  );
}

/** Fields whose names are the user's own, so that none says anything of another. */
const OWN_NAMES = new Set<unknown>(['tags', 'labels']);

/** True if a problem may come of what was left out: it is about a broken field, about what holds one, or about a field beside one. */
export function mayComeOf({ path }: Problem, broken: readonly Path[]): boolean {
  const alone = path.length === 1 || typeof path.at(-1) === 'number' || OWN_NAMES.has(path.at(-2));
  return broken.some((other) => isAt(other, alone ? path : path.slice(0, -1)));
}

/** True if a path is at a place, or below it. */
function isAt(path: Path, place: Path): boolean {
  return place.every((part, index) => path[index] === part);
}
