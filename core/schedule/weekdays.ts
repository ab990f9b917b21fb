/** As `cluster.yaml` names them. */
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** The weekday of a UTC date. */
export function weekdayOf(date: Date): Weekday {
  return shiftDay('sun', date.getUTCDay());
}

/** The weekday so many days later; earlier by a negative number, down to a week. */
export function shiftDay(day: Weekday, by: number): Weekday {
  return WEEKDAYS[(WEEKDAYS.indexOf(day) + by + WEEKDAYS.length) % WEEKDAYS.length] ?? day;
}
