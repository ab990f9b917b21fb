import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { logger } from '../../../lambdas/shared/clients/logger';
import { accessibilityProblems } from '../accessibility';
import { startBrowser, watchedPage } from '../browser';
import { ago, Front } from './front';

const ARTEFACTS = path.join(__dirname, '..', 'out');
const APP = 'https://app.example.org/';
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
/** The smallest phone that people still have. */
const SMALL = { ...PHONE, viewport: { width: 320, height: 568 } };
const DESKTOP = { viewport: { width: 1280, height: 860 } };

let browser: Browser;
let front: Front;
let troubles: string[];

beforeAll(async () => {
  logger.setLogLevel('SILENT');
  mkdirSync(ARTEFACTS, { recursive: true });
  browser = await startBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  troubles = [];
  front = new Front();
  await front.start();
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await front.stop();
});

async function open(url: string, options: BrowserContextOptions = PHONE): Promise<Page> {
  const reader = { ...options, locale: 'en-GB', timezoneId: 'Europe/Berlin' };
  const page = await watchedPage(browser, reader, { ours: [front.base, APP], troubles });
  await page.goto(url);
  return page;
}

const heading = (page: Page, text: string) => page.waitForSelector(`h1:text-is("${text}")`);
const shoot = (page: Page, name: string) =>
  page.screenshot({ path: path.join(ARTEFACTS, `page-${name}.png`), fullPage: true });
/** Nothing sticks out to the right. */
const overhang = (page: Page) =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

const STEPS: [string, number, number?][] = [
  ['CheckTrigger', 62, 61],
  ['AcquireLease', 61, 60],
  ['CheckPrerequisites', 60, 58],
  ['StartSeats', 58, 50],
  ['WaitForApi', 50],
  ['StartPools', 57, 49],
];
const RUN = (n: number) => ({
  startedAt: ago(86_400 * n),
  seconds: 240 + 10 * n,
  states: [
    { name: 'AcquireLease', at: 1, seconds: 1 },
    { name: 'StartSeats', at: 4, seconds: 8 },
    { name: 'WaitForApi', at: 12, seconds: 70 + 5 * n },
  ],
});

/** A cluster with a past: usual times, a bill, runs by people and schedules. */
function withPast(): void {
  const { items } = front.model.dynamo;
  items.set('runs#wake', { id: 'runs#wake', runs: [1, 2, 3, 4].map(RUN) });
  const runs = [
    {
      workflow: 'wake',
      startedAt: ago(30_000),
      endedAt: ago(29_700),
      requestedBy: 'link:Bob',
      reason: 'a long reason, longer than a small phone is wide, with averyveryverylongwordinit',
      outcome: 'succeeded',
    },
    {
      workflow: 'sleep',
      startedAt: ago(20_000),
      endedAt: ago(19_900),
      requestedBy: 'schedule:nights',
      outcome: 'succeeded',
    },
    {
      workflow: 'wake',
      startedAt: ago(15_000),
      endedAt: ago(14_000),
      requestedBy: 'cli:ops',
      outcome: 'failed',
      step: 'WaitForNodes',
      error: 'NodesNotReady',
    },
  ];
  for (const run of runs) {
    const id = `month#${run.startedAt.slice(0, 7)}`;
    items.set(id, { ...items.get(id), id, [`${run.startedAt} ${run.workflow}`]: run });
  }
}

