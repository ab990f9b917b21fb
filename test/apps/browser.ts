import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** The headless shell first: it has no windows, and takes half of a whole browser's time. */
const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** There is no browser to test the page with. */
export class ChromiumMissing extends Error {
  override readonly name = 'ChromiumMissing';
}

/**
 * Starts a headless Chromium that talks to nobody but us.
 * @param more arguments of Chromium
 * @throws ChromiumMissing
 */
export async function startBrowser(...more: string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...more,
    ],
  });
}

function findChromium(): string {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const wanted = process.env.DROWSE_CHROMIUM;
  const candidates = wanted ? [wanted] : NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  const found = candidates.find((file) => existsSync(file));
  if (found === undefined) {
    throw new ChromiumMissing(
      'There is no Chromium: run test/apps/install-chromium.sh, or set DROWSE_CHROMIUM to one.',
    );
  }
  return found;
}

interface Watched {
  /** Addresses that the page may ask, by how they begin. */
  ours: readonly string[];
  /** Gets what a page should not do: errors of its scripts, complaints on its console, requests to anybody else. */
  troubles: string[];
}

/** A new page, of which everything that it should not do is kept. What the server refused is for the tests themselves to look at. */
export async function watchedPage(
  browser: Browser,
  options: BrowserContextOptions,
  { ours, troubles }: Watched,
): Promise<Page> {
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' });
  const page = await context.newPage();
  // A bound for what hangs.
  page.setDefaultTimeout(120_000);
  page.on('pageerror', (error) => troubles.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('the server responded with a status'))
      troubles.push(message.text());
  });
  page.on('request', (request) => {
    if (!ours.some((start) => request.url().startsWith(start))) troubles.push(request.url());
  });
  return page;
}
