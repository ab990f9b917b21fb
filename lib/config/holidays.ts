import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { YEARS_AHEAD } from '../../core/schedule/book';
import { type Calendar, readCalendar } from '../../core/schedule/calendar';
import type { Problem } from '../../core/config/problem';
import type { ClusterConfig } from '../../core/config/schema';

/**
 * The days of the calendar file that a configuration names, for this year and as many more as the functions are told.
 * @param folder that of the configuration: the calendar's path is relative to it
 * @returns the days, and what is wrong with the file
 */
export function calendarOf(
  { ics }: ClusterConfig['holidays'],
  folder: string,
  now: Date,
): Omit<Calendar, 'problems'> & { problems: Problem[] } {
  if (ics === undefined) return { holidays: [], observances: [], problems: [] };
  const problem = (message: string): Problem => ({ path: ['holidays', 'ics'], message: `${ics}: ${message}` });
  const bytes = /^(https?|webcal):/i.test(ics)
    ? 'it is an address of the web: download the .ics file, and give its path'
    : readBytes(resolve(folder, ics));
  if (typeof bytes === 'string') return { holidays: [], observances: [], problems: [problem(bytes)] };
  const first = now.getUTCFullYear();
  const { problems, ...calendar } = readCalendar(bytes, { first, last: first + YEARS_AHEAD });
  return { ...calendar, problems: problems.map(problem) };
}

/** The file's bytes, or why it has none. */
function readBytes(file: string): Uint8Array | string {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      return 'there is no such file: give its path relative to the configuration, or remove the field';
    }
    if (code === 'EISDIR') return 'it is a folder: name the .ics file in it';
    return `it cannot be read (${message}): check who may read it`;
  }
}
