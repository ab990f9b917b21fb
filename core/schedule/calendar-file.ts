/** One VEVENT of a calendar file: the properties that say which days it takes. */
export interface CalendarEvent {
  /** Line of its `BEGIN:VEVENT`, from 1. */
  line: number;
  uid: string;
  /** Its SUMMARY, or `(no name)`. */
  name: string;
  /** Its DESCRIPTION, line by line. */
  description: string[];
  /** Its SEQUENCE: of several versions of an event the highest is the newest. */
  version: number;
  cancelled: boolean;
  /** Outlook's own word for an all-day event that it writes with times of day. */
  allDay: boolean;
  /** True if the calendar says that people work on that day: the days that China works for its long holidays. */
  worked: boolean;
  start: string;
  end: string | undefined;
  duration: string | undefined;
  rules: string[];
  /** Rules whose days are left out (EXRULE, of the older standard). */
  leftOutRules: string[];
  /** The occurrence of its series that this event stands for. */
  replaces: string | undefined;
  /** True if it stands for all later occurrences as well. */
  replacesLater: boolean;
  furtherDates: string[];
  leftOutDates: string[];
}

/** What a calendar file holds, and what in it could not be read. */
export interface CalendarFile {
  events: CalendarEvent[];
  /** Each with its line. */
  problems: string[];
}

/** A line as the file has it, put together again where it was folded (RFC 5545, section 3.1). */
interface Line {
  number: number;
  text: string;
}

/** The first two bytes of UTF-16: its byte order mark, or the B of BEGIN without one. */
const UTF_16_MARKS = ['fffe', 'feff', '4200', '0042'];

/**
 * The events of an iCalendar file (RFC 5545), each read for itself: one that is broken does not hide the others. Only the
 * properties that say which days an event takes are looked at, so that a malformed line elsewhere does no harm. One file may
 * hold several calendars.
 */
export function readCalendarFile(bytes: Uint8Array): CalendarFile {
  if (UTF_16_MARKS.includes(Buffer.from(bytes.subarray(0, 2)).toString('hex'))) {
    return { events: [], problems: ['it is UTF-16: save it as UTF-8'] };
  }
  const lines = unfold(decode(bytes));
  const first = lines.find(({ text }) => text.trim() !== '');
  if (first === undefined) return { events: [], problems: ['it is empty: export the calendar again'] };
  if (first.text.trimStart().startsWith('<')) {
    return { events: [], problems: ['it is a web page: download the .ics file itself'] };
  }
  if (!isMark(first, 'BEGIN', 'VCALENDAR')) {
    return { events: [], problems: ['it is not iCalendar: its first line must be BEGIN:VCALENDAR'] };
  }
  return eventsOf(lines);
}

/** UTF-8 as the standard wants it, otherwise Windows' Western European; without a byte order mark. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

function unfold(text: string): Line[] {
  const lines: Line[] = [];
  text.split(/\r*\n|\r/).forEach((part, index) => {
    const last = lines.at(-1);
    if (last && /^[ \t]/.test(part)) last.text += part.slice(1);
    else lines.push({ number: index + 1, text: part });
  });
  return lines;
}

function isMark({ text }: Line, mark: 'BEGIN' | 'END', component: string): boolean {
  return text.trim().toUpperCase() === `${mark}:${component}`;
}

function eventsOf(lines: readonly Line[]): CalendarFile {
  const file: CalendarFile = { events: [], problems: [] };
  let begin: { at: number; number: number } | undefined;
  const cutOff = (number: number) => {
    file.problems.push(`line ${String(number)}: the event has no END:VEVENT: export the calendar again`);
  };
  lines.forEach((line, at) => {
    if (isMark(line, 'BEGIN', 'VEVENT')) {
      if (begin) cutOff(begin.number);
      begin = { at, number: line.number };
    } else if (begin && isMark(line, 'END', 'VEVENT')) {
      const read = readEvent(begin.number, withoutAlarms(lines.slice(begin.at + 1, at)));
      if (typeof read === 'string') file.problems.push(read);
      else file.events.push(read);
      begin = undefined;
    }
  });
  if (begin) cutOff(begin.number);
  return file;
}

/** An alarm has a duration and a description of its own. */
function withoutAlarms(lines: readonly Line[]): Line[] {
  let depth = 0;
  return lines.filter(({ text }) => {
    if (/^BEGIN:/i.test(text)) depth += 1;
    const inside = depth > 0;
    if (/^END:/i.test(text)) depth -= 1;
    return !inside;
  });
}

