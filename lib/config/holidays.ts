import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { YEARS_AHEAD } from '../schedule/book';
import { holidaysOfCalendar, InvalidCalendar } from '../schedule/calendar';
import type { Problem } from './rules';
import type { ClusterConfig } from './schema';

/**
 * The days of the calendar file that a configuration names, for this year and as many more as the functions are told.
 * @param folder that of the configuration: the calendar's path is relative to it
 * @returns the days, and what is wrong with the file
 */
export function readCalendar(
  { ics }: ClusterConfig['holidays'],
  folder: string,
  now: Date,
): { days: string[]; problems: Problem[] } {
  if (ics === undefined) return { days: [], problems: [] };
  const wrong = (message: string) => ({
    days: [],
    problems: [{ path: ['holidays', 'ics'], message: `${ics}: ${message}` }],
  });
  const file = resolve(folder, ics);
  if (!existsSync(file))
    return wrong('there is no such file: give its path relative to the configuration, or remove the field');
  const first = now.getUTCFullYear();
  try {
    return { days: holidaysOfCalendar(readFileSync(file, 'utf8'), { first, last: first + YEARS_AHEAD }), problems: [] };
  } catch (error) {
    if (error instanceof InvalidCalendar) return wrong(error.message);
    throw error;
  }
}
