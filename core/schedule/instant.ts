import { DateTime } from 'luxon';

/** What a person wrote is no moment in time, or could be several. The message says how to write one. */
export class InvalidInstant extends Error {
  override readonly name = 'InvalidInstant';
}

/** A date and a time with or without seconds; ISO 8601 also knows them without dashes and colons. */
const DATE_AND_TIME = /^\d{4}-?(\d{2}-?\d{2}|W\d{2}-?\d|\d{3})[T ]\d{2}/i;
const WITH_OFFSET = /(Z|[+-]\d{2}(:?\d{2})?)$/i;
const FORM = 'write it as 2026-11-20T23:30+01:00';

/**
 * The moment that an ISO 8601 text means. Without an offset it is local time of the time zone that all schedules share.
 * @param timeZones those of the schedules
 * @throws InvalidInstant
 */
export function parseInstant(text: string, timeZones: readonly string[]): Date {
  const written = JSON.stringify(text);
  const iso = text
    .trim()
    .replace(/^(\S+) (\d)/, '$1T$2')
    .replace(/\s+(?=(Z|[+-]\d{2}(:?\d{2})?)$)/i, '');
  if (!DATE_AND_TIME.test(iso)) throw new InvalidInstant(`${written} is no date with a time: ${FORM}`);
  const offset = WITH_OFFSET.test(iso.slice(iso.search(/[T]/i)));
  const [zone, ...others] = new Set(timeZones);
  if (!offset && (zone === undefined || others.length > 0)) {
    const why = zone === undefined ? 'no schedule says in which time zone' : 'the schedules have several time zones';
    throw new InvalidInstant(`${written} has no offset, and ${why}: ${FORM}`);
  }
  const instant = DateTime.fromISO(iso.toUpperCase(), { zone: offset ? 'utc' : zone });
  if (!instant.isValid) throw new InvalidInstant(`${written} is no moment that exists: ${FORM}`);
  return instant.toJSDate();
}
