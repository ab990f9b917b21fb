/**
 * What the page does by itself where the browser runs scripts: gives up the link's key for a cookie, keeps what is shown up to
 * date, sends forms without leaving, and opens the app once it answers. Everything is there without it as well.
 */

/** Between two looks (ms): while something runs, and else. */
const LOOK_MS = { busy: 3_000, idle: 20_000 };
/** Between two tries whether the app answers (ms). */
const APP_MS = 2_000;

const say = document.getElementById('say');
let skewMs = 0;
let timer: number | undefined;
/** True once the page has shown the cluster not awake: it then goes on to the app by itself. */
let waits = false;
let opening = false;
/** What the headline said last: it is told again only when it changes. */
let told: string | undefined;

function main(): HTMLElement {
  return document.getElementById('main') ?? document.body;
}

function tell(text: string): void {
  if (say && say.textContent !== text) say.textContent = text;
}

/** `45 s`, `4 min`, `1 h 20 min`: as lambdas/serve-page/times.ts writes it. */
function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.round(hours / 24)} days`;
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** Lets shown times go on, by the server's clock. */
function tick(): void {
  const now = Date.now() + skewMs;
  for (const one of document.querySelectorAll<HTMLElement>('[data-since]')) {
    one.textContent = span(now - Date.parse(one.dataset.since ?? ''));
  }
  for (const one of document.querySelectorAll<HTMLElement>('[data-until]')) {
    const left = Date.parse(one.dataset.until ?? '') - now;
    one.textContent = left < 5_000 ? 'a few seconds' : span(left);
  }
}

/** Times as the reader's own clock shows them. */
function localize(root: ParentNode): void {
  const form = new Intl.DateTimeFormat(undefined, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
  for (const one of root.querySelectorAll('time')) one.textContent = form.format(new Date(one.dateTime));
}

/** Takes over what has changed, section by section; where the reader types, nothing. */
function take(text: string): void {
  const next = new DOMParser().parseFromString(text, 'text/html');
  const fresh = next.getElementById('main');
  if (!fresh) return;
  localize(fresh);
  const now = main();
  const focused = document.activeElement;
  const typing = focused instanceof HTMLInputElement && focused.value !== '' && now.contains(focused);
  const sameSections = [...fresh.querySelectorAll(':scope > *')].every(
    (one) => one.id === '' || now.querySelector(`#${one.id}`),
  );
  if (!sameSections || fresh.children.length !== now.children.length) now.replaceWith(fresh);
  else {
    for (const { name, value } of fresh.attributes) now.setAttribute(name, value);
    for (const section of [...fresh.children]) {
      const old = section.id === '' ? now.querySelector(section.tagName) : now.querySelector(`#${section.id}`);
      if (!old || withoutTokens(old) === withoutTokens(section)) continue;
      if (typing && old.contains(focused)) {
        const token = section.querySelector<HTMLInputElement>('[name=token]')?.value;
        for (const one of old.querySelectorAll<HTMLInputElement>('[name=token]')) one.value = token ?? one.value;
        continue;
      }
      for (const one of old.querySelectorAll('details[open]'))
        section.querySelector('details')?.setAttribute('open', one.id);
      old.replaceWith(section);
    }
  }
  if (focused && !focused.isConnected) document.getElementById(focused.id)?.focus();
  if (next.title !== '') document.title = next.title;
  shown();
}

/** Ticking texts are no change. */
function withoutTokens(section: Element): string {
  const copy = section.cloneNode(true) as Element;
  for (const one of copy.querySelectorAll('[data-since], [data-until]')) one.textContent = '';
  return copy.outerHTML;
}

/** What follows from what is shown now. */
function shown(): void {
  const { now, state = '', app = '' } = main().dataset;
  if (now !== undefined) skewMs = Date.parse(now) - Date.now();
  const awake = state === 'awake' || state === 'awake-degraded';
  const headline = document.getElementById('headline')?.textContent.trim() ?? '';
  if (told !== undefined && told !== headline) tell(headline);
  told = headline;
  if (state !== '' && !awake) waits = true;
  if (awake && waits && app !== '' && !opening) void openApp(app);
  tick();
}

/** Goes to the app as soon as it answers this browser, whatever it answers. */
async function openApp(url: string): Promise<void> {
  opening = true;
  for (let tries = 0; tries < 60; tries += 1) {
    try {
      await fetch(url, { mode: 'no-cors', cache: 'no-store', credentials: 'omit' });
      tell('The app answers. It opens now.');
      location.assign(url);
      return;
    } catch {
      // Not yet; the link stays there for whoever will not wait.
      await new Promise((done) => setTimeout(done, APP_MS));
    }
  }
}

async function look(): Promise<void> {
  clearTimeout(timer);
  if (!document.hidden) {
    try {
      const answer = await fetch(`link/view${location.search}`, { headers: { accept: 'text/html' } });
      if (answer.ok || answer.status === 401) take(await answer.text());
      else tell('The page is asked too often. It looks again in a moment.');
    } catch {
      tell('No connection. The page tries again.');
    }
  }
  plan();
}

function plan(): void {
  clearTimeout(timer);
  if (main().dataset.signedOut !== undefined) return;
  timer = setTimeout(() => void look(), main().dataset.busy === 'yes' ? LOOK_MS.busy : LOOK_MS.idle);
}

/** Sends a form, and says what became of it. */
async function send(form: HTMLFormElement, button: HTMLElement | null): Promise<void> {
  button?.setAttribute('aria-disabled', 'true');
  const body = new URLSearchParams(
    [...new FormData(form)].flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
  try {
    const answer = await fetch(form.action, { method: 'POST', body, headers: { accept: 'application/json' } });
    const { message } = (await answer.json()) as { message?: string };
    await look();
    tell(message ?? '');
  } catch {
    tell('No connection. Try again.');
  }
  button?.removeAttribute('aria-disabled');
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.live === undefined) return;
  event.preventDefault();
  if (event.submitter?.getAttribute('aria-disabled') !== 'true') void send(form, event.submitter);
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void look();
});

/** The key leaves the address at once: no history, no screenshot, no referrer has it. */
async function enter(secret: string): Promise<void> {
  history.replaceState(null, '', location.pathname + location.search);
  try {
    const answer = await fetch(`link/session${location.search}`, {
      method: 'POST',
      body: new URLSearchParams({ secret }),
      headers: { accept: 'text/html' },
    });
    take(await answer.text());
  } catch {
    tell('No connection. Open your link again.');
  }
  plan();
}

localize(document);
if (location.hash.length > 1) void enter(location.hash.slice(1));
else {
  shown();
  plan();
}
setInterval(tick, 1_000);

// A module: its names are its own.
export {};
