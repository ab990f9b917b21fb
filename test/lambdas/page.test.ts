import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';
import { PAGE_ASSETS, packPage } from '../../lib/page';
import { allStates, readDefinition } from '../../sim/definitions';
import { classOf } from '../../core/decisions/failure-classes';
import { failureInWords, STEP_IN_WORDS, whoAsked } from '../../core/words';
import { html } from '../../lambdas/serve-page/html';
import { logger } from '../../lambdas/shared/clients/logger';
import type { Twin } from '../../sim/run';
import { seconds } from '../../sim/virtual-time';
import { live, liveAwake } from './support';
import { bearer, cookie, front, makeLink, read, tokenIn } from './visitor';

beforeAll(() => logger.setLogLevel('SILENT'));

const DOMAIN = `app: { domain: app.example.org, email: ops@example.org }`;
const ask = ({ model }: Twin, more?: NodeJS.ProcessEnv) => front(model, 'serve-page', more);

test('style and script are packed as web/ has them; `npx tsx scripts/write-page.ts` packs them', async () => {
  const packed = JSON.parse(readFileSync(join(__dirname, '../..', PAGE_ASSETS), 'utf8')) as object;
  expect(packed).toEqual(await packPage());
});

test.each(['wake', 'sleep', 'bootstrap', 'install-platform'])('every step of %s has words', (workflow) => {
  const states = allStates(readDefinition(workflow)).filter(([, { Type }]) => Type === 'Task');
  const silent = states.map(([name]) => name).filter((name) => !(name in STEP_IN_WORDS) && name !== 'RecordFailure');
  expect(silent).toEqual([]);
});

test.each([
  ['link:Ann B.', 'Ann B.'],
  ['api:arn:aws:iam::123456789012:user/team/ann', 'ann'],
  ['api:arn:aws:sts::123456789012:assumed-role/Admin/ann@example.org', 'ann@example.org'],
  ['cli:ann', 'ann'],
  ['schedule:nights', 'schedule nights'],
  ['catch-up:nights', 'schedule nights'],
  ['idle:nobody used it since 2026', 'nobody used it'],
  ['capacity:gpu', 'machines came free'],
  ['look-after:while asleep, i-0abc (demo-pool-gpu) is running', 'drowse itself'],
  ['look-after', 'drowse itself'],
  ['console', 'console'],
])('%s is told as %s: no account, no path, no machine', (requestedBy, told) => {
  expect(whoAsked(requestedBy)).toBe(told);
});

test.each([
  ['what passes is tried again by itself', 'wake', 'NodesNotReady', 'gpu is waited for', 'tried again by itself'],
  ['a lost state is not', 'wake', 'NodeFailed', 'seat 0, running, failed:state-lost', 'Trying again alone'],
  ['what a person began is not', 'restore-etcd', 'ApiNotReady', 'no seat', 'try again in a few minutes'],
] as const)('a failure says what happens next: %s', (_, workflow, error, cause, told) => {
  const failure = { workflow, step: 'WaitForApi', error, cause, class: classOf(error) };
  const { step, advice } = failureInWords({ ...failure, execution: '', at: '', runbook: '', log: '' });
  expect(step).toBe('Wait for the control plane');
  expect(advice).toContain(told);
});

test('whatever is put into the page is text', () => {
  expect(html`<p title="${'"\'<'}">${'<script>&'}${html`<b>${1}</b>`}${false}${undefined}</p>`.text).toBe(
    '<p title="&quot;&#39;&lt;">&lt;script&gt;&amp;<b>1</b></p>',
  );
});

