/**
 * The page that stands in for the app while nobody answers at its address: tells the page that wakes it where the reader wanted to go, and
 * goes there by itself as soon as somebody answers.
 */

import { WAITING_MARK, WAITING_PATH } from '../core/api/waiting';

/** Between two looks (ms). */
const LOOK_MS = 10_000;
/** A longer way into the app is not handed on: API Gateway takes addresses of some 8 KB. */
const LONGEST = 2_000;
/** Where the reader wanted to go; never to this page itself. */
const here = location.pathname === WAITING_PATH ? '/' : location.pathname + location.search;
let timer: number | undefined;

/** True once somebody else than this page answers, whatever he says: also a way to a login. */
async function answers(): Promise<boolean> {
  try {
    const answer = await fetch(here, { cache: 'no-store', redirect: 'manual' });
    return answer.status !== 503 || !(await answer.text()).includes(WAITING_MARK);
  } catch {
    return false; // No connection: the next look tells.
  }
}

async function look(): Promise<void> {
  clearTimeout(timer);
  if (!document.hidden && (await answers())) {
    // A new way, so that what was sent with a form is not sent again; a mark in the page alone would load nothing.
    if (location.hash === '') location.replace(here);
    else location.reload();
  } else timer = setTimeout(() => void look(), LOOK_MS);
}

const wake = document.querySelector<HTMLAnchorElement>('#wake');
const to = here + location.hash;
if (wake && to !== '/' && to.length <= LONGEST) wake.search = `?to=${encodeURIComponent(to)}`;
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void look();
});
timer = setTimeout(() => void look(), LOOK_MS);
