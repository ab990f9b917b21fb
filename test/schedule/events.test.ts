import { DateTime } from 'luxon';
import { parseConfig } from '../../lib/config/load';
import { bookOf } from '../../core/schedule/book';
import { warningsOf } from '../../core/config/warnings';
import { daysOfWorkflow, eventKey, type Overrides, scheduleEvents } from '../../core/schedule/events';
import { awakeStretches, describeStretch } from '../../core/schedule/stretches';

/** Events between two UTC times, as short lines. */
function eventsOf(schedules: string, from: string, to: string, overrides?: Overrides, holidays = '[]'): string[] {
  const book = bookOf(parseConfig(`schedules: [${schedules}]\nholidays: { dates: ${holidays} }`));
  return scheduleEvents(book, { from: new Date(from), to: new Date(to) }, overrides).map(
    ({ at, local, workflow, startedBy, skipped }) =>
      [
        at.replace(':00.000Z', 'Z'),
        local.slice(5),
        workflow,
        ...(startedBy === 'catch-up' ? [startedBy] : []),
        ...(skipped ? [skipped.reason] : []),
      ].join(' '),
  );
}

const daily = (times: string, timeZone: string) =>
  `{ name: night, days: [mon, tue, wed, thu, fri, sat, sun], ${times}, timeZone: ${timeZone} }`;
const NIGHTS = `{ name: nights, days: [mon, tue, wed, thu, fri], sleep: '19:00', wake: '07:30', timeZone: Europe/Berlin }`;

test('a week of two schedules, in order, in their own time zones', () => {
  const weekend = `{ name: weekend, days: [sat], sleep: '00:30', timeZone: America/New_York }`;
  // The 20th of November 2026 is a Friday.
  expect(eventsOf(`${NIGHTS}, ${weekend}`, '2026-11-20T00:00:00Z', '2026-11-23T12:00:00Z')).toEqual([
    '2026-11-20T06:30Z 11-20T07:30 wake',
    '2026-11-20T18:00Z 11-20T19:00 sleep',
    '2026-11-21T05:30Z 11-21T00:30 sleep',
    '2026-11-23T06:30Z 11-23T07:30 wake',
  ]);
});

test('the range begins with its first instant, and ends before its last', () => {
  const range = (from: string, to: string) => eventsOf(daily(`sleep: '22:00'`, 'UTC'), from, to);
  expect(range('2026-11-20T22:00:00Z', '2026-11-21T22:00:00Z')).toEqual(['2026-11-20T22:00Z 11-20T22:00 sleep']);
  expect(range('2026-11-20T22:00:01Z', '2026-11-21T22:00:00Z')).toEqual([]);
});

test.each([
  ['Pacific/Kiritimati', '2026-11-20T10:00Z 11-21T00:00 sleep'],
  ['Etc/GMT+12', '2026-11-20T12:00Z 11-20T00:00 sleep'],
])('at the edge of the day line, %s', (zone, expected) => {
  expect(eventsOf(daily(`sleep: '00:00'`, zone), '2026-11-20T00:00:00Z', '2026-11-21T00:00:00Z')).toEqual([expected]);
});

describe('daylight saving', () => {
  test.each([
    // zone, time, the day of the change, what happens
    ['Europe/Berlin', '02:30', '2027-03-28', '2027-03-28T01:30Z 03-28T03:30 sleep catch-up'],
    ['America/New_York', '02:30', '2027-03-14', '2027-03-14T07:30Z 03-14T03:30 sleep catch-up'],
    ['Australia/Lord_Howe', '02:15', '2026-10-04', '2026-10-03T15:45Z 10-04T02:45 sleep catch-up'],
    ['Africa/Cairo', '00:30', '2026-04-24', '2026-04-23T22:30Z 04-24T01:30 sleep catch-up'],
  ])('%s: %s does not exist on %s; Scheduler leaves it out, the catch-up does it', (zone, time, date, expected) => {
    const noon = Date.parse(`${date}T00:00:00Z`);
    const from = new Date(noon - 12 * 3_600_000).toISOString();
    const to = new Date(noon + 20 * 3_600_000).toISOString();
    const events = eventsOf(daily(`sleep: '${time}'`, zone), from, to);
    expect(events.filter((line) => line.includes('catch-up'))).toEqual([expected]);
  });

  test.each([
    ['Europe/Berlin', '02:30', '2026-10-25', '2026-10-25T00:30Z 10-25T02:30 sleep'],
    ['America/New_York', '01:30', '2026-11-01', '2026-11-01T05:30Z 11-01T01:30 sleep'],
    ['Australia/Lord_Howe', '01:45', '2027-04-04', '2027-04-03T14:45Z 04-04T01:45 sleep'],
    ['Africa/Cairo', '23:30', '2026-10-29', '2026-10-29T20:30Z 10-29T23:30 sleep'],
  ])('%s: %s occurs twice on %s, and counts once, the first time', (zone, time, date, expected) => {
    const from = `${date}T00:00:00Z`;
    const events = eventsOf(
      daily(`sleep: '${time}'`, zone),
      new Date(Date.parse(from) - 14 * 3_600_000).toISOString(),
      new Date(Date.parse(from) + 36 * 3_600_000).toISOString(),
    );
    expect(events.filter((line) => line.includes(` ${date.slice(5)}T`))).toEqual([expected]);
  });

  test.each(['Europe/Berlin', 'America/New_York', 'Australia/Sydney', 'America/Santiago', 'Asia/Kolkata', 'UTC'])(
    '%s: over a year each evening has one sleep at its local time, and each morning one wake',
    (zone) => {
      const book = bookOf(parseConfig(`schedules: [${daily(`sleep: '22:00', wake: '07:00'`, zone)}]`));
      const events = scheduleEvents(book, {
        from: new Date('2026-01-01T00:00:00Z'),
        to: new Date('2027-01-01T00:00:00Z'),
      });
      expect(events).toHaveLength(730);
      for (const { at, workflow, startedBy } of events) {
        const local = DateTime.fromISO(at, { zone }).toFormat('HH:mm');
        expect([workflow, local, startedBy]).toEqual([workflow, workflow === 'sleep' ? '22:00' : '07:00', 'schedule']);
      }
      expect(new Set(events.map(eventKey)).size).toBe(730);
    },
  );
});

