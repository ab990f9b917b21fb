import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidConfig, parseConfig } from '../../lib/config/load';
import { RRuleTemporal } from 'rrule-temporal';
import { type Calendar, readCalendar } from '../../core/schedule/calendar';

const YEARS = { first: 2026, last: 2028 };
const event = (...lines: string[]) => {
  const uid = lines.some((line) => line.startsWith('UID:')) ? [] : ['UID:1'];
  return ['BEGIN:VEVENT', ...uid, 'DTSTAMP:20260101T000000Z', ...lines, 'END:VEVENT'];
};
const calendar = (...events: string[][]) =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:test', ...events.flat(), 'END:VCALENDAR', ''].join('\r\n');
const read = (text: string) => readCalendar(Buffer.from(text), YEARS);

const daysOf = ({ holidays }: Calendar) => holidays.map(({ date }) => date);
const THURSDAYS = ['DTSTART;VALUE=DATE:20261203', 'RRULE:FREQ=WEEKLY;COUNT=3'];
const MOVED = ['RECURRENCE-ID;VALUE=DATE:20261210', 'DTSTART;VALUE=DATE:20261211'];
const WESTERN_EUROPE = 'TZID=W. Europe Standard Time';

/** Events of one calendar, each as its lines, and the days that they mean. */
test.each<[what: string, events: string[][], days: string[]]>([
  ['one day', [['DTSTART;VALUE=DATE:20261225']], ['2026-12-25']],
  ['one day without VALUE=DATE', [['DTSTART:20261224']], ['2026-12-24']],
  ['one day with its end', [['DTSTART;VALUE=DATE:20261225', 'DTEND;VALUE=DATE:20261226']], ['2026-12-25']],
  ['one that ends on its first day', [['DTSTART;VALUE=DATE:20261225', 'DTEND;VALUE=DATE:20261225']], ['2026-12-25']],
  ['two days by their length', [['DTSTART;VALUE=DATE:20261225', 'DURATION:P2D']], ['2026-12-25', '2026-12-26']],
  [
    'several days, over the end of a year',
    [['DTSTART;VALUE=DATE:20261230', 'DTEND;VALUE=DATE:20270102']],
    ['2026-12-30', '2026-12-31', '2027-01-01'],
  ],
  [
    'days that began before the first year',
    [['DTSTART;VALUE=DATE:20251229', 'DURATION:P1W']],
    ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'],
  ],
  [
    'every year since long ago',
    [['DTSTART;VALUE=DATE:19700501', 'RRULE:FREQ=YEARLY']],
    ['2026-05-01', '2027-05-01', '2028-05-01'],
  ],
  ['a 29th of February', [['DTSTART;VALUE=DATE:20240229', 'RRULE:FREQ=YEARLY']], ['2028-02-29']],
  [
    'a 31st of some months',
    [['DTSTART;VALUE=DATE:20251231', 'RRULE:FREQ=MONTHLY;UNTIL=20260401']],
    ['2026-01-31', '2026-03-31'],
  ],
  [
    'the fourth Thursday of November, but for one year',
    [['DTSTART;VALUE=DATE:20201126', 'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH', 'EXDATE;VALUE=DATE:20271125']],
    ['2026-11-26', '2028-11-23'],
  ],
  ['a series with a moved day', [THURSDAYS, MOVED], ['2026-12-03', '2026-12-11', '2026-12-17']],
  ['a moved day that stands before its series', [MOVED, THURSDAYS], ['2026-12-03', '2026-12-11', '2026-12-17']],
  ['a series with a cancelled day', [THURSDAYS, [...MOVED, 'STATUS:CANCELLED']], ['2026-12-03', '2026-12-17']],
  [
    'one that is cancelled without a day',
    [THURSDAYS, ['RECURRENCE-ID:20261210', 'STATUS:CANCELLED']],
    ['2026-12-03', '2026-12-17'],
  ],
  ['blanks in a rule', [['DTSTART:20261224', 'RRULE:FREQ=YEARLY; COUNT=2']], ['2026-12-24', '2027-12-24']],
  ['a moved day whose series is not there', [MOVED], ['2026-12-11']],
  [
    'further days',
    [['DTSTART;VALUE=DATE:20261224', 'RDATE;VALUE=DATE:20261231,20270106']],
    ['2026-12-24', '2026-12-31', '2027-01-06'],
  ],
  [
    'a day that Outlook wrote with a time',
    [[`DTSTART;${WESTERN_EUROPE}:20261224T000000`, 'X-MICROSOFT-CDO-ALLDAYEVENT:TRUE']],
    ['2026-12-24'],
  ],
  [
    'a day that Outlook wrote in UTC, beside a plain one',
    [
      ['DTSTART:20261223T230000Z', 'DTEND:20261224T230000Z', 'X-MICROSOFT-CDO-ALLDAYEVENT:TRUE'],
      ['DTSTART;VALUE=DATE:20261226'],
    ],
    ['2026-12-24', '2026-12-26'],
  ],
  [
    'from midnight to midnight, and to a minute before it',
    [
      [`DTSTART;${WESTERN_EUROPE}:20261224T000000`, `DTEND;${WESTERN_EUROPE}:20261226T000000`],
      ['DTSTART:20261231T000000', 'DTEND:20261231T235900'],
    ],
    ['2026-12-24', '2026-12-25', '2026-12-31'],
  ],
  [
    'a series of such days until the last one’s midnight in UTC',
    [
      [
        `DTSTART;${WESTERN_EUROPE}:20261222T000000`,
        'DURATION:P1D',
        'RRULE:FREQ=DAILY;UNTIL=20261223T230000Z',
        `EXDATE;${WESTERN_EUROPE}:20261223T000000`,
      ],
    ],
    ['2026-12-22', '2026-12-24'],
  ],
  [
    'a series until the last second of its last day, in Berlin and in New York',
    [
      ['DTSTART;VALUE=DATE:20261224', 'RRULE:FREQ=DAILY;UNTIL=20261225T225959Z'],
      ['DTSTART;VALUE=DATE:20270101', 'RRULE:FREQ=DAILY;UNTIL=20270103T045959Z'],
    ],
    ['2026-12-24', '2026-12-25', '2027-01-01', '2027-01-02'],
  ],
  [
    'the newest version of a day, and none of one that was cancelled later',
    [
      ['DTSTART;VALUE=DATE:20261223', 'SEQUENCE:1'],
      ['DTSTART;VALUE=DATE:20261228', 'SEQUENCE:2'],
      ['UID:2', 'DTSTART;VALUE=DATE:20261230'],
      ['UID:2', 'DTSTART;VALUE=DATE:20261230', 'SEQUENCE:1', 'STATUS:CANCELLED'],
    ],
    ['2026-12-28'],
  ],
  [
    'the newest version of a moved day',
    [THURSDAYS, [...MOVED, 'SEQUENCE:1'], ['RECURRENCE-ID:20261210', 'DTSTART:20261212', 'SEQUENCE:2']],
    ['2026-12-03', '2026-12-12', '2026-12-17'],
  ],
  [
    'several rules, and one whose days are left out',
    [
      [
        'DTSTART;VALUE=DATE:20261201',
        'RRULE:FREQ=DAILY;COUNT=4',
        'RRULE:FREQ=YEARLY;WKST=SU',
        'EXRULE:FREQ=DAILY;INTERVAL=2;COUNT=2',
      ],
    ],
    ['2026-12-02', '2026-12-04', '2027-12-01', '2028-12-01'],
  ],
  [
    'further days with blanks between',
    [['DTSTART:20261224', 'RDATE: 20261231, 20270106']],
    ['2026-12-24', '2026-12-31', '2027-01-06'],
  ],
  [
    'a time zone with a colon and no quotes',
    [['DTSTART;TZID=(UTC+01:00) Berlin, Rome:20261224T000000', 'DTEND;TZID=(UTC+01:00) Berlin, Rome:20261225T000000']],
    ['2026-12-24'],
  ],
  [
    'a series of the Hebrew calendar',
    [['DTSTART;VALUE=DATE:20241003', 'RRULE:RSCALE=HEBREW;FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1']],
    ['2026-09-12', '2027-10-02', '2028-09-21'],
  ],
  [
    'from midnight to 23:00, to 24:00, and without an end',
    [
      ['DTSTART:20261224T000000', 'DTEND:20261224T230000'],
      ['DTSTART:20261226T000000', 'DTEND:20261226T240000'],
      [`DTSTART;${WESTERN_EUROPE}:20261228T000000`],
      ['DTSTART:20261230T000000', 'DTEND:20261230T000000'],
    ],
    ['2026-12-24', '2026-12-26', '2026-12-28', '2026-12-30'],
  ],
  [
    'days that end in the last minute of the last one',
    [['DTSTART;VALUE=DATE:20260216', 'DTEND:20260217T235900']],
    ['2026-02-16', '2026-02-17'],
  ],
  [
    'no count, as a program writes it',
    [['DTSTART:20261224', 'RRULE:FREQ=DAILY;UNTIL=20261225;COUNT=-1']],
    ['2026-12-24', '2026-12-25'],
  ],
  [
    'a birthday calendar’s further days',
    [['DTSTART;VALUE=DATE:20261224', 'RDATE;VALUE=DATE-TIME:20261228Z']],
    ['2026-12-24', '2026-12-28'],
  ],
  [
    'a series that ends before it begins',
    [
      ['DTSTART:20261228', 'RRULE:FREQ=YEARLY;UNTIL=20261106'],
      ['UID:2', 'DTSTART:20261224'],
    ],
    ['2026-12-24'],
  ],
  [
    'a moved day that was taken out of its series later',
    [[...THURSDAYS, 'SEQUENCE:1', 'EXDATE;VALUE=DATE:20261210'], MOVED],
    ['2026-12-03', '2026-12-17'],
  ],
  [
    'a moved day that is newer than the hole in its series',
    [
      [...THURSDAYS, 'EXDATE;VALUE=DATE:20261210'],
      [...MOVED, 'SEQUENCE:1'],
    ],
    ['2026-12-03', '2026-12-11', '2026-12-17'],
  ],
  [
    'a moved day that repeats the rule of its series',
    [THURSDAYS, [...MOVED, 'RRULE:FREQ=WEEKLY;COUNT=3']],
    ['2026-12-03', '2026-12-11', '2026-12-17'],
  ],
  [
    'parameters without a value, and quotes in the wrong place',
    [
      ['DTSTART;WHATEVER:20261224'],
      ['DTSTART;;VALUE=DATE:20261226', 'DTEND;VALUE=20261227'],
      [
        'DTSTART;TZID="W. Europe Standard Time:20261228T000000"',
        'DTEND;TZID="W. Europe Standard Time:20261229T000000"',
      ],
    ],
    ['2026-12-24', '2026-12-26', '2026-12-28'],
  ],
  [
    'beside meetings whose end is wrong, and a whole event that is cancelled without a day',
    [
      ['DTSTART:20261224T100000Z', 'DTEND:20261224T090000Z'],
      ['DTSTART:20261224T1000Z', 'DURATION:PT1W'],
      ['STATUS:CANCELLED'],
      ['UID:2', 'DTSTART;VALUE=DATE:20261226'],
    ],
    ['2026-12-26'],
  ],
  [
    'beside meetings and a cancelled day',
    [
      ['DTSTART:20261224T100000Z', 'DTEND:20261224T110000Z'],
      ['DTSTART:20261223T140000Z', 'DTEND:20261224T140000Z'],
      ['DTSTART;VALUE=DATE:20261225', 'STATUS:CANCELLED'],
      ['DTSTART;VALUE=DATE:20261226'],
    ],
    ['2026-12-26'],
  ],
])('%s', (_what, events, days) => {
  const found = read(calendar(...events.map((lines) => event(...lines))));
  expect([found.problems, daysOf(found)]).toEqual([[], days]);
});