test('from asleep by the button to the app: the key leaves the address, the steps come, the app opens by itself', async () => {
  withPast();
  const { url, secret } = await front.link(['wake', 'keep-awake', 'sleep']);
  const page = await open(url);
  await heading(page, 'Asleep');
  expect(page.url()).toBe(front.base);
  // One request after the page itself.
  expect(front.asked).toEqual(['GET /', 'POST /link/session']);
  expect(await page.evaluate('document.cookie')).toBe('');
  await page.fill('#why', 'the demo');
  await page.click('#wake');
  await heading(page, 'About to wake up');
  expect(await page.locator('#wake').count()).toBe(0);
  expect([...front.model.stepFunctions.executions.values()].map(({ input }) => JSON.parse(input) as object)).toEqual([
    { requestedBy: 'link:Ann', reason: 'the demo' },
  ]);
  front.waking(STEPS);
  await heading(page, 'Waking up');
  expect(await page.locator('[aria-current=step]').innerText()).toMatch(
    /^Wait for the control plane\s+5\d s of about 1 min$|^Wait for the control plane\s+1 min of about 1 min$/,
  );
  expect(await page.locator('.estimate').innerText()).toMatch(/^About \d min more, \d min at most as a rule\.$/);
  await shoot(page, 'phone-waking');
  let answers = false;
  await page.route(`${APP}**`, (route) =>
    answers ? route.fulfill({ body: '<title>The app</title>', contentType: 'text/html' }) : route.abort(),
  );
  front.awake();
  await heading(page, 'Awake');
  expect(page.url()).toBe(front.base);
  answers = true;
  await page.waitForURL(APP);
  expect(await page.title()).toBe('The app');
  expect(front.asked.join()).not.toContain(secret);
  expect(troubles.filter((trouble) => !trouble.includes('ERR_FAILED'))).toEqual([]);
});

test.each([
  ['phone', 'light', PHONE],
  ['phone', 'dark', PHONE],
  ['small', 'light', SMALL],
  ['desktop', 'dark', DESKTOP],
] as const)('every state is one that everybody can read (%s, %s)', async (device, colorScheme, options) => {
  withPast();
  const { url } = await front.link(['wake', 'keep-awake', 'sleep'], 'Ann with a longer name');
  const page = await open(url, { ...options, colorScheme });
  const failure = {
    workflow: 'wake',
    step: 'WaitForNodes',
    error: 'NodesNotReady',
    cause: 'x',
    at: ago(60),
    execution: 'e',
  };
  const states: [name: string, text: string, set: () => void][] = [
    ['asleep', 'Asleep', () => undefined],
    ['waking', 'Waking up', () => front.waking(STEPS)],
    ['awake', 'Awake', () => front.awake()],
    ['failed', 'Could not wake up', () => front.set({ state: 'wake-failed', since: ago(60), failure })],
    [
      'degraded',
      'Awake, but not whole',
      () =>
        front.set({
          state: 'awake-degraded',
          since: ago(9),
          degraded: [{ pool: 'gpu', reason: 'x' }],
          unreachable: 'x',
        }),
    ],
  ];
  await heading(page, 'Asleep');
  // Nobody answers at the app's address here.
  await page.route(`${APP}**`, (route) => route.abort());
  for (const [name, text, set] of states) {
    set();
    await page.reload();
    await heading(page, text);
    await shoot(page, `${device}-${colorScheme}-${name}`);
    expect({ name, problems: await accessibilityProblems(page) }).toEqual({ name, problems: [] });
    expect(await overhang(page)).toBe(0);
  }
  expect(troubles.filter((trouble) => !trouble.includes('ERR_FAILED'))).toEqual([]);
});

test('by the keyboard alone: to the button, press it, and hear what becomes of it', async () => {
  const { url } = await front.link(['wake', 'keep-awake']);
  const page = await open(url, DESKTOP);
  await heading(page, 'Asleep');
  const focused = () => page.evaluate<string>('document.activeElement.id');
  for (let presses = 0; (await focused()) !== 'wake' && presses < 10; presses += 1) await page.keyboard.press('Tab');
  expect(await focused()).toBe('wake');
  expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
  await page.keyboard.press('Enter');
  await heading(page, 'About to wake up');
  await page.waitForSelector('#say:text-is("The cluster wakes up")');
  expect(front.model.stepFunctions.executions.size).toBe(1);
  expect(troubles).toEqual([]);
});

