import { CommandFailed, EXIT } from '../terminal/errors';

const SPAN = /^(\d{1,4})(m|h|d)$/;
const MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90m`, `3h`, `2d` in ms; undefined for anything else. */
export function spanMs(text: string): number | undefined {
  const [, count, unit] = SPAN.exec(text) ?? [];
  return count === undefined ? undefined : Number(count) * MS[unit as keyof typeof MS];
}

/** The value of an option that is a whole number above zero. @throws CommandFailed as wrong use */
export function count(option: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= max) return value;
  throw new CommandFailed(
    `${option} ${text} is no number of them`,
    `Use a whole number from 1 to ${String(max)}.`,
    '',
    EXIT.wrongUse,
  );
}