/** Lines of a file that is read although something in it is odd. */
const DAY = event('SUMMARY;LANGUAGE=de:Heiliger Abend\\, frei', 'DTSTART;VALUE=DATE:20261224');
test.each<[what: string, bytes: Buffer]>([
  ['a byte order mark', Buffer.from(`\uFEFF${calendar(DAY)}`)],
  [
    'a carriage return too many on each line',
    Buffer.from(calendar(DAY).replace('20261224', '2026\r\n 1224').replaceAll('\r', '\r\r')),
  ],
  ['plain newlines', Buffer.from(calendar(DAY).replaceAll('\r', ''))],
  [
    'Western European letters',
    Buffer.from(calendar(event('SUMMARY:Allerheiligen für alle', 'DTSTART:20261101'), DAY), 'latin1'),
  ],
  ['two calendars', Buffer.from(calendar(event('DTSTART:20261101')) + calendar(DAY))],
  ['a malformed line that does not matter', Buffer.from(calendar([...DAY.slice(0, -1), 'no property', 'END:VEVENT']))],
  [
    'an alarm with a length',
    Buffer.from(calendar([...DAY.slice(0, -1), 'BEGIN:VALARM', 'DURATION:PT1H', 'END:VALARM', 'END:VEVENT'])),
  ],
  ['a folded line', Buffer.from(calendar(DAY).replace('20261224', '2026\r\n 1224'))],
])('%s is no hindrance', (_what, bytes) => {
  const { holidays, problems } = readCalendar(bytes, YEARS);
  expect(problems).toEqual([]);
  expect(holidays.at(-1)).toEqual({ date: '2026-12-24', name: 'Heiliger Abend, frei' });
});

