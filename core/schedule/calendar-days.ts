import { Duration } from 'luxon';
import { RRuleTemporal } from 'rrule-temporal';
import type { CalendarEvent } from './calendar-file';

/** What is wrong with one event of a calendar file; the message says what to do. */
export class InvalidEvent extends Error {
  override readonly name = 'InvalidEvent';
}

/** First and last year, both included. */
export interface Years {
  first: number;
  last: number;
}

/** Days are UTC midnights, in milliseconds. */
type Day = number;

/** The whole day that a file's date means, and the time that it has beside it. */
interface Moment {
  day: Day;
  /** `HHMMSS`. */
  time: string | undefined;
  utc: boolean;
}

const DAY_MS = 86_400_000;
const MIDNIGHT = '000000';
/** Some programs end a day at 23:00, at 23:59 or at 24:00. */
const LAST_HOUR = '230000';
/** Iterations of a rule after which nothing is expected to come of it any more. */
const MOST_ITERATIONS = 20_000;

/** `2026-12-24`. */
export function isoDate(day: Day): string {
  return new Date(day).toISOString().slice(0, 10);
}

/**
 * The days that an event takes within the years, or undefined for one that takes no whole days: a meeting.
 * @param exceptions the events that stand for single occurrences of it
 * @throws InvalidEvent
 */
export function daysOf(event: CalendarEvent, exceptions: readonly CalendarEvent[], years: Years): string[] | undefined {
  const start = readMoment(event.start);
  const length = lengthOf(event, start);
  if (length === undefined) return undefined;
  const [first, last] = [Date.UTC(years.first, 0), Date.UTC(years.last, 11, 31)];
  const replaced = exceptions.map((exception) => {
    if (exception.replacesLater) {
      throw new InvalidEvent('an exception stands for all later ones (RANGE=THISANDFUTURE): make them a series');
    }
    return dayOf(exception.replaces ?? '');
  });
  const byRules = (rules: readonly string[]) =>
    rules.flatMap((rule) => ruleDays(rule, start.day, first - (length - 1) * DAY_MS, last));
  const without = new Set([...event.leftOutDates.map(dayOf), ...byRules(event.leftOutRules), ...replaced]);
  // A series that ends before it begins is one that somebody took out of the calendar.
  const takenOut = event.rules.length > 0 && event.rules.every((rule) => lastDayOfRule(rule) < start.day);
  const starts = [...(takenOut ? [] : [start.day]), ...event.furtherDates.map(dayOf), ...byRules(event.rules)];
  const days = new Set<string>();
  for (const day of starts) {
    if (without.has(day)) continue;
    const end = Math.min(day + (length - 1) * DAY_MS, last);
    for (let at = Math.max(day, first); at <= end; at += DAY_MS) days.add(isoDate(at));
  }
  return [...days];
}

/** How many whole days an event takes; undefined if it does not begin and end at midnight. */
function lengthOf(event: CalendarEvent, start: Moment): number | undefined {
  // When a meeting ends is no matter, and often wrong.
  if (start.time !== undefined && start.time !== MIDNIGHT && !event.allDay) return undefined;
  const end = event.end === undefined ? undefined : readMoment(event.end);
  const days = end ? (end.day - start.day) / DAY_MS : readDuration(event.duration);
  if (days < 0) throw new InvalidEvent(`it ends (${event.end ?? event.duration ?? ''}) before it begins: swap them`);
  if (event.allDay) return Math.max(1, Math.ceil(days));
  const inLastHour = end?.time !== undefined && !end.utc && end.time >= LAST_HOUR;
  const length = inLastHour ? days + 1 : days;
  if (start.time === undefined) return Math.max(1, Math.ceil(length));
  // From midnight, without a length: a day, as some programs write it.
  if (length === 0 && !start.utc && (end === undefined || end.time === MIDNIGHT)) return 1;
  const whole = length >= 1 && Number.isInteger(length);
  return whole && (end === undefined || end.time === MIDNIGHT || inLastHour) ? length : undefined;
}

/** In days, for example 1 of `P1D`, 7 of `P1W`, 0.5 of `PT12H`. */
function readDuration(text: string | undefined): number {
  if (text === undefined) return 0;
  const duration = Duration.fromISO(text.replace(/^\+/, ''));
  if (!duration.isValid) throw new InvalidEvent(`its length ${JSON.stringify(text)} is none: write it as P1D`);
  return duration.as('days');
}

/** `20261224`, with or without a time, which may be in UTC. A few programs leave digits of the time out, or all of it. */
const MOMENT = /^(?<year>\d{4})(?<month>\d\d)(?<date>\d\d)(?:T(?<time>\d{4,6}))?(?<utc>Z?)$/;

/** The day that a date of a file means, in the calendar of its author. */
export const dayOf = (text: string): Day => readMoment(text).day;

