import type { ScheduleConfig } from '../config/schema';
import { shiftDay } from './weekdays';

/** So long before a wake there is an evening to see to what is wrong. */
const HOURS_BEFORE = 12;

/** When a schedule's wakes are rehearsed, in its time zone: twelve hours before, which is the evening before a morning. */
export interface Rehearsal {
  /** `HH:MM` */
  time: string;
  days: ScheduleConfig['days'];
}

/** Undefined for a schedule that wakes nothing. */
export function rehearsalOf({ wake, days }: Pick<ScheduleConfig, 'wake' | 'days'>): Rehearsal | undefined {
  if (wake === undefined) return undefined;
  const [hour = 0, minute = 0] = wake.split(':').map(Number);
  const dayBefore = hour < HOURS_BEFORE;
  const at = (hour - HOURS_BEFORE + 24) % 24;
  const two = (value: number): string => String(value).padStart(2, '0');
  return {
    time: `${two(at)}:${two(minute)}`,
    days: dayBefore ? days.map((day) => shiftDay(day, -1)) : [...days],
  };
}
