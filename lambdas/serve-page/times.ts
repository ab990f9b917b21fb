import { DateTime } from 'luxon';
import { html, type Html } from './html';

/** `45 s`, `4 min`, `1 h 20 min`, `3 days`: as much as a person wants to know. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${String(whole)} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${String(minutes)} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${String(Math.round(hours / 24))} days`;
  return minutes % 60 === 0 ? `${String(hours)} h` : `${String(hours)} h ${String(minutes % 60)} min`;
}

/** A moment, in the given zone; the page's script puts it into the reader's own. */
export function moment(at: string, timeZone: string): Html {
  const shown = DateTime.fromISO(at, { zone: timeZone });
  return html`<time datetime="${at}">${shown.toFormat('ccc d LLL, HH:mm')} ${shown.offsetNameShort ?? ''}</time>`;
}

/** How long ago something was, which the page's script counts on. */
export function elapsed(since: string, now: string): Html {
  return html`<span data-since="${since}">${span((Date.parse(now) - Date.parse(since)) / 1000)}</span>`;
}
