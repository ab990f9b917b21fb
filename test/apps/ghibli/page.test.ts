import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { accessibilityProblems } from '../accessibility';
import { startBrowser, watchedPage } from '../browser';
import { bomb, landscape } from './photos';
import { run, type Running } from './running';

const ARTEFACTS = path.join(__dirname, '..', 'out');
const DESKTOP = { viewport: { width: 1280, height: 860 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

// Machines that run tests are slow at times; what must be quick says so itself.

let browser: Browser;
let server: Running;
let folder: string;
let photo: string;
let troubles: string[];

beforeAll(async () => {
  mkdirSync(ARTEFACTS, { recursive: true });
  folder = mkdtempSync(path.join(os.tmpdir(), 'drowse-page-'));
  photo = path.join(folder, 'lake.jpg');
  await (await landscape(1600, 1067)).jpeg({ quality: 90 }).toFile(photo);
  browser = await startBrowser();
  server = await run({ layout: 'nhwc' });
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  troubles = [];
});

afterEach(async () => {
  await Promise.all(browser.contexts().map((context) => context.close()));
});

async function open(options: BrowserContextOptions = DESKTOP): Promise<Page> {
  const page = await watchedPage(browser, options, { ours: [server.base, 'blob:'], troubles });
  await page.goto(server.base);
  return page;
}

async function expectState(page: Page, state: 'idle' | 'working' | 'done' | 'failed'): Promise<void> {
  await page.waitForSelector(`#card[data-state=${state}]`);
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: path.join(ARTEFACTS, `ghibli-${name}.png`) });
}

/** Answers to the page's questions for progress; the last one stays. */
async function tellProgress(page: Page, answers: object[]): Promise<void> {
  await page.route('**/api/progress/*', (route) =>
    route.fulfill({ json: answers.length > 1 ? answers.shift() : answers[0] }),
  );
}