describe('what is left out', () => {
  test('on a holiday nobody is woken, in the schedule’s own day; sleeps happen', () => {
    // In Auckland the 25th begins at 11:00 UTC on the 24th.
    const auckland = daily(`sleep: '22:00', wake: '07:00'`, 'Pacific/Auckland');
    expect(eventsOf(auckland, '2026-12-23T20:00:00Z', '2026-12-26T00:00:00Z', {}, '[2026-12-25]')).toEqual([
      '2026-12-24T09:00Z 12-24T22:00 sleep',
      '2026-12-24T18:00Z 12-25T07:00 wake holiday',
      '2026-12-25T09:00Z 12-25T22:00 sleep',
      '2026-12-25T18:00Z 12-26T07:00 wake',
    ]);
  });

  const next = (overrides: Overrides) => eventsOf(NIGHTS, '2026-11-16T12:00:00Z', '2026-11-18T12:00:00Z', overrides);
  const [SLEEP, WAKE, SLEEP_2, WAKE_2] = [
    '2026-11-16T18:00Z 11-16T19:00 sleep',
    '2026-11-17T06:30Z 11-17T07:30 wake',
    '2026-11-17T18:00Z 11-17T19:00 sleep',
    '2026-11-18T06:30Z 11-18T07:30 wake',
  ];

  test('the next sleep, the next wake, or both', () => {
    expect(next({ skipNext: { sleep: true } })).toEqual([`${SLEEP} skip-next`, WAKE, SLEEP_2, WAKE_2]);
    expect(next({ skipNext: { wake: true } })).toEqual([SLEEP, `${WAKE} skip-next`, SLEEP_2, WAKE_2]);
    expect(next({ skipNext: { sleep: true, wake: true } })).toEqual([
      `${SLEEP} skip-next`,
      `${WAKE} skip-next`,
      SLEEP_2,
      WAKE_2,
    ]);
  });

  test('the next wake is the next that would have happened: not one on a holiday', () => {
    const events = eventsOf(
      NIGHTS,
      '2026-11-16T12:00:00Z',
      '2026-11-18T12:00:00Z',
      { skipNext: { wake: true } },
      '[2026-11-17]',
    );
    expect(events).toEqual([SLEEP, `${WAKE} holiday`, SLEEP_2, `${WAKE_2} skip-next`]);
  });

  test('a keep-awake holds sleeps back, and what it held back happens as it ends', () => {
    expect(next({ keepAwakeUntil: '2026-11-16T23:00:00Z' })).toEqual([
      `${SLEEP} keep-awake`,
      '2026-11-16T23:00Z 11-17T00:00 sleep catch-up',
      WAKE,
      SLEEP_2,
      WAKE_2,
    ]);
  });

  test('not if a wake has come in between', () => {
    expect(next({ keepAwakeUntil: '2026-11-17T10:00:00Z' })).toEqual([`${SLEEP} keep-awake`, WAKE, SLEEP_2, WAKE_2]);
  });

  test('but if that wake was on a holiday', () => {
    const overrides = { keepAwakeUntil: '2026-11-17T10:00:00Z' };
    expect(eventsOf(NIGHTS, '2026-11-16T12:00:00Z', '2026-11-17T12:00:00Z', overrides, '[2026-11-17]')).toEqual([
      `${SLEEP} keep-awake`,
      `${WAKE} holiday`,
      '2026-11-17T10:00Z 11-17T11:00 sleep catch-up',
    ]);
  });

  test('a keep-awake over the time in which nothing was to sleep changes nothing', () => {
    expect(next({ keepAwakeUntil: '2026-11-16T17:00:00Z' })).toEqual([SLEEP, WAKE, SLEEP_2, WAKE_2]);
  });
});

