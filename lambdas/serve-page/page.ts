import type { LinkStatus } from '../../core/api/link-answer';
import { STATE_IN_WORDS } from '../../core/words';
import { html, type Html, raw } from './html';
import { elapsed, moment, span } from './times';

/** What the page is made of beside the view: style and script, which web/ holds and scripts/write-page.ts packs. */
export interface Assets {
  style: string;
  script: string;
}

/** What a page shows to whom. */
export interface Shown {
  view: LinkStatus;
  /** What its buttons send along. */
  token: string;
  /** Time zone in which times are shown until the script knows the reader's own. */
  timeZone: string;
  /** Where the reader wanted to go in the app; `/` if he did not say. */
  to: string;
  /** In words, what became of the last request of a page without script. */
  problem?: string | undefined;
}

/** What people are told by the address of the page, where a script is not there to tell them. */
const PROBLEMS = {
  link: 'This link is not valid (any more). Ask whoever sent it for another.',
  page: 'The page was too old for that. Press the button once more.',
  rights: 'Your link does not allow that.',
  often: 'That was too much in one minute. Wait a moment, then try again.',
  refused: 'That was not possible. Look at what the page says now.',
};

/** The words of a problem's name; undefined for what is none. */
export function problemOf(name: string | null): string | undefined {
  return name !== null && Object.hasOwn(PROBLEMS, name) ? PROBLEMS[name as keyof typeof PROBLEMS] : undefined;
}