describe('GET /', () => {
  test('tells nothing to whoever comes without a link', () =>
    liveAwake(DOMAIN, async (twin) => {
      const { status, text } = await ask(twin)('GET /');
      expect(status).toBe(200);
      expect(text).toContain('Who is there?');
      expect(text.replace(/<(style|script)>.*?<\/\1>/gs, '')).not.toMatch(/awake|app\.example\.org|\$|bootstrap/i);
    }));

  test('is at most 50 KB with all that it needs, and asks nothing of anybody else', () =>
    liveAwake(DOMAIN, async (twin) => {
      for (let n = 0; n < 6; n += 1) for (const workflow of ['sleep', 'wake']) await twin.run(workflow);
      const { secret } = await makeLink(twin.model, ['wake', 'keep-awake', 'sleep']);
      const { text } = await ask(twin)('GET /', cookie(secret));
      expect(Buffer.byteLength(text)).toBeLessThan(50_000);
      expect(gzipSync(text).length).toBeLessThan(12_000);
      expect(text.match(/(?:src|href)="[^"]*"/g)).toEqual(['href="data:,"', 'href="https://app.example.org/"']);
    }));

  test('allows its own script and style, and nothing else', () =>
    live(DOMAIN, async (twin) => {
      const { headers, text } = await ask(twin)('GET /');
      const policy = headers['content-security-policy'] ?? '';
      const hash = (tag: string) => {
        const [, inside = ''] = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(text) ?? [];
        return `'sha256-${createHash('sha256').update(inside).digest('base64')}'`;
      };
      expect(policy.split('; ')).toEqual([
        "default-src 'none'",
        `script-src ${hash('script')}`,
        `style-src ${hash('style')}`,
        "connect-src 'self' https://app.example.org",
        'img-src data:',
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ]);
      expect(text).not.toMatch(/ on\w+=| style=|javascript:/);
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
      });
    }));

  test('shows the steps of a wake with elapsed and usual time, and an estimate', () =>
    liveAwake(DOMAIN, async (twin) => {
      for (let n = 0; n < 3; n += 1) for (const workflow of ['sleep', 'wake']) await twin.run(workflow);
      await twin.run('sleep');
      const { secret } = await makeLink(twin.model);
      const serve = ask(twin);
      const asleep = await serve('GET /', cookie(secret));
      expect(read(asleep.text)).toMatch(/Asleep.*Waking takes about \d+ min/s);
      await serve('POST /link/wake', { ...bearer(secret), body: '{"reason":"<b>demo</b>"}' });
      const pressed = await serve('GET /', cookie(secret));
      expect(pressed.text).not.toContain('id="wake"');
      await seconds(60);
      const text = read((await serve('GET /', cookie(secret))).text);
      expect(text).toMatch(/Asked for by Ann: ?“&lt;b&gt;demo&lt;\/b&gt;”/);
      expect(text).toMatch(/class="done"><span>Start the control plane<\/span><span>done, /);
      expect(text).toMatch(
        /aria-current="step"><span>Wait for the control plane<\/span><span><span data-since="[^"]+">.*of about /,
      );
      expect(text).toMatch(/About<strong data-until=/);
      const { json } = await serve('GET /link/status', bearer(secret));
      expect(json).toMatchObject({
        state: 'waking',
        running: { workflow: 'wake', by: 'Ann', estimate: { late: false } },
      });
      await twin.workflows.of('wake').at(-1)!.over;
      const awake = await serve('GET /', cookie(secret));
      expect(awake.text).toContain('href="https://app.example.org/"');
    }));

  test('says that a wake waits for the end of a sleep', () =>
    liveAwake('', async (twin) => {
      const { secret } = await makeLink(twin.model);
      const sleep = twin.workflows.start('sleep');
      await seconds(30);
      const serve = ask(twin);
      expect((await serve('GET /', cookie(secret))).text).toContain('id="wake"');
      await serve('POST /link/wake', bearer(secret));
      const { text } = await serve('GET /', cookie(secret));
      expect(text).toContain('Going to sleep, then waking up');
      expect(text).not.toContain('id="wake"');
      await sleep.over;
      await twin.workflows.of('wake')[0]!.over;
    }));

  test.each([
    [[], ['wake', 'keep', 'sleep', 'skip-sleep', 'skip-wake'], []],
    [['wake'], ['keep', 'sleep', 'skip-sleep'], []],
    [['keep-awake'], ['sleep', 'skip-wake'], ['keep', 'skip-sleep']],
    [['sleep'], ['keep', 'skip-sleep'], ['sleep', 'skip-wake']],
  ] as const)('shows a link with %j no button of what it may not', (rights, not, but) =>
    liveAwake(`schedules: [{ name: nights, days: [mon, fri], sleep: '19:00', wake: '07:00' }]`, async (twin) => {
      const { secret } = await makeLink(twin.model, rights);
      const { text } = await ask(twin)('GET /', cookie(secret));
      for (const id of not) expect(text).not.toContain(`id="${id}"`);
      for (const id of but) expect(text).toContain(`id="${id}"`);
    }),
  );

  test('takes whoever wanted a page of the app there, and nowhere else', () =>
    liveAwake(DOMAIN, async (twin) => {
      const { secret } = await makeLink(twin.model);
      const open = async (to: string) => {
        const { text } = await ask(twin)('GET /', { ...cookie(secret), query: `to=${encodeURIComponent(to)}` });
        return /id="open" href="([^"]*)"/.exec(text)?.[1];
      };
      expect(await open('/a/b?c=d')).toBe('https://app.example.org/a/b?c=d');
      for (const to of [
        'https://evil.example',
        '//evil.example',
        '/\\evil.example',
        'javascript:alert(1)',
        '\t//evil.example',
      ]) {
        expect(await open(to)).toMatch(/^https:\/\/app\.example\.org\//);
      }
    }));
});