describe('a window over midnight', () => {
  const LATE = `{ name: late, days: [mon, tue, wed, thu, fri], wake: '22:00', sleep: '06:00', timeZone: Europe/Berlin }`;

  test('ends on the day after each of its days, and not on the morning of the first', () => {
    // The 27th of November 2026 is a Friday.
    expect(eventsOf(LATE, '2026-11-27T00:00:00Z', '2026-12-01T12:00:00Z')).toEqual([
      '2026-11-27T05:00Z 11-27T06:00 sleep',
      '2026-11-27T21:00Z 11-27T22:00 wake',
      '2026-11-28T05:00Z 11-28T06:00 sleep',
      '2026-11-30T21:00Z 11-30T22:00 wake',
      '2026-12-01T05:00Z 12-01T06:00 sleep',
    ]);
  });

  test('is one when its sleep is earlier than its wake, and only then', () => {
    const [late, office] = [
      { wake: '22:00', sleep: '06:00' },
      { wake: '07:30', sleep: '19:00' },
    ];
    const days = ['fri', 'sat'] as const;
    expect(daysOfWorkflow({ ...late, days: [...days] }, 'sleep')).toEqual(['sat', 'sun']);
    expect(daysOfWorkflow({ ...late, days: [...days] }, 'wake')).toEqual(['fri', 'sat']);
    expect(daysOfWorkflow({ ...office, days: [...days] }, 'sleep')).toEqual(['fri', 'sat']);
    expect(daysOfWorkflow({ sleep: '06:00', days: [...days] }, 'sleep')).toEqual(['fri', 'sat']);
  });
});

describe('stretches awake', () => {
  const stretchesOf = (schedules: string) =>
    awakeStretches(parseConfig(`schedules: [${schedules}]`).schedules).map(describeStretch);

  test.each([
    [
      NIGHTS,
      [
        'Mon 07:30 to Mon 19:00, 11.5 h',
        'Tue 07:30 to Tue 19:00, 11.5 h',
        'Wed 07:30 to Wed 19:00, 11.5 h',
        'Thu 07:30 to Thu 19:00, 11.5 h',
        'Fri 07:30 to Fri 19:00, 11.5 h',
      ],
    ],
    [
      `{ name: a, days: [fri], wake: '22:00' }, { name: b, days: [mon], sleep: '06:00' }`,
      ['Fri 22:00 to Mon 06:00, 56 h'],
    ],
    [
      `{ name: a, days: [fri], wake: '22:00' }, { name: b, days: [sat], wake: '09:00', sleep: '21:00' }`,
      ['Fri 22:00 to Sat 21:00, 23 h'],
    ],
    [`{ name: a, days: [mon], wake: '08:00' }`, ['from Mon 08:00 on, with no sleep within a week']],
    [`{ name: a, days: [mon], sleep: '20:00' }`, []],
  ])('%s', (schedules, stretches) => {
    expect(stretchesOf(schedules)).toEqual(stretches);
  });

  test('one above a day is warned of, unless idle sleep ends it', () => {
    const long = `schedules: [{ name: a, days: [fri], wake: '22:00' }, { name: b, days: [mon], sleep: '06:00' }]\n`;
    expect(warningsOf(parseConfig(long))).toEqual([
      'schedules: awake Fri 22:00 to Mon 06:00, 56 h: add a sleep in between if you do not mean to pay for that',
    ]);
    expect(warningsOf(parseConfig(`${long}idle: { enabled: true }`))).toEqual([]);
    expect(warningsOf(parseConfig(`schedules: [${NIGHTS}]`))).toEqual([]);
  });

  test('a cluster that nothing puts to sleep is warned of, with what that costs', () => {
    const costs =
      /^schedules: nothing puts this cluster to sleep: \$\d+ a month, against \$\d\.\d\d asleep: add schedules/;
    expect(warningsOf(parseConfig(''))).toEqual([expect.stringMatching(costs)]);
    const mornings = `schedules: [{ name: a, days: [mon], wake: '08:00' }]`;
    expect(warningsOf(parseConfig(mornings))[0]).toMatch(costs);
    expect(warningsOf(parseConfig('idle: { enabled: true }'))).toEqual([]);
    expect(warningsOf(parseConfig(`schedules: [{ name: a, days: [mon], sleep: '20:00' }]`))).toEqual([]);
  });
});
