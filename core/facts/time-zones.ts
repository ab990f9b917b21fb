import facts from './time-zones.json';

const NAMES = new Set(facts.names);

/**
 * Names of time zones, links included. Three capitals are left out, except UTC and GMT: EST and the like are zones
 * without daylight saving time, which is not what people mean by them.
 */
export const TIME_ZONES: readonly string[] = facts.names.filter(
  (name) => name === 'UTC' || name === 'GMT' || !/^[A-Z]{3}$/.test(name),
);

/** Whether a name, as it is spelt, is a time zone that both AWS's schedules and this machine know. */
export function isTimeZone(name: string): boolean {
  if (!NAMES.has(name) || (/^[A-Z]{3}$/.test(name) && name !== 'UTC' && name !== 'GMT')) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
