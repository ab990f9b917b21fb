import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';

/** The headless shell first: it has no windows, and takes half of a whole browser's time. */
const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** There is no browser to test the page with. */
export class ChromiumMissing extends Error {
  override readonly name = 'ChromiumMissing';
}

/**
 * Starts a headless Chromium that talks to nobody but us.
 * @throws ChromiumMissing
 */
export async function startBrowser(): Promise<Browser> {
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
