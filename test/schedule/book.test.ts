import { parseConfig } from '../../lib/config/load';
import { bookEnv, bookEnvironment, bookOf } from '../../core/schedule/book';
import { automaticStart } from '../../core/schedule/requests';

const NOW = new Date('2026-11-20T08:00:00Z');

test('what functions are told is what is configured', () => {
  const book = bookOf(
    parseConfig(`
schedules:
  - { name: nights, days: [mon, tue, fri], sleep: '19:00', wake: '07:30', timeZone: Europe/Berlin, catchUpMinutes: 90 }
  - { name: weekend, days: [sun], sleep: '00:30' }
holidays: { dates: [2026-01-01, 2026-12-25, 2026-12-31, 2028-02-29, 2028-12-31] }
`),
  );
  const told = bookEnv.parse(bookEnvironment(book, NOW));
  expect(told.SCHEDULES).toEqual(book.schedules);
  expect([...told.HOLIDAYS].sort()).toEqual([...book.holidays]);
});

test('nothing is told where nothing is configured', () => {
  expect(bookEnvironment(bookOf(parseConfig('')), NOW)).toEqual({ SCHEDULES: '[]', HOLIDAYS: '' });
  expect(bookEnv.parse({ SCHEDULES: '[]', HOLIDAYS: '' })).toEqual({ SCHEDULES: [], HOLIDAYS: new Set() });
});

test('of holidays, those of this year and the next two are told', () => {
  const { HOLIDAYS } = bookEnvironment(
    { schedules: [], holidays: new Set(['2025-12-31', '2026-01-01', '2028-12-31', '2029-01-01']) },
    NOW,
  );
  expect([...bookEnv.parse({ SCHEDULES: '[]', HOLIDAYS }).HOLIDAYS]).toEqual(['2026-01-01', '2028-12-31']);
});

test('the largest configuration fits into a function’s 4 KB, with room for the rest', () => {
  const zone = 'America/Argentina/ComodRivadavia';
  const schedule = (index: number) => {
    const hour = String(index).padStart(2, '0');
    const name = `${'x'.repeat(19)}${String.fromCharCode(97 + index)}`;
    const times = `sleep: '${hour}:00', wake: '${hour}:30', timeZone: ${zone}, catchUpMinutes: 720`;
    return `{ name: ${name}, days: [mon, tue, wed, thu, fri, sat, sun], ${times} }`;
  };
  const { schedules } = parseConfig(
    `schedules: [${Array.from({ length: 20 }, (_, index) => schedule(index)).join(', ')}]`,
  );
  const days = Array.from({ length: 1100 }, (_, day) =>
    new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10),
  );
  const environment = bookEnvironment({ schedules, holidays: new Set(days) }, NOW);
  expect(environment.SCHEDULES.length).toBeLessThan(2_200);
  expect(environment.HOLIDAYS.length).toBeLessThan(220);
});

test('an environment that was tampered with is refused', () => {
  expect(bookEnv.safeParse({ SCHEDULES: '[["nights"]]', HOLIDAYS: '' }).success).toBe(false);
  expect(bookEnv.safeParse({ SCHEDULES: 'nights', HOLIDAYS: '' }).success).toBe(false);
});

test.each([
  ['schedule:nights', { kind: 'schedule', name: 'nights' }],
  ['catch-up:nights', { kind: 'catch-up', name: 'nights' }],
  ['idle:nobody used it for 60 min', { kind: 'idle', name: 'nobody used it for 60 min' }],
  ['capacity:gpu', { kind: 'capacity', name: 'gpu' }],
  ['ann', undefined],
  ['api:arn:aws:iam::1:user/schedule:x', undefined],
  ['scheduler', undefined],
])('%s', (requestedBy, start) => {
  expect(automaticStart(requestedBy)).toEqual(start);
});