const WANTED =
  /^(UID|SUMMARY|DESCRIPTION|STATUS|SEQUENCE|DTSTART|DTEND|DURATION|RRULE|EXRULE|RDATE|EXDATE|RECURRENCE-ID|CATEGORIES|X-MICROSOFT-CDO-ALLDAYEVENT|X-APPLE-SPECIAL-DAY)[;:]/i;

/**
 * How calendars of China name a weekend day that is worked to make up for a holiday: its own word, or the sign 班 in brackets after the
 * holiday's name. Apple says it in X-APPLE-SPECIAL-DAY as well.
 */
const MAKE_UP_DAY = /补班|補班|[（(【[]班[）)】\]]/;

/** The event, or what is wrong with it. */
function readEvent(line: number, lines: readonly Line[]): CalendarEvent | string {
  const found = new Map<string, Property[]>();
  for (const { number, text } of lines) {
    if (!WANTED.test(text)) continue;
    const property = readProperty(text);
    if (!property) return `line ${String(number)}: ${JSON.stringify(text)} cannot be read: export the calendar again`;
    found.set(property.name, [...(found.get(property.name) ?? []), property]);
  }
  const all = (name: string) => (found.get(name) ?? []).map(({ value }) => value).filter(Boolean);
  const one = (name: string) => all(name)[0];
  const list = (name: string) => all(name).flatMap((value) => value.split(/\s*,\s*/).filter(Boolean));
  const name = plainText(one('summary') ?? '') || '(no name)';
  const cancelled = one('status')?.toUpperCase() === 'CANCELLED';
  // What is called off needs no day of its own: one occurrence has that one, and a whole event takes none.
  const start = one('dtstart') ?? (cancelled ? (one('recurrence-id') ?? '') : undefined);
  if (start === undefined) {
    return `line ${String(line)}: ${JSON.stringify(name)} has no DTSTART: give it a day`;
  }
  const texts = { end: one('dtend'), duration: one('duration'), replaces: one('recurrence-id') };
  return {
    line,
    name,
    start,
    uid: one('uid') ?? '',
    description: plainText(one('description') ?? '').split('\n'),
    version: Number(one('sequence') ?? 0) || 0,
    cancelled,
    allDay: one('x-microsoft-cdo-alldayevent')?.toUpperCase() === 'TRUE',
    worked:
      one('x-apple-special-day')?.toUpperCase() === 'ALTERNATE-WORKDAY' ||
      MAKE_UP_DAY.test([name, ...all('categories')].join()),
    ...texts,
    rules: all('rrule'),
    leftOutRules: all('exrule'),
    replacesLater: /;RANGE=THISANDFUTURE/i.test(found.get('recurrence-id')?.[0]?.parameters ?? ''),
    // A period (`<start>/<end>`) is taken by its start.
    furtherDates: list('rdate').map((value) => value.replace(/\/.*/, '')),
    leftOutDates: list('exdate'),
  };
}

interface Property {
  /** In lower case. */
  name: string;
  value: string;
  /** Its parameters as the file has them, each with the semicolon before it. */
  parameters: string;
}

/**
 * RFC 5545, section 3.1: a name, parameters whose values may be quoted, and what comes after the colon. Some programs leave a parameter
 * without a value, or empty.
 */
const PROPERTY =
  /^(?<name>[\w-]+)(?<parameters>(?:;(?:[\w-]+(?:=(?:"[^"]*"|[^":;,]*)(?:,(?:"[^"]*"|[^":;,]*))*)?)?)*):(?<value>.*)$/;

/**
 * A date is clear from its end, whatever stands before: Exchange names time zones with a colon and no quotes
 * (`DTSTART;TZID=(UTC+01:00) Berlin, Rome:20261224T000000`), others close the quotes after the date, or write VALUE=20261224.
 */
const DATE = /^(?<name>DTSTART|DTEND|RDATE|EXDATE|RECURRENCE-ID)(?<parameters>(?:;.*)?)[:=](?<value>\d{8}[\dTZ,]*)"?$/i;

function readProperty(text: string): Property | undefined {
  const line = text.trimEnd();
  const { name, parameters = '', value = '' } = (DATE.exec(line) ?? PROPERTY.exec(line))?.groups ?? {};
  return name === undefined ? undefined : { name: name.toLowerCase(), parameters, value: value.trim() };
}

function plainText(value: string): string {
  return value
    .replace(/\\[nN]/g, '\n')
    .replace(/\\(.)/g, '$1')
    .trim();
}
