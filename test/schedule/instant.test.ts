import { InvalidInstant, parseInstant } from '../../core/schedule/instant';

const BERLIN = ['Europe/Berlin', 'Europe/Berlin'];

test.each([
  ['2026-11-20T23:30+01:00', '2026-11-20T22:30:00.000Z'],
  ['2026-11-20T23:30:15+01:00', '2026-11-20T22:30:15.000Z'],
  ['2026-11-20T23:30:15.250+01:00', '2026-11-20T22:30:15.250Z'],
  ['2026-11-20T23:30+0100', '2026-11-20T22:30:00.000Z'],
  ['2026-11-20T23:30+01', '2026-11-20T22:30:00.000Z'],
  ['2026-11-20T22:30Z', '2026-11-20T22:30:00.000Z'],
  ['2026-11-20T22:30:00z', '2026-11-20T22:30:00.000Z'],
  ['2026-11-20 23:30 +01:00', '2026-11-20T22:30:00.000Z'],
  ['20261120T223000Z', '2026-11-20T22:30:00.000Z'],
  ['20261120T2230Z', '2026-11-20T22:30:00.000Z'],
  ['2026-W47-5T22:30Z', '2026-11-20T22:30:00.000Z'],
  ['2026-11-20T23:30-05:00', '2026-11-21T04:30:00.000Z'],
  ['2026-11-21T00:00-00:30', '2026-11-21T00:30:00.000Z'],
  // Local time, in winter and in summer.
  ['2026-11-20T23:30', '2026-11-20T22:30:00.000Z'],
  ['2026-11-20 23:30', '2026-11-20T22:30:00.000Z'],
  ['2026-07-20T23:30:00', '2026-07-20T21:30:00.000Z'],
  [' 2026-11-20T23:30 ', '2026-11-20T22:30:00.000Z'],
])('%s is %s', (text, instant) => {
  expect(parseInstant(text, BERLIN).toISOString()).toBe(instant);
});

test.each([
  ['tomorrow', BERLIN, '"tomorrow" is no date with a time: write it as 2026-11-20T23:30+01:00'],
  ['', BERLIN, '"" is no date with a time'],
  ['23:30', BERLIN, '"23:30" is no date with a time'],
  ['2026-11-20', BERLIN, '"2026-11-20" is no date with a time'],
  ['20.11.2026 23:30', BERLIN, 'is no date with a time'],
  ['2026-02-30T10:00Z', BERLIN, '"2026-02-30T10:00Z" is no moment that exists'],
  ['2026-11-20T25:00Z', BERLIN, 'is no moment that exists'],
  ['2026-11-20T23:30 Uhr', BERLIN, 'is no moment that exists'],
  [
    '2026-11-20T23:30',
    [],
    'has no offset, and no schedule says in which time zone: write it as 2026-11-20T23:30+01:00',
  ],
  ['2026-11-20T23:30', ['Europe/Berlin', 'Asia/Tokyo'], 'has no offset, and the schedules have several time zones'],
])('%j in %j is told', (text, zones, message) => {
  expect(() => parseInstant(text, zones)).toThrow(InvalidInstant);
  expect(() => parseInstant(text, zones)).toThrow(message);
});