test('an observance of Google’s calendars is no day off, and named', () => {
  const gedenktag = String.raw`DESCRIPTION:Gedenktag\nUm Gedenktage auszublenden\, rufe die Google Kalender-Einstellungen > Feiertage in Deutschland auf`;
  const observance = String.raw`DESCRIPTION:Observance\nTo hide observances\, go to Google Calendar Settings`;
  const found = read(
    calendar(
      event('SUMMARY:Nikolaus', 'DTSTART;VALUE=DATE:20261206', observance),
      event('SUMMARY:Muttertag', 'DTSTART;VALUE=DATE:20270509', gedenktag),
      event('SUMMARY:Christmas', 'DTSTART;VALUE=DATE:20261225', 'DESCRIPTION:Public holiday'),
      event('SUMMARY:Day off', 'DTSTART;VALUE=DATE:20261225'),
    ),
  );
  expect(found).toEqual({
    holidays: [{ date: '2026-12-25', name: 'Christmas, Day off' }],
    observances: ['Muttertag', 'Nikolaus'],
    problems: [],
  });
});

test.each([
  ['by Apple’s mark', ['SUMMARY:春节（班）', 'X-APPLE-SPECIAL-DAY:ALTERNATE-WORKDAY']],
  ['by its name', ['SUMMARY:春节（班）']],
  ['by its word', ['SUMMARY:【补班】春节']],
  ['by its category', ['SUMMARY:春节', 'CATEGORIES:补班']],
])('a weekend day that is worked for a holiday is no day off: %s', (_how, lines) => {
  const off = event('SUMMARY:春节（休）', 'DTSTART;VALUE=DATE:20260217', 'X-APPLE-SPECIAL-DAY:WORK-HOLIDAY');
  const found = read(calendar(off, event('UID:2', 'DTSTART;VALUE=DATE:20260214', ...lines)));
  expect([found.problems, daysOf(found), found.observances]).toEqual([[], ['2026-02-17'], [lines[0]?.slice(8)]]);
});

