import * as z from 'zod';
import type { ClusterConfig, ScheduleConfig } from '../config/schema';
import type { ScheduleBook } from './events';
import { parseJson } from '../parse-json';
import { WEEKDAYS } from './weekdays';

/** Whole years ahead for which functions are told the holidays, beside the present one. */
export const YEARS_AHEAD = 2;
/** Bytes for one bit a day of a year. */
const YEAR_BYTES = 46;
const DAY_MS = 86_400_000;

/** The windows and holidays of a configuration. */
export function bookOf({ schedules, holidays }: Pick<ClusterConfig, 'schedules' | 'holidays'>): ScheduleBook {
  return { schedules, holidays: new Set(holidays.dates) };
}

/**
 * A book as environment variables of a function. A function's environment has 4 KB in all: twenty schedules take at most
 * 1.9 KB, and holidays one bit a day, so 0.2 KB however many there are.
 * @param now decides which years the functions are told: this one and the next two
 */
export function bookEnvironment({ schedules, holidays }: ScheduleBook, now: Date) {
  return { SCHEDULES: JSON.stringify(schedules.map(pack)), HOLIDAYS: packHolidays(holidays, now.getUTCFullYear()) };
}

const packed = z.tuple([z.string(), z.string().regex(/^[01]{7}$/), z.string(), z.string(), z.string(), z.int()]);

/** Environment of the functions that know the schedules; see {@link bookEnvironment}. */
export const bookEnv = z.object({
  /** JSON: an array of name, days as seven digits, sleep, wake, time zone, catchUpMinutes for each schedule. */
  SCHEDULES: z.preprocess(parseJson, z.array(packed)).transform((schedules) => schedules.map(unpack)),
  /** `2026:<base64> 2027:<base64>`: for each year one bit a day, the first of January first. */
  HOLIDAYS: z.string().transform(unpackHolidays),
});

function pack({ name, days, sleep = '', wake = '', timeZone, catchUpMinutes }: ScheduleConfig): z.input<typeof packed> {
  return [
    name,
    WEEKDAYS.map((day) => (days.includes(day) ? '1' : '0')).join(''),
    sleep,
    wake,
    timeZone,
    catchUpMinutes,
  ];
}

function unpack([name, days, sleep, wake, timeZone, catchUpMinutes]: z.output<typeof packed>): ScheduleConfig {
  return {
    name,
    days: WEEKDAYS.filter((_, index) => days[index] === '1'),
    ...(sleep !== '' && { sleep }),
    ...(wake !== '' && { wake }),
    timeZone,
    catchUpMinutes,
  };
}

function packHolidays(holidays: ReadonlySet<string>, firstYear: number): string {
  const years = Array.from({ length: YEARS_AHEAD + 1 }, (_, index) => firstYear + index);
  return years
    .flatMap((year) => {
      const bits = Buffer.alloc(YEAR_BYTES);
      for (const date of holidays) {
        if (!date.startsWith(`${String(year)}-`)) continue;
        const day = (Date.parse(date) - Date.UTC(year, 0)) / DAY_MS;
        bits[day >> 3] = (bits[day >> 3] ?? 0) | (1 << (day & 7));
      }
      return bits.some((byte) => byte > 0) ? [`${String(year)}:${bits.toString('base64')}`] : [];
    })
    .join(' ');
}

function unpackHolidays(text: string): Set<string> {
  const holidays = new Set<string>();
  for (const part of text.split(' ').filter(Boolean)) {
    const [year = '', base64 = ''] = part.split(':');
    Buffer.from(base64, 'base64').forEach((byte, index) => {
      for (let bit = 0; bit < 8; bit += 1) {
        if (byte & (1 << bit)) holidays.add(isoDate(Date.UTC(Number(year), 0) + (index * 8 + bit) * DAY_MS));
      }
    });
  }
  return holidays;
}

function isoDate(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
