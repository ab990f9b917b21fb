import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidConfig, parseConfig } from '../../lib/config/load';
import { holidaysOfCalendar, InvalidCalendar } from '../../lib/schedule/calendar';

const YEARS = { first: 2026, last: 2028 };
const event = (...lines: string[]) => ['BEGIN:VEVENT', 'UID:1', 'DTSTAMP:20260101T000000Z', ...lines, 'END:VEVENT'];
const calendar = (...events: string[][]) =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:test', ...events.flat(), 'END:VCALENDAR', ''].join('\r\n');
const holiday = (...lines: string[]) => holidaysOfCalendar(calendar(event(...lines)), YEARS);

test.each([
  ['one day', ['DTSTART;VALUE=DATE:20261225'], ['2026-12-25']],
  ['one day with its end', ['DTSTART;VALUE=DATE:20261225', 'DTEND;VALUE=DATE:20261226'], ['2026-12-25']],
  [
    'several days, over the end of a year',
    ['DTSTART;VALUE=DATE:20261230', 'DTEND;VALUE=DATE:20270102'],
    ['2026-12-30', '2026-12-31', '2027-01-01'],
  ],
  [
    'every year since long ago',
    ['DTSTART;VALUE=DATE:19700501', 'RRULE:FREQ=YEARLY'],
    ['2026-05-01', '2027-05-01', '2028-05-01'],
  ],
  [
    'the fourth Thursday of November, but for one year',
    ['DTSTART;VALUE=DATE:20201126', 'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH', 'EXDATE;VALUE=DATE:20271125'],
    ['2026-11-26', '2028-11-23'],
  ],
  ['only those of the years asked for', ['DTSTART;VALUE=DATE:20251225', 'RDATE;VALUE=DATE:20291225'], []],
])('%s', (_what, lines, days) => {
  expect(holiday(...lines)).toEqual(days);
});

test('a meeting is no holiday, nor is a day that was cancelled', () => {
  const text = calendar(
    event('DTSTART:20261224T100000Z', 'DTEND:20261224T110000Z'),
    event('DTSTART;VALUE=DATE:20261225', 'STATUS:CANCELLED'),
    event('DTSTART;VALUE=DATE:20261226'),
  );
  expect(holidaysOfCalendar(text, YEARS)).toEqual(['2026-12-26']);
});

test.each([
  ['not iCalendar', 'holidays!', /^it is not iCalendar/],
  ['one event without its calendar', event('DTSTART;VALUE=DATE:20261225').join('\r\n'), /^it is not a calendar/],
  ['no all-day event', calendar(event('DTSTART:20261224T100000Z')), /^it has no all-day event/],
])('%s is refused', (_what, text, message) => {
  expect(() => holidaysOfCalendar(text, YEARS)).toThrow(InvalidCalendar);
  expect(() => holidaysOfCalendar(text, YEARS)).toThrow(message);
});

describe('in cluster.yaml', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drowse-holidays-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const parse = (yaml: string) => parseConfig(yaml, join(folder, 'cluster.yaml'), new Date('2026-11-20T08:00:00Z'));
  const problemsOf = (yaml: string) => {
    try {
      parse(yaml);
    } catch (error) {
      if (error instanceof InvalidConfig) return error.problems;
      throw error;
    }
    return [];
  };

  test('a calendar’s days join the dates, sorted, each once', () => {
    writeFileSync(join(folder, 'days.ics'), calendar(event('DTSTART;VALUE=DATE:20261225', 'RRULE:FREQ=YEARLY')));
    expect(parse('holidays: { dates: [2027-12-25, 2026-05-01], ics: days.ics }').holidays).toEqual({
      dates: ['2026-05-01', '2026-12-25', '2027-12-25', '2028-12-25'],
      ics: 'days.ics',
    });
  });

  test.each([
    ['holidays: { dates: [25.12.2026] }', /^line 1: holidays\.dates\[0\]: "25\.12\.2026": use a date as YYYY-MM-DD$/],
    ['holidays: { dates: ["2026-02-30"] }', /^line 1: holidays\.dates\[0\]: "2026-02-30": use a date as YYYY-MM-DD$/],
    ['holidays: { ics: none.ics }', /^line 1: holidays\.ics: none\.ics: there is no such file: give its path relative/],
    ['holidays: { ics: cluster.txt }', /^line 1: holidays\.ics: cluster\.txt: it is not .*: export it as \.ics again$/],
    [
      'idle: { enabled: true, afterMinutes: 30, warnMinutes: 30 }',
      /^line 1: idle\.warnMinutes: 30 is not less than afterMinutes \(30\)/,
    ],
  ])('%s', (yaml, message) => {
    writeFileSync(join(folder, 'cluster.txt'), 'holidays!');
    const problems = problemsOf(yaml);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(message);
  });
});