/** What is wrong with a file, and the one message that it gives. */
test.each<[what: string, file: string | Buffer, message: string]>([
  ['not iCalendar', 'holidays!', 'it is not iCalendar: its first line must be BEGIN:VCALENDAR'],
  ['empty', '\r\n', 'it is empty: export the calendar again'],
  ['a web page', '<!DOCTYPE html>', 'it is a web page: download the .ics file itself'],
  ['UTF-16', Buffer.from(`\uFEFF${calendar(DAY)}`, 'utf16le'), 'it is UTF-16: save it as UTF-8'],
  ['UTF-16 without its mark', Buffer.from(calendar(DAY), 'utf16le'), 'it is UTF-16: save it as UTF-8'],
  [
    'an event without its end, beside a whole one',
    calendar(DAY.slice(0, -1), event('DTSTART:20261225')),
    'line 4: the event has no END:VEVENT: export the calendar again',
  ],
  [
    'a rule of the Chinese calendar',
    calendar(event('DTSTART:20240210', 'RRULE:RSCALE=CHINESE;FREQ=YEARLY')),
    'line 4, "(no name)": its rule RSCALE=CHINESE;FREQ=YEARLY cannot be followed (RSCALE=CHINESE): give the days one by one',
  ],
  ...[
    ['FREQ=YEARLY;BYEASTER=0', 'BYEASTER=0'],
    ['FREQ=YEARLY;BYYEARDAY=60;BYDAY=SU', 'BYYEARDAY=60 with BYDAY=SU'],
    ['FREQ=YEARLY;BYMONTHDAY=1;BYDAY=1MO', 'FREQ=YEARLY with BYMONTHDAY=1 with BYDAY=1MO'],
    ['FREQ=YEARLY;BYWEEKNO=20;BYMONTHDAY=15', 'BYWEEKNO=20 with BYMONTHDAY=15'],
    ['FREQ=YEARLY;BYMONTH=13', 'BYMONTH=13'],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=1,32', 'BYMONTHDAY=1,32'],
    ['RSCALE=ISLAMIC-CIVIL;FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=1', 'RSCALE=ISLAMIC-CIVIL'],
  ].map(([rule = '', part = '']): [string, string, string] => [
    `${part} in a rule`,
    calendar(event('DTSTART:20260405', `RRULE:${rule}`)),
    `line 4, "(no name)": its rule ${rule} cannot be followed (${part}): give the days one by one`,
  ]),
  [
    'a length that goes back',
    calendar(event('DTSTART:20261225', 'DURATION:-P1D')),
    'line 4, "(no name)": it ends (-P1D) before it begins: swap them',
  ],
  ['one event without its calendar', DAY.join('\r\n'), 'it is not iCalendar: its first line must be BEGIN:VCALENDAR'],
  [
    'meetings alone',
    calendar(event('DTSTART:20261224T100000Z')),
    'it has no all-day event: export one with holidays in it',
  ],
  [
    'days of the past alone',
    calendar(event('DTSTART:20241225'), event('DTSTART:20251226')),
    'none of its days is within 2026 to 2028, the last one is 2025-12-26: export a newer one, or remove the field',
  ],
  [
    'a date with dashes, beside a good one',
    calendar(event('SUMMARY:Christmas', 'DTSTART;VALUE=DATE:2026-12-25'), DAY),
    'line 4, "Christmas": "2026-12-25" is no day: write it as 20261224',
  ],
  [
    'a day that does not exist',
    calendar(event('DTSTART:20260230')),
    'line 4, "(no name)": "20260230" is no day: write it as 20261224',
  ],
  ['no start', calendar(event('SUMMARY:Christmas')), 'line 4: "Christmas" has no DTSTART: give it a day'],
  [
    'an end before the start',
    calendar(event('DTSTART:20261225', 'DTEND:20261220')),
    'line 4, "(no name)": it ends (20261220) before it begins: swap them',
  ],
  [
    'a length that is none',
    calendar(event('DTSTART:20261225', 'DURATION:one day')),
    'line 4, "(no name)": its length "one day" is none: write it as P1D',
  ],
  [
    'a rule that is none',
    calendar(event('DTSTART:20261225', 'RRULE:FREQ=SOMETIMES')),
    'line 4, "(no name)": its rule FREQ=SOMETIMES cannot be followed (Invalid FREQ value: SOMETIMES): give the days one by one',
  ],
  [
    'a rule by the hour',
    calendar(event('DTSTART:20261225', 'RRULE:FREQ=HOURLY')),
    'line 4, "(no name)": FREQ=HOURLY comes several times a day: a holiday comes once',
  ],
  [
    'an exception for all later days',
    calendar(event(...THURSDAYS), event('RECURRENCE-ID;RANGE=THISANDFUTURE:20261210', 'DTSTART:20261211')),
    'line 4, "(no name)": an exception stands for all later ones (RANGE=THISANDFUTURE): make them a series',
  ],
  ['cut off', calendar(DAY).slice(0, 120), 'line 4: the event has no END:VEVENT: export the calendar again'],
])('%s is told', (_what, file, message) => {
  expect(readCalendar(Buffer.from(file), YEARS).problems).toEqual([message]);
});