function readMoment(text: string): Moment {
  const { year = '', month = '', date = '', time, utc } = MOMENT.exec(text)?.groups ?? {};
  const day = Date.parse(`${year}-${month}-${date}T00:00:00Z`);
  if (Number.isNaN(day) || isoDate(day) !== `${year}-${month}-${date}`) {
    throw new InvalidEvent(`${JSON.stringify(text)} is no day: write it as 20261224`);
  }
  // Programs write local midnights in UTC: west of Greenwich that is the same date, east of it the evening before.
  const evening = utc === 'Z' && time !== undefined && time >= '120000';
  return { day: evening ? day + DAY_MS : day, time: time?.padEnd(6, '0'), utc: utc === 'Z' };
}

/** Rules that make more than one occurrence a day. */
const TOO_OFTEN = /FREQ=(SECONDLY|MINUTELY|HOURLY)/;

const [DAY_OF_MONTH, DAY_OF_YEAR, WEEK] = [
  /^[+-]?([1-9]|0[1-9]|[12]\d|3[01])$/,
  /^[+-]?0*[1-9]\d{0,2}$/,
  /^[+-]?([1-9]|0[1-9]|[1-4]\d|5[0-3])$/,
];
/**
 * What may stand in a rule, each value of a list. The library passes over what it does not know, and would take an Easter (BYEASTER) for
 * the day of the first. Of other calendars than ours it knows the Hebrew one to the day; that of China now and then a day late (the new
 * moon of 6 February 2027 is at 23:56 in Beijing).
 */
const RULE_PARTS: Record<string, RegExp> = {
  FREQ: /./,
  INTERVAL: /./,
  COUNT: /^\d+$/,
  UNTIL: /./,
  WKST: /^(MO|TU|WE|TH|FR|SA|SU)$/,
  RSCALE: /^(GREGORIAN|HEBREW)$/,
  SKIP: /^(OMIT|BACKWARD|FORWARD)$/,
  BYMONTH: /^([1-9]|0[1-9]|1[0-2])$/,
  BYWEEKNO: WEEK,
  BYYEARDAY: DAY_OF_YEAR,
  BYMONTHDAY: DAY_OF_MONTH,
  BYDAY: /^[+-]?\d{0,2}(MO|TU|WE|TH|FR|SA|SU)$/,
  BYSETPOS: DAY_OF_YEAR,
};
const HEBREW_MONTH = /^([1-9]|0[1-9]|1[0-3]|5L)$/;

/** Parts that the library does not hold against each other, as a comparison with another one has shown. */
const MIXED: readonly (readonly RegExp[])[] = [
  [/BYYEARDAY=[^;]*/, /BY(MONTH)?DAY=[^;]*/],
  [/BYWEEKNO=[^;]*/, /BY(MONTH|YEAR)DAY=[^;]*/],
  [/BYWEEKNO=[^;]*/, /BYDAY=[^;]*\d[A-Z]{2}[^;]*/],
  // A first Monday is of the year where no month is named.
  [/FREQ=YEARLY(?!.*BYMONTH=)(?<!BYMONTH=.*)/, /BYMONTHDAY=[^;]*/, /BYDAY=[^;]*\d[A-Z]{2}[^;]*/],
];

/** The first part of a rule that cannot be followed. */
function unknownPart(rule: string): string | undefined {
  const hebrew = rule.includes('RSCALE=HEBREW');
  const mixed = MIXED.find((parts) => parts.every((part) => part.test(rule)));
  if (mixed) return mixed.map((part) => part.exec(rule)?.[0] ?? '').join(' with ');
  return rule.split(';').find((part) => {
    const [name = '', values = ''] = part.split('=');
    const allowed = hebrew && name === 'BYMONTH' ? HEBREW_MONTH : RULE_PARTS[name];
    return part !== '' && !(allowed && values.split(',').every((value) => allowed.test(value)));
  });
}

/** The last second of a day, as some programs end a series. */
const LAST_SECOND = /T\d\d5959Z?$/;
const UNTIL = /(?<=(?:^|;)UNTIL=)[^;]*/;

/** The days of a rule (RFC 5545, section 3.3.10) from its start, within both days. */
function ruleDays(text: string, start: Day, from: Day, to: Day): Day[] {
  // -1 stands for no count where programs keep the number of a series.
  const rule = text.toUpperCase().replace(/\s|;COUNT=-1(?=;|$)/g, '');
  if (TOO_OFTEN.test(rule)) throw new InvalidEvent(`${text} comes several times a day: a holiday comes once`);
  const unknown = unknownPart(rule);
  if (unknown !== undefined) {
    throw new InvalidEvent(`its rule ${text} cannot be followed (${unknown}): give the days one by one`);
  }
  const regular = regularDays(withoutOwnDate(rule, start), start, from, to);
  if (regular) return regular;
  const compact = (day: Day) => isoDate(day).replaceAll('-', '');
  const bounded = rule.replace(UNTIL, (until) => `${compact(lastDayOf(until))}T000000Z`);
  try {
    const series = new RRuleTemporal({
      rruleString: `DTSTART:${compact(start)}T000000Z\nRRULE:${withOwnDate(bounded, start)}`,
      maxIterations: MOST_ITERATIONS,
    });
    return series.between(new Date(from), new Date(to), true).map(({ epochMilliseconds }) => epochMilliseconds);
  } catch (error) {
    throw new InvalidEvent(
      `its rule ${text} cannot be followed (${(error as Error).message}): give the days one by one`,
    );
  }
}

