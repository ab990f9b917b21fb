import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { logger } from '../../../lambdas/shared/clients/logger';
import { accessibilityProblems } from '../accessibility';
import { startBrowser, watchedPage } from '../browser';
import { type Answer, Edge } from './edge';
import { Front } from './front';

const ARTEFACTS = path.join(__dirname, '..', 'out');
const APP = 'https://app.example.org/';
/** At which name the front's API is called (sim/api-event.ts). */
const API = 'https://id.execute-api.us-east-1.amazonaws.com/';
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

let browser: Browser;
let front: Front;
let troubles: string[];
/** What the cluster answers at its Elastic IP; undefined while it sleeps. */
let app: ((path: string) => Answer) | undefined;
/** What reached the Elastic IP, or would have. */
let asked: string[];

beforeAll(async () => {
  logger.setLogLevel('SILENT');
  browser = await startBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  troubles = [];
  asked = [];
  app = undefined;
  front = new Front();
  await front.start();
});
afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
  await front.stop();
});

const html = (title: string, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: `<title>${title}</title><h1>${title}</h1>`,
});

/** A page of a browser that finds CloudFront at the app's name, and the front's API at its own. */
async function visitor(options: BrowserContextOptions = {}): Promise<Page> {
  const page = await watchedPage(browser, { ...PHONE, ...options }, { ours: [APP, API], troubles });
  const edge = new Edge('app.example.org', {
    'ec2-203-0-113-9.compute-1.amazonaws.com': ({ method, path, host }) => {
      asked.push(`${method} ${path}`);
      // The ingress knows the app by its name alone.
      return Promise.resolve(app && (host === 'app.example.org' ? app(path) : html('Not Found', 404)));
    },
    'api.example': async ({ method, path, host }) => {
      // As API Gateway: it knows no name but its own.
      if (host !== 'api.example') return html('Forbidden', 403);
      const answer = await fetch(`${front.base.slice(0, -1)}${path}`, { method });
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
    },
  });
  await page.context().route(`${APP}**`, (route) => edge.serve(route));
  await page.context().route(`${API}**`, async (route) => {
    const request = route.request();
    const { pathname, search } = new URL(request.url());
    const answer = await fetch(`${front.base.slice(0, -1)}${pathname}${search}`, {
      method: request.method(),
      headers: await request.allHeaders(),
      body: request.postData(),
      redirect: 'manual',
    });
    await route.fulfill({
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: await answer.text(),
    });
  });
  return page;
}

const heading = (page: Page, text: string) => page.waitForSelector(`h1:text-is("${text}")`);
/** Lets the page look again, by its own clock. */
async function nextLook(page: Page): Promise<void> {
  const before = asked.length;
  while (asked.length === before) await page.clock.runFor(1_000);
}
const ASLEEP = 'app.example.org does not answer';

test('a visitor of the app’s own address sees a page, wakes the cluster by his link, and comes where he wanted to go', async () => {
  const page = await visitor();
  const { secret } = await front.link(['wake']);
  const answer = await page.goto(`${APP}gallery?photo=7#large`);
  await heading(page, ASLEEP);
  expect([answer?.status(), page.url()]).toEqual([503, `${APP}gallery?photo=7#large`]);
  expect(answer?.headers()['cache-control']).toBe('public, max-age=0, s-maxage=300, must-revalidate');
  await page.click('#wake');
  await heading(page, 'Who is there?');
  await page.fill('#secret', secret);
  await page.click('button');
  await heading(page, 'Asleep');
  await page.click('#wake');
  await heading(page, 'About to wake up');
  app = (wanted) => html(`The app at ${wanted}`);
  front.awake();
  await page.waitForURL(`${APP}gallery?photo=7#large`);
  await heading(page, 'The app at /gallery?photo=7');
  expect(troubles).toEqual([]);
});

test('who only waits comes there as well, as soon as the app answers, whatever it answers', async () => {
  const page = await visitor();
  await page.clock.install();
  await page.goto(`${APP}album`);
  await heading(page, ASLEEP);
  await nextLook(page);
  await nextLook(page);
  await heading(page, ASLEEP);
  // An ingress without the app behind it is no answer; what the app itself says is, also that it can't do it now.
  app = () => html('Bad Gateway', 502);
  await nextLook(page);
  await heading(page, ASLEEP);
  app = () => html('Model missing', 503);
  await nextLook(page);
  await heading(page, 'Model missing');
  expect(page.url()).toBe(`${APP}album`);
  expect(troubles).toEqual([]);
});

test('a form that was sent into the night is not sent again', async () => {
  const page = await visitor();
  app = () => ({ ...html('Form'), body: '<form method="post" action="/paint"><button>Paint</button></form>' });
  await page.goto(APP);
  await page.clock.install();
  app = undefined;
  await page.click('button');
  await heading(page, ASLEEP);
  app = (wanted) => html(`The app at ${wanted}`);
  await nextLook(page);
  await heading(page, 'The app at /paint');
  expect(asked.filter((one) => one.startsWith('POST'))).toEqual(['POST /paint']);
});

test('without script it leads to the page that wakes it', async () => {
  const page = await visitor({ javaScriptEnabled: false });
  await page.goto(`${APP}gallery`);
  await heading(page, ASLEEP);
  expect(
    await page
      .locator('noscript meta')
      .getAttribute('content')
      .catch(() => '20'),
  ).toBe('20');
  await page.click('#wake');
  await heading(page, 'Who is there?');
});

test.each(['light', 'dark'] as const)('everybody can read it (%s)', async (colorScheme) => {
  const page = await visitor({ colorScheme });
  await page.goto(APP);
  await heading(page, ASLEEP);
  expect(await accessibilityProblems(page)).toEqual([]);
  mkdirSync(ARTEFACTS, { recursive: true });
  await page.screenshot({ path: path.join(ARTEFACTS, `page-waiting-${colorScheme}.png`), fullPage: true });
  // It sets nothing at the app's address, and is of the page's own style.
  expect(await page.context().cookies()).toEqual([]);
  expect(await page.locator('#wake').getAttribute('href')).toBe(API);
});
