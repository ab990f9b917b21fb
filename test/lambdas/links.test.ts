import { randomBytes } from 'node:crypto';
import { openLink, pageToken, isPageToken, sealLink, LinkRefused } from '../../lambdas/shared/links/token';
import { logger } from '../../lambdas/shared/clients/logger';
import type { Twin } from '../../sim/run';
import { seconds } from '../../sim/virtual-time';
import { live, liveAwake } from './support';
import { bearer, cookie, front, makeLink, tokenIn } from './visitor';

beforeAll(() => logger.setLogLevel('SILENT'));

const NIGHTS = `schedules: [{ name: nights, days: [mon, tue, wed, thu, fri], sleep: '19:00', wake: '07:00' }]`;
const ask = ({ model }: Twin) => front(model, 'serve-page');
const manage = ({ model }: Twin) => front(model, 'manage-links');
/** What a link has asked for, as the record has it. */
const kept = ({ model }: Twin) =>
  [...model.dynamo.items].filter(([id]) => /^event#.*#link-/.test(id)).map(([, item]) => item);

describe('the secret of a link', () => {
  const key = randomBytes(32);
  const link = { id: 'ab12', name: 'Ann', rights: ['look', 'wake'] as const, expiresAt: '2026-12-01T00:00:00.000Z' };
  const now = new Date('2026-11-20T08:00:00Z');
  const secret = sealLink(key, 'drowse', link);

  test('is what its signature says, for this cluster, until it expires', () => {
    expect(openLink(key, 'drowse', secret, now)).toEqual(link);
    expect(() => openLink(key, 'other', secret, now)).toThrow('This link is for another cluster');
    expect(() => openLink(key, 'drowse', secret, new Date('2026-12-01T00:00:00Z'))).toThrow('This link has expired');
    expect(() => openLink(randomBytes(32), 'drowse', secret, now)).toThrow(LinkRefused);
  });

  test('holds no longer with any of its characters changed, left out or added', () => {
    for (let at = 0; at < secret.length; at += 1) {
      const other = secret[at] === 'A' ? 'B' : 'A';
      for (const changed of [
        secret.slice(0, at) + other + secret.slice(at + 1),
        secret.slice(0, at) + secret.slice(at + 1),
        `${secret.slice(0, at)}A${secret.slice(at)}`,
      ]) {
        // The last character of base64url carries two bits that nobody reads.
        const same = Buffer.from(changed, 'base64url').equals(Buffer.from(secret, 'base64url'));
        if (!same) expect(() => openLink(key, 'drowse', changed, now)).toThrow(LinkRefused);
      }
    }
  });

  test('gives more rights to nobody who writes them in', () => {
    const [, signature = ''] = secret.split('.');
    const more = { cluster: 'drowse', id: 'ab12', name: 'Ann', rights: ['look', 'wake', 'sleep'], expires: 2e9 };
    const forged = `${Buffer.from(JSON.stringify(more)).toString('base64url')}.${signature}`;
    expect(() => openLink(key, 'drowse', forged, now)).toThrow(LinkRefused);
  });

  test('is none of a page, nor the reverse; a page’s token holds for hours, for its link alone', () => {
    const token = pageToken(key, link, now);
    const hours = (n: number) => new Date(now.getTime() + n * 3_600_000);
    expect([0, 11].map((n) => isPageToken(key, link, token, hours(n)))).toEqual([true, true]);
    expect(isPageToken(key, link, token, hours(25))).toBe(false);
    expect(isPageToken(key, { id: 'cd34' }, token, now)).toBe(false);
    expect(isPageToken(key, link, '', now)).toBe(false);
    expect(isPageToken(key, link, secret.split('.')[1] ?? '', now)).toBe(false);
  });
});

describe('links', () => {
  test('are made, listed without their secrets, and revoked', () =>
    live('', async (twin) => {
      const { id, secret, rights } = await makeLink(twin.model, ['wake']);
      expect(rights).toEqual(['look', 'wake']);
      const listed = (await manage(twin)('GET /links')).json;
      expect(listed).toMatchObject({
        links: [{ id, name: 'Ann', createdBy: expect.stringMatching(/^api:/) as string }],
      });
      expect(JSON.stringify(listed)).not.toContain(secret.slice(0, 20));
      expect((await ask(twin)('GET /link/status', bearer(secret))).status).toBe(200);
      expect((await manage(twin)(`DELETE /links/${id}`)).status).toBe(200);
      const refused = await ask(twin)('GET /link/status', bearer(secret));
      expect([refused.status, refused.json.message]).toEqual([401, expect.stringContaining('revoked')]);
      expect((await manage(twin)('DELETE /links/nothing')).status).toBe(404);
      expect((await manage(twin)('DELETE /links/__proto__')).status).toBe(404);
    }));

  test('are all void at once, with another key', () =>
    live('', async (twin) => {
      const [one, other] = [await makeLink(twin.model), await makeLink(twin.model, ['sleep'], 'Bob')];
      const key = twin.model.ssm.parameters.get('/drowse/drowse/link-key');
      await manage(twin)('DELETE /links/all');
      expect(twin.model.ssm.parameters.get('/drowse/drowse/link-key')).not.toBe(key);
      for (const { secret } of [one, other]) {
        expect((await ask(twin)('GET /link/status', bearer(secret))).status).toBe(401);
      }
      const next = await makeLink(twin.model);
      expect((await ask(twin)('GET /link/status', bearer(next.secret))).status).toBe(200);
    }));

  test('are made by two at once with one key', () =>
    live('', async (twin) => {
      const made = await Promise.all([makeLink(twin.model), makeLink(twin.model, ['wake'], 'Bob')]);
      await seconds(61);
      for (const { secret } of made) {
        expect((await ask(twin)('GET /link/status', bearer(secret))).status).toBe(200);
      }
    }));

  test('are a hundred at most; those that ended long ago make room', () =>
    live('', async (twin) => {
      for (let n = 0; n < 100; n += 1) await makeLink(twin.model, [], `Ann ${String(n)}`, 1);
      const body = JSON.stringify({ name: 'Bob' });
      expect((await manage(twin)('POST /links', { body })).json).toMatchObject({ error: 'TooManyLinks' });
      for (let n = 0; n < 2; n += 1) await seconds(16 * 86_400);
      expect((await manage(twin)('POST /links', { body })).status).toBe(201);
      expect((await manage(twin)('GET /links')).json.links).toHaveLength(1);
    }));

  test.each(['', 'a\nb', '<b>', 'x'.repeat(41), ' '])('have names that can be shown: not %j', (name) =>
    live('', async (twin) => {
      expect((await manage(twin)('POST /links', { body: JSON.stringify({ name }) })).status).toBe(400);
    }),
  );

  test('expire', () =>
    live('', async (twin) => {
      const { secret } = await makeLink(twin.model, ['wake'], 'Ann', 1);
      await seconds(86_400);
      const refused = await ask(twin)('POST /link/wake', bearer(secret));
      expect([refused.status, refused.json.message]).toEqual([401, expect.stringContaining('expired')]);
      expect(twin.workflows.of('wake')).toEqual([]);
    }));
});

describe('a request by a link', () => {
  test('wakes the cluster, and it is on record who did and why', () =>
    live('', async (twin) => {
      const { secret, id } = await makeLink(twin.model);
      const { status, json } = await ask(twin)('POST /link/wake', { ...bearer(secret), body: '{"reason":"demo"}' });
      expect([status, json.message]).toEqual([202, 'The cluster wakes up']);
      const [wake] = twin.workflows.of('wake');
      expect(JSON.parse(wake!.input)).toEqual({ requestedBy: 'link:Ann', reason: 'demo' });
      expect(kept(twin)).toMatchObject([{ what: 'wake', by: 'link:Ann', link: id, reason: 'demo', status: 202 }]);
      await wake!.over;
    }));

  test.each([
    ['wake', '', ['look', 'keep-awake', 'sleep']],
    ['sleep', '', ['look', 'wake', 'keep-awake']],
    ['keep-awake', '{"hours":2}', ['look', 'wake', 'sleep']],
    ['end-keep-awake', '', ['look', 'wake', 'sleep']],
    ['skip-next', '{"workflow":"sleep"}', ['look', 'wake', 'sleep']],
    ['skip-next', '{"workflow":"wake"}', ['look', 'wake', 'keep-awake']],
    ['unskip', '', ['look', 'wake', 'keep-awake']],
    ['postpone-sleep', '', ['look', 'wake', 'sleep']],
  ] as const)('may %s %s with that right alone, and a refusal is on record', (what, body, others) =>
    live(`${NIGHTS}\nidle: { enabled: true }`, async (twin) => {
      const { secret } = await makeLink(twin.model, others);
      const overrides = twin.model.dynamo.items.get('overrides');
      const { status, json } = await ask(twin)(`POST /link/${what}`, { ...bearer(secret), body });
      expect([status, json.error]).toEqual([403, 'ForbiddenError']);
      expect(twin.model.dynamo.items.get('overrides')).toEqual(overrides);
      expect([...twin.workflows.of('wake'), ...twin.workflows.of('sleep')]).toEqual([]);
      expect(kept(twin)).toMatchObject([{ what, status: 403 }]);
      const { secret: all } = await makeLink(twin.model, ['wake', 'keep-awake', 'sleep']);
      const granted = await ask(twin)(`POST /link/${what}`, { ...bearer(all), body });
      expect([200, 202]).toContain(granted.status);
    }),
  );

  test('by the cookie needs the token of a page that this link was shown', () =>
    live('', async (twin) => {
      const [{ secret }, other] = [await makeLink(twin.model), await makeLink(twin.model, ['wake'], 'Bob')];
      const form = { headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' } };
      const page = await ask(twin)('GET /', cookie(secret));
      const foreign = tokenIn((await ask(twin)('GET /', cookie(other.secret))).text);
      for (const token of ['', 'x', foreign, secret]) {
        const sent = { ...form, ...cookie(secret), body: `token=${token}` };
        const { status, json } = await ask(twin)('POST /link/wake', sent);
        expect([status, json.error]).toEqual([403, 'NotFromPage']);
      }
      expect(twin.workflows.of('wake')).toEqual([]);
      const sent = { ...form, ...cookie(secret), body: `token=${tokenIn(page.text)}&reason=` };
      expect((await ask(twin)('POST /link/wake', sent)).status).toBe(202);
      expect(JSON.parse(twin.workflows.of('wake')[0]!.input)).toEqual({ requestedBy: 'link:Ann' });
    }));

  test('is refused after too many in a minute; other links are not', () =>
    liveAwake('', async (twin) => {
      const [one, other] = [await makeLink(twin.model), await makeLink(twin.model, ['wake'], 'Bob')];
      const serve = ask(twin);
      const answers: number[] = [];
      while (answers.length < 16) answers.push((await serve('POST /link/wake', bearer(one.secret))).status);
      expect(answers.filter((status) => status === 200)).toHaveLength(15);
      expect(answers.at(-1)).toBe(429);
      expect((await serve('POST /link/wake', bearer(other.secret))).status).toBe(200);
      await seconds(60);
      expect((await serve('POST /link/wake', bearer(one.secret))).status).toBe(200);
    }));

  test('waits for the result', () =>
    live('', async (twin) => {
      const { secret } = await makeLink(twin.model);
      const serve = ask(twin);
      const wait = (query = '') => serve('GET /link/wait', { ...bearer(secret), query });
      const asleep = await wait('for=asleep');
      expect(asleep.status).toBe(200);
      await serve('POST /link/wake', bearer(secret));
      const answers = [await wait()];
      while (answers.at(-1)!.status === 202 && answers.length < 100) answers.push(await wait('seconds=20'));
      expect(answers.length).toBeGreaterThan(4);
      expect(answers.at(-1)).toMatchObject({ status: 200, json: { state: 'awake' } });
      expect((await wait('seconds=26')).status).toBe(400);
      expect((await wait('for=dozing')).status).toBe(400);
    }));

  test('is told of a wake that failed, at which step and what to do', () =>
    live('', async (twin) => {
      const { secret } = await makeLink(twin.model);
      twin.model.faults.add({ caller: 'start-seats', with: () => new TypeError('a secret of the inside') });
      await ask(twin)('POST /link/wake', bearer(secret));
      await twin.workflows.of('wake')[0]!.over;
      const { status, json } = await ask(twin)('GET /link/wait', bearer(secret));
      expect([status, json.error]).toEqual([409, 'WakeFailed']);
      expect(json.message).toMatch(/^It failed at “Start the control plane”/);
      const page = await ask(twin)('GET /', cookie(secret));
      expect(page.text).toContain('Could not wake up');
      expect(page.text).toContain('Start the control plane');
      expect(page.text).not.toContain('a secret of the inside');
      expect(page.text).toContain('id="wake"');
    }));
});

describe('looking changes nothing', () => {
  test.each([
    'GET /',
    'GET /link/view',
    'GET /link/status',
    'GET /link/wait',
    'HEAD /',
    'GET /link/wake',
    'HEAD /link/wake',
  ])('%s, by anybody and by every link', (route) =>
    live(NIGHTS, async (twin) => {
      const { secret } = await makeLink(twin.model, ['wake', 'keep-awake', 'sleep']);
      const of = (id: string) => !id.startsWith('link#');
      const before = JSON.stringify([...twin.model.dynamo.items].filter(([id]) => of(id)));
      for (const how of [{}, bearer(secret), cookie(secret), { ...cookie(secret), query: 'problem=page&to=/x' }]) {
        const { status } = await ask(twin)(route, { ...how, ...('query' in how ? {} : { query: 'seconds=0' }) });
        expect(status).toBeLessThan(500);
      }
      expect(JSON.stringify([...twin.model.dynamo.items].filter(([id]) => of(id)))).toBe(before);
      expect([...twin.workflows.of('wake'), ...twin.workflows.of('sleep')]).toEqual([]);
    }),
  );
});
