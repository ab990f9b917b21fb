import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { accessibilityProblems } from '../apps/accessibility';
import { startBrowser } from '../apps/browser';
import type { Cluster } from './cluster';
import { drowse } from './command';

const ARTEFACTS = path.join(__dirname, '..', 'apps', 'out');
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
/** Many times what a wake on the embedded AWS takes (ms). */
const PATIENCE = 480_000;

/** Where the app's own name leads in the browser: to the ingress, as by DNS through CloudFront and the Elastic IP. */
async function resolverRules(cluster: Cluster): Promise<string> {
  const { ingress } = (await (await fetch(`${cluster.endpoint}/_drowse/plugin`)).json()) as { ingress: string };
  return `--host-resolver-rules=MAP app.example.org:443 ${ingress}`;
}

/** The page, with the real API in front, the real functions behind, and a browser. */
export function page(cluster: Cluster): void {
  describe('the page that wakes it', () => {
    let browser: Browser;
    beforeAll(async () => {
      mkdirSync(ARTEFACTS, { recursive: true });
      browser = await startBrowser(await resolverRules(cluster));
    });
    afterAll(() => browser.close());

    const link = async (...options: string[]): Promise<{ url: string; id: string; secret: string }> => {
      const { code, stdout, stderr } = await drowse(cluster, ['link', 'Ann', '--json', ...options]);
      expect([code, stderr]).toEqual([0, expect.anything()]);
      return JSON.parse(stdout) as { url: string; id: string; secret: string };
    };
    const heading = (open: Page, text: string) => open.waitForSelector(`h1:text-is("${text}")`, { timeout: PATIENCE });

    it('wakes a cluster that sleeps, by its button, for somebody who has nothing but a link, and opens the app', async () => {
      expect((await cluster.execute('sleep')).status).toBe('SUCCEEDED');
      const { url, secret, id } = await link('--rights', 'wake,keep-awake');
      const context = await browser.newContext({ ...PHONE, ignoreHTTPSErrors: true });
      const open = await context.newPage();
      await open.goto(url.replace('/#', '/?to=/gallery%3Fphoto%3D7#'));
      await heading(open, 'Asleep');
      expect(open.url()).not.toContain(secret.slice(0, 20));
      expect(await accessibilityProblems(open)).toEqual([]);
      await open.fill('#why', 'the demo');
      await open.click('#wake');
      // The page goes on by itself, to where the reader wanted.
      await open.waitForURL('https://app.example.org/gallery?photo=7', { timeout: PATIENCE });
      expect((await open.innerText('body')).trim()).toBe('app.example.org is served here');
      await cluster.expectAwake();
      await open.goto(url.replace(/#.*/, ''));
      await heading(open, 'Awake');
      await open.screenshot({ path: path.join(ARTEFACTS, 'page-embedded-awake.png'), fullPage: true });
      const runs = await open.locator('#runs li').first().innerText();
      expect(runs).toMatch(/wake[^]*Ann: “the demo”[^]*done/);

      // What CloudFront would show at the app's own name; the distribution itself is kept there, and serves nothing.
      const waiting = await fetch(`${await cluster.apiUrl()}/.drowse/waiting`);
      expect([waiting.status, await waiting.text()]).toEqual([
        200,
        expect.stringContaining('app.example.org does not answer'),
      ]);

      const bearer = { headers: { authorization: `Bearer ${secret}` } };
      const api = await cluster.apiUrl();
      const waited = await fetch(`${api}/link/wait?seconds=0`, bearer);
      expect([waited.status, await waited.json()]).toMatchObject([200, { state: 'awake' }]);
      expect((await fetch(`${api}/link/status`, bearer)).status).toBe(200);
      expect((await fetch(`${api}/link/wake`, bearer)).status).toBe(404);
      expect((await drowse(cluster, ['link', '--revoke', id])).code).toBe(0);
      expect((await fetch(`${api}/link/status`, bearer)).status).toBe(401);
      await open.reload();
      await heading(open, 'Who is there?');
      expect(await (await fetch(`${api}/`)).text()).not.toContain('Ann');
    });
  });
}
