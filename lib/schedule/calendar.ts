import ICAL from 'ical.js';

/** The calendar file is not one, or has no holiday in it; the message says what to do. */
export class InvalidCalendar extends Error {
  override readonly name = 'InvalidCalendar';
}

/** Occurrences looked at of one event that comes again and again: more than a day each for a century. */
const MOST_OCCURRENCES = 40_000;

/**
 * The days of a calendar's all-day events, as `YYYY-MM-DD`: each day of an event of several, and each occurrence of one that
 * comes again, within the years. Events with a time of day are meetings, not holidays; cancelled ones are none.
 * @param text an iCalendar file (RFC 5545)
 * @param years first and last year, both included
 * @throws InvalidCalendar
 */
export function holidaysOfCalendar(text: string, years: { first: number; last: number }): string[] {
  const events = parse(text)
    .getAllSubcomponents('vevent')
    .filter((event) => event.getFirstPropertyValue('status') !== 'CANCELLED')
    .map((component) => new ICAL.Event(component))
    .filter(({ startDate }) => (startDate as ICAL.Time | null)?.isDate === true);
  if (events.length === 0) throw new InvalidCalendar('it has no all-day event: export one with holidays in it');
  const days = events.flatMap((event) => daysOf(event, years.last));
  const from = `${String(years.first)}-01-01`;
  return [...new Set(days)].filter((day) => day >= from && day <= `${String(years.last)}-12-31`).sort();
}

function parse(text: string): ICAL.Component {
  try {
    const calendar = ICAL.Component.fromString(text);
    if (calendar.name === 'vcalendar') return calendar;
  } catch (error) {
    throw new InvalidCalendar(`it is not iCalendar (${(error as Error).message}): export it as .ics again`);
  }
  throw new InvalidCalendar('it is not a calendar: its first line must be BEGIN:VCALENDAR');
}

function daysOf(event: ICAL.Event, lastYear: number): string[] {
  const days: string[] = [];
  // Its end is the day after the last one; without an end it is one day.
  const length = Math.max(1, Math.round(event.duration.toSeconds() / 86_400));
  const occurrences = event.iterator();
  for (let count = 0; count < MOST_OCCURRENCES; count += 1) {
    const start = occurrences.next() as ICAL.Time | undefined;
    if (!start || start.year > lastYear) break;
    for (let offset = 0; offset < length; offset += 1) {
      const day = start.clone();
      day.adjust(offset, 0, 0, 0);
      days.push(day.toString().slice(0, 10));
    }
  }
  return days;
}