test('keep awake, skip and put off: each is told, and is there', async () => {
  front.awake();
  front.model.dynamo.items.set('idle', { id: 'idle', look: 1, sleepAt: ago(-600) });
  const { url } = await front.link(['keep-awake', 'sleep']);
  const page = await open(url);
  await heading(page, 'Awake');
  await page.route(`${APP}**`, (route) => route.abort());
  const overrides = () => front.model.dynamo.items.get('overrides') ?? {};
  await page.click('#postpone');
  await page.waitForSelector('text=No sleep for lack of use before');
  await page.selectOption('#hours', '4');
  await page.click('#keep');
  await page.waitForSelector('text=It is kept awake until');
  const { keepAwake } = overrides() as { keepAwake: { until: string; by: string } };
  expect(keepAwake.by).toBe('link:Ann');
  expect((Date.parse(keepAwake.until) - Date.now()) / 3_600_000).toBeCloseTo(4, 1);
  await page.click('#skip-wake');
  await page.waitForSelector('text=somebody asked to skip the next wake');
  await page.click('#unskip');
  await page.waitForSelector('#skip-wake');
  await page.click('#end-keep');
  await page.waitForSelector('text=It is kept awake until', { state: 'detached' });
  await page.click('#sleep');
  await heading(page, 'About to go to sleep');
  expect([...front.model.stepFunctions.executions.keys()]).toEqual([expect.stringContaining(':drowse-sleep:')]);
  expect(troubles).toEqual([]);
});

test('without script it shows the state, and a form wakes the cluster', async () => {
  withPast();
  const { secret } = await front.link();
  const page = await open(front.base, { ...PHONE, javaScriptEnabled: false });
  await heading(page, 'Who is there?');
  await page.fill('#secret', 'not a key');
  await page.click('button');
  await page.waitForSelector('[role=alert]:has-text("not valid")');
  await page.fill('#secret', secret);
  await page.click('button');
  await heading(page, 'Asleep');
  expect(page.url()).toBe(front.base);
  await page.click('#wake');
  await heading(page, 'About to wake up');
  await page.click('#leave');
  await heading(page, 'Who is there?');
});

test('without script the way into the app outlasts the key, the button and the wait', async () => {
  const { secret } = await front.link();
  const page = await open(`${front.base}?to=/gallery%3Fphoto%3D7`, { ...PHONE, javaScriptEnabled: false });
  await page.fill('#secret', 'not a key');
  await page.click('button');
  await page.waitForSelector('[role=alert]:has-text("not valid")');
  await page.fill('#secret', secret);
  await page.click('button');
  await heading(page, 'Asleep');
  await page.click('#wake');
  await heading(page, 'About to wake up');
  front.awake();
  await page.reload();
  await heading(page, 'Awake');
  expect(await page.locator('#open').getAttribute('href')).toBe(`${APP}gallery?photo=7`);
});

test.each<[what: string, make: () => Promise<string>]>([
  [
    'revoked',
    async () => {
      const { url, id } = await front.link();
      await front.revoke(id);
      return url;
    },
  ],
  ['expired', () => front.expiredLink()],
  [
    'tampered',
    async () => (await front.link()).url.replace(/#(.)/, (_, first: string) => `#${first === 'e' ? 'f' : 'e'}`),
  ],
  [
    'another cluster’s',
    async () => {
      const other = new Front();
      await other.start();
      const { secret } = await other.link();
      await other.stop();
      await front.link([], 'Bob');
      return `${front.base}#${secret}`;
    },
  ],
])('a link that is %s opens nothing, and says so', async (_what, make) => {
  const page = await open(await make());
  await page.waitForSelector('[role=alert]:has-text("This link is not valid")');
  expect(await page.innerText('body')).not.toMatch(/Asleep|\$/);
  expect(page.url()).toBe(front.base);
});

test('a page that is open when its link is revoked tells nothing more', async () => {
  const { url, id } = await front.link();
  const page = await open(url);
  await heading(page, 'Asleep');
  await front.revoke(id);
  await page.click('#wake');
  await heading(page, 'Who is there?');
  expect(front.model.stepFunctions.executions.size).toBe(0);
});