test('many events, and some that come since the year 1, are few steps each', () => {
  const rules = [
    'FREQ=YEARLY',
    'FREQ=YEARLY;COUNT=200',
    'FREQ=MONTHLY;BYMONTHDAY=10',
    'FREQ=WEEKLY;INTERVAL=2;COUNT=7000',
    'FREQ=MONTHLY;UNTIL=20300101',
  ];
  const many = Array.from({ length: 4_800 }, (_, index) =>
    event(
      `DTSTART;VALUE=DATE:${String(1900 + (index % 120))}0${String(1 + (index % 9))}10`,
      `RRULE:${rules[index % rules.length] ?? ''}`,
    ),
  );
  const daily = event('DTSTART;VALUE=DATE:00010101', 'RRULE:FREQ=DAILY');
  const sundays = event('DTSTART;VALUE=DATE:00010107', 'RRULE:FREQ=DAILY;BYDAY=SU');
  const between = jest.spyOn(RRuleTemporal.prototype, 'between').mockClear();
  const found = read(calendar(...many, daily, sundays));
  // The library is asked only where a rule is more than one distance from its start; it begins at the first year wanted.
  expect(between.mock.calls.map(([from]) => from)).toEqual([new Date('2026-01-01')]);
  expect(found.holidays).toHaveLength(366 + 2 * 365);
});