describe('the page', () => {
  it.each([
    ['desktop', 'light', DESKTOP],
    ['desktop', 'dark', DESKTOP],
    ['phone', 'light', PHONE],
    ['phone', 'dark', PHONE],
  ] as const)('paints a photo (%s, %s)', async (device, colorScheme, options) => {
    const page = await open({ ...options, colorScheme });
    await shoot(page, `${device}-${colorScheme}-idle`);
    expect(await accessibilityProblems(page)).toEqual([]);
    await page.setInputFiles('#photo', photo);
    await expectState(page, 'done');
    await page.waitForTimeout(100);
    await shoot(page, `${device}-${colorScheme}-done`);
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await page.textContent('#facts')).toMatch(/^1024 × 683 · painted in [\d.]+ m?s$/);
    // Nothing is cut off at the side, on no screen.
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(troubles).toEqual([]);
  });

  it('gives the painting as a download', async () => {
    const page = await open();
    await page.setInputFiles('#photo', photo);
    await expectState(page, 'done');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
    expect(download.suggestedFilename()).toBe('lake-painted.jpg');
    const { width, height, format } = await sharp(readFileSync(await download.path())).metadata();
    expect({ width, height, format }).toEqual({ width: 1024, height: 683, format: 'jpeg' });
  });

  it('moves the border by mouse and by keys', async () => {
    const page = await open();
    await page.setInputFiles('#photo', photo);
    await expectState(page, 'done');
    const border = () =>
      page.evaluate('getComputedStyle(document.getElementById("canvas")).getPropertyValue("--split")');
    expect(await border()).toBe('50%');
    const box = await page.locator('#split').boundingBox();
    if (!box) throw new Error('The border is not shown');
    await page.mouse.click(box.x + box.width * 0.25, box.y + box.height / 2);
    expect(Math.abs(parseFloat(String(await border())) - 25)).toBeLessThan(2);
    await page.focus('#split');
    const from = parseFloat(String(await border()));
    await page.keyboard.press('ArrowRight');
    expect(parseFloat(String(await border()))).toBeCloseTo(from + 2, 1);
    await page.keyboard.press('Shift+ArrowLeft');
    expect(parseFloat(String(await border()))).toBeCloseTo(from - 8, 1);
    expect(await page.getAttribute('#split', 'aria-valuetext')).toMatch(/^\d+ percent painting$/);
  });

  it('shows each step, and never goes back', async () => {
    const page = await open();
    const { promise: held, resolve: goOn } = Promise.withResolvers<undefined>();
    await page.route('**/api/transform', async (route) => {
      await held;
      await route.continue();
    });
    const answers: object[] = [{ stage: 'waiting', ahead: 2, expectedMs: 6200 }];
    await tellProgress(page, answers);
    await page.evaluate(`{
      window.seen = [];
      const record = () => seen.push([document.getElementById('doing').textContent, document.getElementById('bar').value]);
      new MutationObserver(record).observe(document.getElementById('doing'), { childList: true, characterData: true, subtree: true });
    }`);
    // XMLHttpRequest tells of an upload's end only when the request goes through, so the page is asked to poll at once.
    await page.evaluate(`{
      const send = XMLHttpRequest.prototype.send;
      XMLHttpRequest.prototype.send = function (body) { send.call(this, body); this.upload.dispatchEvent(new ProgressEvent('load')); };
    }`);
    await page.setInputFiles('#photo', photo);
    await page.waitForSelector('text=2 photos are before yours · about 6 seconds');
    await shoot(page, 'desktop-light-working');
    expect(await accessibilityProblems(page)).toEqual([]);
    expect(await page.getAttribute('#steps [data-step=wait]', 'aria-current')).toBe('step');
    expect(await page.textContent('#live')).toBe('Your photo is in the queue.');
    for (const [answer, text] of [
      [{ stage: 'waiting', ahead: 1, expectedMs: 3100 }, 'One photo is before yours · about 3 seconds'],
      [{ stage: 'painting', sinceMs: 100, expectedMs: 3100 }, 'Painting · about 3 seconds'],
      [{ stage: 'reading' }, 'Looking at your photo'],
      [{ stage: 'finishing' }, 'Letting it dry'],
    ] as const) {
      answers.push(answer);
      await page.waitForSelector(`text=${text}`);
    }
    goOn(undefined);
    await expectState(page, 'done');
    const seen: [string, number][] = await page.evaluate('seen');
    const values = seen.map(([, value]) => value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(await page.evaluate('document.activeElement.id')).toBe('facts');
  });

  it('can be left in the middle', async () => {
    const page = await open();
    await page.route('**/api/transform', () => new Promise(() => undefined));
    await page.setInputFiles('#photo', photo);
    await expectState(page, 'working');
    await page.click('#cancel');
    await expectState(page, 'idle');
    await page.unroute('**/api/transform');
    await page.setInputFiles('#photo', photo);
    await expectState(page, 'done');
    await page.click('#another');
    await expectState(page, 'idle');
    expect(await page.evaluate('document.activeElement.id')).toBe('photo');
  });

  it('takes a photo that is dropped, or pasted', async () => {
    const page = await open();
    const bytes = readFileSync(photo).toString('base64');
    for (const event of ['drop', 'paste']) {
      await page.evaluate(`{
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob('${bytes}'), (c) => c.charCodeAt(0))], 'x.jpg', { type: 'image/jpeg' }));
        const name = '${event}';
        document.body.dispatchEvent(name === 'drop'
          ? new DragEvent(name, { dataTransfer: data, bubbles: true, cancelable: true })
          : new ClipboardEvent(name, { clipboardData: data, bubbles: true }));
      }`);
      await expectState(page, 'done');
      await page.click('#another');
      await expectState(page, 'idle');
    }
    expect(troubles).toEqual([]);
  });

  it('makes a photo smaller that is larger than the limits', async () => {
    const large = path.join(folder, 'large.png');
    await (await landscape(2120, 1700)).png({ compressionLevel: 0 }).toFile(large);
    const page = await open();
    await page.setInputFiles('#photo', large);
    await expectState(page, 'done');
    expect(await page.textContent('#remark')).toMatch(/made smaller/);
    expect(await page.textContent('#facts')).toMatch(/^1024 × 821/);
  });
});

