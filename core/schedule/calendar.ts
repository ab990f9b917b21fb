import { dayOf, daysOf, InvalidEvent, type Years } from './calendar-days';
import { type CalendarEvent, readCalendarFile } from './calendar-file';

/** One day on which no schedule wakes the cluster. */
export interface Holiday {
  /** `YYYY-MM-DD`. */
  date: string;
  /** Name of its event; several are joined by commas. */
  name: string;
}

/** The days of a calendar file. */
export interface Calendar {
  /** In order, each day once. */
  holidays: Holiday[];
  /** What is wrong with the file, each with line, event and remedy; its days are incomplete then. */
  problems: string[];
  /** Names of its events that are no days off: the observances of Google's holiday calendars, days that make up for holidays. */
  observances: string[];
}

/** How far back the last day of an outdated calendar is looked for (years). */
const YEARS_BACK = 50;

/**
 * The all-day events of a calendar: each day of one that lasts several, and each occurrence of a series with its exceptions
 * (left out, moved, cancelled, added). An event with times of day is a meeting, unless it goes from midnight to midnight.
 * @param bytes an iCalendar file (RFC 5545)
 * @param years first and last year, both included
 */
export function readCalendar(bytes: Uint8Array, years: Years): Calendar {
  const { events: versions, problems } = readCalendarFile(bytes);
  const events = newestOf(versions);
  const found = expand(events, years);
  const holidays = [...found.names]
    .map(([date, names]) => ({ date, name: [...names].join(', ') }))
    .sort((a, b) => a.date.localeCompare(b.date));
  const wrong = [...problems, ...found.problems];
  if (wrong.length === 0 && holidays.length === 0) wrong.push(whyEmpty(events, found, years));
  return { holidays, problems: wrong, observances: [...found.observances].sort() };
}

/** Without the older versions (SEQUENCE) of events that a file holds several times. */
function newestOf(events: readonly CalendarEvent[]): CalendarEvent[] {
  const keyOf = ({ uid, replaces }: CalendarEvent) => JSON.stringify([uid, replaces]);
  const newest = new Map<string, number>();
  for (const event of events) newest.set(keyOf(event), Math.max(newest.get(keyOf(event)) ?? 0, event.version));
  return events.filter((event) => event.uid === '' || event.version >= (newest.get(keyOf(event)) ?? 0));
}

interface Expansion {
  /** Names of the events by date. */
  names: Map<string, Set<string>>;
  observances: Set<string>;
  problems: string[];
  /** Events that take whole days and are days off, whenever. */
  allDay: number;
}

function expand(events: readonly CalendarEvent[], years: Years): Expansion {
  const found: Expansion = { names: new Map(), observances: new Set(), problems: [], allDay: 0 };
  const exceptions = Map.groupBy(
    events.filter(({ uid, replaces }) => uid !== '' && replaces !== undefined),
    ({ uid }) => uid,
  );
  const series = new Map(
    events.filter(({ uid, replaces }) => uid !== '' && replaces === undefined).map((event) => [event.uid, event]),
  );
  for (const event of events) {
    if (event.cancelled) continue;
    const single = event.replaces !== undefined;
    try {
      if (isLeftOut(event, series.get(event.uid))) continue;
      const days = daysOf(
        // Some programs repeat the rules of a series in its exceptions.
        single && series.has(event.uid) ? { ...event, rules: [], furtherDates: [] } : event,
        single ? [] : (exceptions.get(event.uid) ?? []),
        years,
      );
      if (days === undefined) continue;
      if (event.worked || isObservance(event)) {
        found.observances.add(event.name);
        continue;
      }
      found.allDay += 1;
      for (const date of days) found.names.set(date, (found.names.get(date) ?? new Set<string>()).add(event.name));
    } catch (error) {
      if (!(error instanceof InvalidEvent)) throw error;
      found.problems.push(`line ${String(event.line)}, ${JSON.stringify(event.name)}: ${error.message}`);
    }
  }
  return found;
}

/** An occurrence that was changed first, and then taken out of its series. */
function isLeftOut({ replaces, version }: CalendarEvent, series: CalendarEvent | undefined): boolean {
  if (replaces === undefined || series === undefined || version > series.version) return false;
  return series.leftOutDates.map(dayOf).includes(dayOf(replaces));
}

/**
 * Google's holiday calendars have days beside the holidays on which everybody works, and say so, in the calendar's language, with a
 * second line on where to hide them: `Gedenktag`, `Um Gedenktage auszublenden, … Google Kalender-Einstellungen > Feiertage in …`.
 */
function isObservance({ description: [first = '', second = '', ...more] }: CalendarEvent): boolean {
  return first.toLowerCase() === 'observance' || (more.length === 0 && /Google.*[>＞]/.test(second));
}

function whyEmpty(events: readonly CalendarEvent[], { allDay, observances }: Expansion, years: Years): string {
  if (allDay === 0) {
    const found = observances.size > 0 ? 'only observances, on which people work' : 'no all-day event';
    return `it has ${found}: export one with holidays in it`;
  }
  const past = expand(events, { first: years.first - YEARS_BACK, last: years.first - 1 });
  const last = [...past.names.keys()].sort().at(-1);
  const range = `none of its days is within ${String(years.first)} to ${String(years.last)}`;
  return `${range}${last === undefined ? '' : `, the last one is ${last}`}: export a newer one, or remove the field`;
}