/** A rule that repeats its start at one distance, without any BY…: days, weeks, months or years. */
const REGULAR = /^FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;(INTERVAL|COUNT|UNTIL|WKST)=\w+)*;?$/;
/** The longest distance of one interval (days): a bound that never passes over an occurrence. */
const LONGEST_DAYS: Readonly<Record<string, number>> = { DAILY: 1, WEEKLY: 7, MONTHLY: 31, YEARLY: 366 };

/** The days of a rule as most holidays have it, a hundredth of the time that the library takes; undefined for any other rule. */
function regularDays(rule: string, start: Day, from: Day, to: Day): Day[] | undefined {
  if (!REGULAR.test(rule)) return undefined;
  const parts = new Map(rule.split(';').map((part) => part.split('=') as [string, string]));
  const [frequency = '', until] = [parts.get('FREQ'), parts.get('UNTIL')];
  const [interval, count] = [Number(parts.get('INTERVAL') ?? 1), Number(parts.get('COUNT') ?? Infinity)];
  if (!(interval >= 1) || (parts.has('COUNT') && until !== undefined)) return undefined;
  const last = until === undefined ? to : Math.min(to, lastDayOf(until));
  const first = new Date(start);
  const [year, month, date] = [first.getUTCFullYear(), first.getUTCMonth(), first.getUTCDate()];
  const byDate = frequency === 'MONTHLY' || frequency === 'YEARLY';
  const distances = {
    DAILY: (n: number) => first.setUTCFullYear(year, month, date + n),
    WEEKLY: (n: number) => first.setUTCFullYear(year, month, date + 7 * n),
    MONTHLY: (n: number) => first.setUTCFullYear(year, month + n, date),
    YEARLY: (n: number) => first.setUTCFullYear(year + n, month, date),
  };
  const dayAfter = distances[frequency as keyof typeof distances];
  // A month without that date (the 29th of February, a 31st) has no occurrence, and none that counts.
  const gaps = byDate && date > 28;
  const ahead = Math.floor((from - start) / DAY_MS / (interval * (LONGEST_DAYS[frequency] ?? 1)));
  const days: Day[] = [];
  let n = gaps && count !== Infinity ? 0 : Math.max(0, ahead);
  for (let counted = n; counted < count; n += 1) {
    const day = dayAfter(n * interval);
    if (day > last) break;
    if (byDate && first.getUTCDate() !== date) continue;
    if (day >= from) days.push(day);
    counted += 1;
  }
  return days;
}

/** Leaves out what a rule says of its day though its start says the same, as many programs write it. */
function withoutOwnDate(rule: string, start: Day): string {
  const first = new Date(start);
  const [month, date] = [String(first.getUTCMonth() + 1), String(first.getUTCDate())];
  const own = {
    YEARLY: [`BYMONTH=${month};BYMONTHDAY=${date}`, `BYMONTHDAY=${date};BYMONTH=${month}`, `BYMONTH=${month}`],
    MONTHLY: [`BYMONTHDAY=${date}`],
    WEEKLY: [`BYDAY=${WEEKDAYS[first.getUTCDay()] ?? ''}`],
  };
  const [, frequency = ''] = /FREQ=(\w+)/.exec(rule) ?? [];
  const parts = rule.split(';').filter((part) => part.startsWith('BY'));
  const said = parts.join(';').replaceAll(/=0(?=\d)/g, '=');
  return (own as Record<string, string[]>)[frequency]?.includes(said)
    ? rule
        .split(';')
        .filter((part) => !parts.includes(part))
        .join(';')
    : rule;
}

const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];

/** Says what the standard takes from the start of a series, so that a 29th, 30th or 31st is left out where there is none. */
function withOwnDate(rule: string, start: Day): string {
  if (/BYDAY=|BYMONTHDAY=|BYYEARDAY=|BYWEEKNO=|RSCALE=/.test(rule)) return rule;
  const [month, date] = [new Date(start).getUTCMonth() + 1, new Date(start).getUTCDate()].map(String);
  if (rule.includes('FREQ=MONTHLY')) return `${rule};BYMONTHDAY=${date ?? ''}`;
  if (!rule.includes('FREQ=YEARLY')) return rule;
  const months = rule.includes('BYMONTH=') ? '' : `;BYMONTH=${month ?? ''}`;
  return `${rule}${months};BYMONTHDAY=${date ?? ''}`;
}

/** Day of its UNTIL; Infinity without one. */
function lastDayOfRule(rule: string): Day {
  const [until] = UNTIL.exec(rule.toUpperCase()) ?? [];
  return until === undefined ? Infinity : lastDayOf(until.trim());
}

function lastDayOf(until: string): Day {
  if (!LAST_SECOND.test(until)) return dayOf(until);
  const { day, time = '' } = readMoment(until.replace(/Z$/, ''));
  // In UTC, a day's last second is on that date east of Greenwich, and in the morning of the next west of it.
  return until.endsWith('Z') && time < '120000' ? day - DAY_MS : day;
}