describe('what goes wrong', () => {
  it.each([
    [
      'a HEIC photo',
      { name: 'IMG_1.heic', mimeType: 'image/heic', buffer: Buffer.from('x') },
      /IMG_1\.heic is not/,
      /export it as JPEG/,
    ],
    [
      'an empty file',
      { name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(0) },
      /a\.jpg is empty/,
      /cloud drive/,
    ],
    [
      'a broken photo',
      { name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('\xff\xd8\xff\xe0', 'latin1') },
      /damaged/,
      /save it anew/,
    ],
    [
      'a disguised file',
      { name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('%PDF-1.7') },
      /a PDF document/,
      /JPEG, PNG or WebP/,
    ],
  ])('%s: the page says so, and what to do', async (_what, file, message, remedy) => {
    const page = await open();
    await page.setInputFiles('#photo', file);
    await expectState(page, 'failed');
    expect(await page.textContent('#what')).toMatch(message);
    expect(await page.textContent('#remedy')).toMatch(remedy);
    expect(await page.isHidden('#again')).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('what');
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.click('#other')]);
    await chooser.setFiles(photo);
    await expectState(page, 'done');
  });

  it('a decompression bomb', async () => {
    const page = await open(PHONE);
    await page.setInputFiles('#photo', { name: 'bomb.png', mimeType: 'image/png', buffer: await bomb(40_000, 40_000) });
    await expectState(page, 'failed');
    expect(await page.textContent('#what')).toMatch(/1600 megapixels/);
    await shoot(page, 'phone-light-failed');
    expect(await accessibilityProblems(page)).toEqual([]);
  });

  it('a full queue: the page counts down, then tries again', async () => {
    const page = await open();
    await page.route('**/api/transform', (route) =>
      route.fulfill({
        status: 429,
        headers: { 'retry-after': '2' },
        json: { error: 'QueueFull', message: 'Many photos are waiting.', remedy: 'Try again in 2 seconds.' },
      }),
    );
    await page.setInputFiles('#photo', photo);
    await expectState(page, 'failed');
    expect(await page.textContent('#again')).toBe('Try again in 2 s');
    expect(await page.isDisabled('#again')).toBe(true);
    await page.unroute('**/api/transform');
    await page.click('#again');
    await expectState(page, 'done');
  });

  it('no connection, and a proxy’s own words', async () => {
    const page = await open();
    await page.route('**/api/transform', (route) => route.abort());
    await page.setInputFiles('#photo', photo);
    await expectState(page, 'failed');
    expect(await page.textContent('#what')).toBe('The painter could not be reached.');
    await page.unroute('**/api/transform');
    await page.route('**/api/transform', (route) => route.fulfill({ status: 502, body: '<html>Bad Gateway</html>' }));
    await page.click('#again');
    await page.waitForSelector('text=The painter does not answer right now.');
    await page.unroute('**/api/transform');
    await page.click('#again');
    await expectState(page, 'done');
  });

  it('a painter that is not ready: the notice comes and goes by itself', async () => {
    const page = await open();
    await page.route('**/readyz', (route) =>
      route.fulfill({
        status: 503,
        json: { ready: false, message: 'The model is being loaded.', remedy: 'It takes a few seconds.' },
      }),
    );
    await page.reload();
    await page.waitForSelector('#notice:not([hidden])');
    expect(await page.textContent('#notice')).toBe(
      'The painter is not ready. The model is being loaded. It takes a few seconds. This page goes on asking.',
    );
    await shoot(page, 'desktop-light-not-ready');
    await page.unroute('**/readyz');
    await page.waitForSelector('#notice', { state: 'hidden' });
    expect(await page.textContent('#device')).toBe(' on a CPU');
  });
});