describe('without script', () => {
  const FORM = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  };

  test('the key of a link opens the page, a form wakes the cluster, and another forgets the link', () =>
    live('', async (twin) => {
      const { secret } = await makeLink(twin.model);
      const serve = ask(twin);
      const session = await serve('POST /link/session', { headers: FORM, body: `secret=${secret}` });
      expect([session.status, session.headers.location]).toEqual([303, '../']);
      expect(session.cookies).toEqual([
        expect.stringMatching(/^__Host-drowse=[\w.-]+; Path=\/; Max-Age=25\d{5}; Secure; HttpOnly; SameSite=Lax$/),
      ]);
      const [given = ''] = session.cookies[0]!.split(';');
      const page = await serve('GET /', { cookies: [given] });
      const woken = await serve('POST /link/wake', {
        headers: FORM,
        cookies: [given],
        body: `token=${tokenIn(page.text)}`,
      });
      expect([woken.status, woken.headers.location]).toEqual([303, '../']);
      expect(twin.workflows.of('wake')).toHaveLength(1);
      const left = await serve('POST /link/leave', { headers: FORM, cookies: [given] });
      expect(left.cookies).toEqual([expect.stringMatching(/^__Host-drowse=; Path=\/; Max-Age=0/)]);
    }));

  test.each([
    ['a wrong key', 'POST /link/session', 'secret=x.y', 'link'],
    ['no key', 'POST /link/session', '', 'link'],
    ['an old page', 'POST /link/wake', 'token=old', 'page'],
  ])('%s leads back to the page, which says so', (_what, route, body, problem) =>
    live('', async (twin) => {
      const { secret } = await makeLink(twin.model);
      const known = route.endsWith('session') ? {} : cookie(secret);
      const { status, headers } = await ask(twin)(route, { headers: FORM, body, ...known });
      expect([status, headers.location]).toEqual([303, `../?problem=${problem}`]);
      const page = await ask(twin)('GET /', { ...known, query: `problem=${problem}` });
      expect(page.text).toMatch(/<p class="problem" role="alert">/);
    }),
  );
});

describe('the waiting page at the app’s own address', () => {
  test('is the same for everybody, tells nothing of the cluster, and can do nothing', () =>
    liveAwake(DOMAIN, async (twin) => {
      const serve = ask(twin);
      const { secret } = await makeLink(twin.model, ['wake', 'keep-awake', 'sleep']);
      const awake = await serve('GET /.drowse/waiting', cookie(secret));
      await twin.run('sleep');
      const asleep = await serve('GET /.drowse/waiting');
      expect([asleep.status, asleep.text, asleep.headers]).toEqual([200, awake.text, awake.headers]);
      expect(asleep.cookies).toEqual([]);
      const shown = asleep.text.replace(/<(style|script)>.*?<\/\1>/gs, '');
      expect(shown).not.toMatch(/<form|<input|awake|\$|bootstrap|Ann/);
      expect(shown.match(/(?:src|href)="[^"]*"/g)).toEqual([
        'href="data:,"',
        'href="https://id.execute-api.us-east-1.amazonaws.com/"',
      ]);
    }));

  test('runs its own script and style, asks its own address alone, and outlives nothing there', () =>
    live('', async (twin) => {
      const { headers, text } = await ask(twin)('GET /.drowse/waiting');
      const hash = (tag: string) => {
        const [, inside = ''] = new RegExp(`<${tag}>(.*?)</${tag}>`, 's').exec(text) ?? [];
        return `'sha256-${createHash('sha256').update(inside).digest('base64')}'`;
      };
      expect(headers['content-security-policy']?.split('; ')).toEqual([
        "default-src 'none'",
        `script-src ${hash('script')}`,
        `style-src ${hash('style')}`,
        "connect-src 'self'",
        'img-src data:',
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ]);
      // CloudFront may keep it, a browser may not: it would show it in place of the app.
      expect(headers['cache-control']).toBe('public, max-age=0, s-maxage=300, must-revalidate');
      expect(headers).not.toHaveProperty('strict-transport-security');
      expect(read(text)).toContain('<h1>The app does not answer</h1>');
      expect(Buffer.byteLength(text)).toBeLessThan(10_000);
    }));
});

test('where the reader wanted to go stays with every form; never another site, and nothing endless', () =>
  liveAwake(DOMAIN, async (twin) => {
    const { secret } = await makeLink(twin.model, ['wake', 'keep-awake', 'sleep']);
    const page = async (to: string) =>
      (await ask(twin)('GET /', { ...cookie(secret), query: new URLSearchParams({ to }).toString() })).text;
    const actions = (text: string) => [
      ...new Set([...text.matchAll(/action="link\/[a-z-]+([^"]*)"/g)].map(([, query]) => query)),
    ];
    const wanted = await page('/gallery?photo=7&large');
    expect(actions(wanted)).toEqual(['?to=%2Fgallery%3Fphoto%3D7%26large']);
    expect(wanted).toContain('href="https://app.example.org/gallery?photo=7&amp;large"');
    for (const other of ['//evil.example/', '/\\evil.example', 'https://evil.example/', `/${'x'.repeat(2_000)}`]) {
      const text = await page(other);
      expect(actions(text)).toEqual(['']);
      expect(text).toContain('href="https://app.example.org/"');
    }
  }));