/** The whole document. Style and script stand in it to the letter: the page's policy names their digests. */
export function document({ style, script }: Assets, title: string, main: Html, head?: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${head}
        <link rel="icon" href="data:," />
        ${raw(`<style>${style}</style>`)}
      </head>
      <body>
        ${main}
        <p id="say" role="status" aria-live="polite"></p>
        ${raw(`<script>${script}</script>`)}
      </body>
    </html> `.text;
}

/** For whoever comes without a link: nothing of the cluster is said. */
export function signIn(problem?: string, to = '/'): Html {
  return html`<main id="main" data-signed-out>
    <section id="state">
      <h1>Who is there?</h1>
      ${problem !== undefined && html`<p class="problem" role="alert">${problem}</p>`}
      <p>
        Open this page by the link that you were sent. If your browser runs no scripts, paste what stands in the link
        after the #.
      </p>
      <form method="post" action="${send({ to }, 'session')}">
        <label for="secret">Your link’s key</label>
        <input id="secret" name="secret" type="password" autocomplete="off" required maxlength="900" />
        <button>Go on</button>
      </form>
    </section>
  </main>`;
}

/** Where a form goes; on the way back the page still knows where the reader wanted to go. */
function send({ to }: Pick<Shown, 'to'>, what: string): string {
  return to === '/' ? `link/${what}` : `link/${what}?${new URLSearchParams({ to }).toString()}`;
}

/** All that a link may see and do. */
export function mainOf(shown: Shown): Html {
  const { view } = shown;
  const { keepAwake, sleep } = mayOf(view);
  return html`<main
    id="main"
    data-state="${view.state}"
    data-now="${view.now}"
    data-busy="${isBusy(view) ? 'yes' : 'no'}"
    data-app="${appOf(shown) ?? ''}"
  >
    ${stateSection(shown)} ${(keepAwake || sleep) && awakeSection(shown)} ${nextSection(shown)} ${costSection(view)}
    ${runsSection(shown)}
    <footer>
      <p>${view.cluster} · this link is ${view.person}’s, until ${moment(view.expiresAt, shown.timeZone)}</p>
      <form method="post" action="${send(shown, 'leave')}">
        ${tokenField(shown)}<button class="plain" id="leave">Forget the link on this device</button>
      </form>
    </footer>
  </main>`;
}

/** The page's title, by which a tab in the background tells how it is. */
export function titleOf({ cluster, state }: Pick<LinkStatus, 'cluster' | 'state'>): string {
  return `${STATE_IN_WORDS[state]} · ${cluster}`;
}

function mayOf({ rights }: LinkStatus) {
  return { wake: rights.includes('wake'), keepAwake: rights.includes('keep-awake'), sleep: rights.includes('sleep') };
}

/** True while something runs or is about to. */
function isBusy({ running, waiting }: LinkStatus): boolean {
  return (running !== undefined && !running.cutOff) || waiting.length > 0;
}

function isAwake({ state }: LinkStatus): boolean {
  return state === 'awake' || state === 'awake-degraded';
}

/** The app, at the page that the reader wanted. */
function appOf({ view, to }: Shown): string | undefined {
  if (view.appUrl === undefined) return undefined;
  const wanted = new URL(to, view.appUrl);
  return wanted.origin === new URL(view.appUrl).origin ? wanted.href : view.appUrl;
}

function stateSection(shown: Shown): Html {
  const { view, problem } = shown;
  return html`<section id="state" aria-labelledby="headline">
    <h1 id="headline">${headline(view)}</h1>
    ${problem !== undefined && html`<p class="problem" role="alert">${problem}</p>`} ${sentence(shown)}
    ${isAwake(view) && appLink(shown)} ${steps(view)} ${canWake(view) && wakeForm(shown)}
  </section>`;
}

function headline(view: LinkStatus): string {
  const { state, running, waiting } = view;
  if (running && !running.cutOff && running.workflow === 'install-platform') return 'Setting up the app';
  if (waiting.includes('wake') && running?.workflow !== 'wake') {
    return running?.workflow === 'sleep' ? 'Going to sleep, then waking up' : 'About to wake up';
  }
  if (waiting.includes('sleep') && running === undefined) return 'About to go to sleep';
  return STATE_IN_WORDS[state];
}

/** What is, and what happens next. */
function sentence({ view, timeZone }: Shown): Html {
  const { state, since, running, waiting, usualWake, failure, now, missing, appAnswers } = view;
  const usual = usualWake && `about ${span(usualWake.seconds)}, ${span(usualWake.secondsAtMost)} at most as a rule`;
  if (running && !running.cutOff) {
    const { by, reason, since: began } = running;
    const why = reason === undefined ? '' : `: “${reason}”`;
    return html`<p>Asked for by ${by}${why}, ${elapsed(began, now)} ago.</p>
      ${estimateLine(view)}
      ${waiting.includes('wake') && running.workflow === 'sleep' && html`<p>It wakes as soon as that is done${usual && `; a wake takes ${usual}`}.</p>`}`;
  }
  if (waiting.length > 0) return html`<p>The request has arrived. It begins in a moment.</p>`;
  if (running) return html`<p>The last ${running.workflow} was cut off. The next one takes over from it.</p>`;
  if (state.endsWith('-failed') && failure) {
    return html`<p>It failed ${moment(failure.at, timeZone)} at the step “${failure.words}” (${failure.error}).</p>
      <p>${failure.advice}</p>`;
  }
  const from = since === undefined ? '' : html` since ${moment(since, timeZone)}`;
  if (isAwake(view)) {
    return html`<p>It ${from === '' ? 'is awake' : html`has been awake${from}`}.</p>
      ${missing.length > 0 && html`<p>Not up yet: ${missing.join(', ')}. It is tried again in the background.</p>`}
      ${!appAnswers && html`<p>The app did not answer when it was last looked at. Whoever runs the cluster has been told.</p>`}`;
  }
  if (since === undefined) return html`<p>This cluster has never been started. Whoever runs it does that once.</p>`;
  return html`<p>It has been asleep${from}, and costs next to nothing.${usual ? ` Waking takes ${usual}.` : ''}</p>`;
}

function estimateLine({ running, now }: LinkStatus): Html | false {
  const { estimate } = running ?? {};
  if (estimate === undefined)
    return html`<p class="estimate">How long it takes is not known yet: this is one of the first times.</p>`;
  if (estimate.late)
    return html`<p class="estimate">It takes longer than any of the last ${estimate.runs} times. It goes on.</p>`;
  const done = new Date(Date.parse(now) + estimate.secondsLeft * 1000).toISOString();
  return html`<p class="estimate">
    About <strong data-until="${done}">${span(estimate.secondsLeft)}</strong> more, ${span(estimate.secondsLeftAtMost)}
    at most as a rule.
  </p>`;
}

function steps({ running, now }: LinkStatus): Html | false {
  if (!running || running.cutOff || running.steps.length === 0) return false;
  const lines = running.steps.map(({ words, since, seconds, usualSeconds }) => {
    const usual = usualSeconds !== undefined && usualSeconds >= 1 && ` of about ${span(usualSeconds)}`;
    return seconds === undefined
      ? html`<li aria-current="step"><span>${words}</span> <span>${elapsed(since, now)}${usual}</span></li>`
      : html`<li class="done"><span>${words}</span> <span>done, ${span(seconds)}</span></li>`;
  });
  return html`<ol class="steps">
    ${lines}
  </ol>`;
}

function canWake(view: LinkStatus): boolean {
  const under = isBusy(view) && (view.running?.workflow !== 'sleep' || view.waiting.includes('wake'));
  return mayOf(view).wake && !isAwake(view) && !under && view.since !== undefined;
}

function wakeForm(shown: Shown): Html {
  return html`<form method="post" action="${send(shown, 'wake')}" data-live>
    ${tokenField(shown)}
    <button class="big" id="wake">Wake it up</button>
    <label for="why">What for? <span class="soft">(optional: others see it)</span></label>
    <input id="why" name="reason" maxlength="120" autocomplete="off" />
  </form>`;
}

function appLink(shown: Shown): Html | false {
  const url = appOf(shown);
  return url === undefined
    ? false
    : html`<p><a class="big" id="open" href="${url}" rel="noreferrer">Open the app</a></p>`;
}

function awakeSection(shown: Shown): Html {
  const { view, timeZone } = shown;
  const { keepAwake, sleep } = mayOf(view);
  const { keepAwakeUntil, idleSleepAt, postponedUntil } = view.schedule;
  const busySleeping = view.running?.workflow === 'sleep' && !view.running.cutOff;
  return html`<section id="awake" aria-labelledby="awake-title">
    <h2 id="awake-title">Stay awake, or sleep</h2>
    ${keepAwakeUntil !== undefined && html`<p>It is kept awake until ${moment(keepAwakeUntil, timeZone)}.</p>`}
    ${idleSleepAt !== undefined && html`<p>Nobody uses it: it sleeps at ${moment(idleSleepAt, timeZone)}.</p>`}
    ${postponedUntil !== undefined && html`<p>No sleep for lack of use before ${moment(postponedUntil, timeZone)}.</p>`}
    ${
      keepAwake &&
      html`<form method="post" action="${send(shown, 'keep-awake')}" data-live>
        ${tokenField(shown)}
        <label for="hours">Keep it awake for</label>
        <select id="hours" name="hours">
          <option value="1">1 hour</option>
          <option value="2" selected>2 hours</option>
          <option value="4">4 hours</option>
          <option value="8">8 hours</option>
          <option value="24">a day</option>
        </select>
        <button id="keep">Keep awake</button>
      </form>`
    }
    ${
      keepAwake &&
      keepAwakeUntil !== undefined &&
      html`<form method="post" action="${send(shown, 'end-keep-awake')}" data-live>
        ${tokenField(shown)}<button class="plain" id="end-keep">End that now</button>
      </form>`
    }
    ${
      keepAwake &&
      idleSleepAt !== undefined &&
      html`<form method="post" action="${send(shown, 'postpone-sleep')}" data-live>
        ${tokenField(shown)}<button id="postpone">I still use it</button>
      </form>`
    }
    ${
      sleep &&
      view.state !== 'asleep' &&
      !busySleeping &&
      html`<form method="post" action="${send(shown, 'sleep')}" data-live>
        ${tokenField(shown)}<button class="plain" id="sleep">Put it to sleep now</button>
      </form>`
    }
  </section>`;
}

function nextSection(shown: Shown): Html {
  const { view, timeZone } = shown;
  const { keepAwake, sleep } = mayOf(view);
  const { next } = view.schedule;
  const may = { sleep: keepAwake, wake: sleep };
  const first = { sleep: next.find((one) => open(one, 'sleep')), wake: next.find((one) => open(one, 'wake')) };
  const lines = next.slice(0, 6).map((event) => {
    const { workflow, at, schedule, skipped } = event;
    const skip = may[workflow] && first[workflow] === event;
    return html`<li>
      <span
        >${workflow === 'wake' ? 'Wakes' : 'Sleeps'} ${moment(at, timeZone)}
        <span class="soft">${schedule}</span>${skipped && html` <em>left out: ${skipped.message}</em>`}</span
      >
      ${skip && html`<form method="post" action="${send(shown, 'skip-next')}" data-live>${tokenField(shown)}<input type="hidden" name="workflow" value="${workflow}" /><button class="plain" id="skip-${workflow}">Skip this ${workflow}</button></form>`}
    </li>`;
  });
  const skipped = next.some((one) => one.skipped?.reason === 'skip-next');
  return html`<section id="next" aria-labelledby="next-title">
    <h2 id="next-title">What comes next</h2>
    ${
      lines.length === 0
        ? html`<p>Nothing is scheduled.</p>`
        : html`<ul class="events">
            ${lines}
          </ul>`
    }
    ${skipped && keepAwake && sleep && html`<form method="post" action="${send(shown, 'unskip')}" data-live>${tokenField(shown)}<button class="plain" id="unskip">Skip nothing</button></form>`}
  </section>`;
}

function open({ workflow, skipped }: LinkStatus['schedule']['next'][number], wanted: string): boolean {
  return workflow === wanted && skipped === undefined;
}

function costSection({ cost }: LinkStatus): Html {
  const { awakePerHour, asleepPerHour, month, notes } = cost;
  const usd = (amount: number) => `$${amount.toFixed(2)}`;
  const cents = (amount: number) => `$${amount.toFixed(amount < 0.1 ? 4 : 2)}`;
  return html`<section id="cost" aria-labelledby="cost-title">
    <h2 id="cost-title">This month</h2>
    <dl>
      <div>
        <dt>Cost so far, about</dt>
        <dd>${usd(month.usd)}</dd>
      </div>
      <div>
        <dt>Saved by sleeping</dt>
        <dd>${usd(month.savedUsd)}</dd>
      </div>
      <div>
        <dt>Awake</dt>
        <dd>${Math.round(month.awakeHours)} h</dd>
      </div>
      <div>
        <dt>An hour awake</dt>
        <dd>${cents(awakePerHour)}</dd>
      </div>
      <div>
        <dt>An hour asleep</dt>
        <dd>${cents(asleepPerHour)}</dd>
      </div>
    </dl>
    <details>
      <summary>What these figures are</summary>
      ${notes.map((note) => html`<p>${note}</p>`)}
    </details>
  </section>`;
}

function runsSection({ view, timeZone }: Shown): Html {
  const lines = view.runs.map(({ workflow, startedAt, seconds, by, reason, outcome, words }) => {
    const how =
      outcome === 'failed'
        ? `failed${words === undefined ? '' : ` at “${words}”`}`
        : outcome === 'degraded'
          ? 'not whole'
          : 'done';
    return html`<li>
      <span>${workflow}, ${moment(startedAt, timeZone)}</span>
      <span>${by}${reason !== undefined && html`: “${reason}”`}</span>
      <span class="${outcome}">${how}, ${span(seconds)}</span>
    </li>`;
  });
  return html`<section id="runs" aria-labelledby="runs-title">
    <h2 id="runs-title">The last runs</h2>
    ${
      lines.length === 0
        ? html`<p>None yet.</p>`
        : html`<ol class="runs">
            ${lines}
          </ol>`
    }
  </section>`;
}

function tokenField({ token }: Shown): Html {
  return html`<input type="hidden" name="token" value="${token}" />`;
}