describe.each(['20240229', '20251231', '20260130', '20260601', '19990115'])(
  'a rule that says no more than its start %s',
  (start) => {
    const [month, date] = [Number(start.slice(4, 6)), Number(start.slice(6))];
    const weekday = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'][
      new Date(`${start.slice(0, 4)}-${start.slice(4, 6)}-${start.slice(6)}T00:00:00Z`).getUTCDay()
    ];
    // What each means by the standard, in parts that say no more than the start.
    const spelled = {
      DAILY: '',
      WEEKLY: `;BYDAY=${weekday ?? ''}`,
      MONTHLY: `;BYMONTHDAY=${String(date)}`,
      YEARLY: `;BYMONTH=${String(month)};BYMONTHDAY=${String(date)}`,
    };
    // A further part that leaves nothing out, and sends the rule to the library.
    const whole = {
      DAILY: ';BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12',
      WEEKLY: ';BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12',
      MONTHLY: ';BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12',
      YEARLY: ';BYDAY=MO,TU,WE,TH,FR,SA,SU',
    };
    test.each(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const)(
      '%s has the days that the library gives it',
      (frequency) => {
        const between = jest.spyOn(RRuleTemporal.prototype, 'between').mockClear();
        for (const interval of [1, 3]) {
          for (const bound of ['', ';COUNT=1', ';COUNT=40', ';UNTIL=20270615']) {
            const rule = `FREQ=${frequency};INTERVAL=${String(interval)}${bound}`;
            const days = (text: string) => daysOf(read(calendar(event(`DTSTART:${start}`, `RRULE:${text}`))));
            between.mockClear();
            const short = days(rule);
            expect({ rule, days: days(`${rule}${spelled[frequency]}`) }).toEqual({ rule, days: short });
            expect(between).not.toHaveBeenCalled();
            expect({ rule, days: days(`${rule}${spelled[frequency]}${whole[frequency]}`) }).toEqual({
              rule,
              days: short,
            });
            expect(between).toHaveBeenCalled();
          }
        }
      },
    );
  },
);

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
    [
      'holidays: { dates: [25.12.2026] }',
      /^line 1: holidays\.dates\[0\]: "25\.12\.2026": did you mean 2026-12-25\? use a date as YYYY-MM-DD$/,
    ],
    ['holidays: { dates: ["2026-02-30"] }', /^line 1: holidays\.dates\[0\]: "2026-02-30": use a date as YYYY-MM-DD$/],
    [
      'holidays: { ics: "https://example.com/days.ics" }',
      /^line 1: holidays\.ics: https:\/\/example\.com\/days\.ics: it is an address of the web: download the \.ics file/,
    ],
    ['holidays: { ics: none.ics }', /^line 1: holidays\.ics: none\.ics: there is no such file: give its path relative/],
    [
      'holidays: { ics: cluster.txt }',
      /^line 1: holidays\.ics: cluster\.txt: it is not iCalendar: its first line must be BEGIN:VCALENDAR$/,
    ],
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
