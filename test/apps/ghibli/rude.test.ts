import http from 'node:http';
import { Painter } from '../../../apps/ghibli/server/painter';
import { landscape } from './photos';
import { run, transform, until, type Running } from './running';

let photo: Buffer;
let server: Running;
const release: (() => void)[] = [];

beforeAll(async () => {
  photo = await (await landscape(160, 120)).jpeg().toBuffer();
  server = await run({ layout: 'nchw' }, { CLIENT_LIMIT: '2', TRUSTED_PROXIES: '1' });
});

afterAll(() => server.stop());

afterEach(() => {
  for (const go of release.splice(0)) go();
  jest.restoreAllMocks();
});

/** From now on each painting waits until the test is over. */
function holdPaintings(): void {
  const { painter } = server;
  const paint = painter.paint.bind(painter);
  jest.spyOn(painter, 'paint').mockImplementation(async (picture) => {
    await new Promise<void>((resolve) => release.push(resolve));
    return paint(picture);
  });
}

/** Sends a photo through a proxy that says whom it serves. */
async function send(forwarded: string, cookie?: string): Promise<{ status: number; error: string | undefined }> {
  const form = new FormData();
  form.append('photo', new Blob([Uint8Array.from(photo)]), 'photo.jpg');
  const answer = await fetch(`${server.base}/api/transform`, {
    method: 'POST',
    body: form,
    headers: { 'x-forwarded-for': forwarded, ...(cookie !== undefined && { cookie }) },
  });
  const body = answer.status === 200 ? {} : ((await answer.json()) as { error: string });
  return { status: answer.status, error: (body as { error?: string }).error };
}

describe('one client that sends without end', () => {
  it('has two photos in the server, whatever it writes into the header, and others are served', async () => {
    holdPaintings();
    const rude = Promise.all([send('203.0.113.7'), send('198.51.100.1, 203.0.113.7')]);
    await until(() => release.length === 1, 'the first is painted');
    await until(async () => (await send('192.0.2.9, 203.0.113.7')).status === 429, 'the third is turned away');
    expect(await send('203.0.113.7')).toEqual({ status: 429, error: 'TooManyOfYours' });
    const other = send('203.0.113.8');
    const keepGoing = setInterval(() => release.splice(0).forEach((go) => go()), 20);
    expect(await other).toEqual({ status: 200, error: undefined });
    expect(await rude).toEqual([
      { status: 200, error: undefined },
      { status: 200, error: undefined },
    ]);
    expect(await send('203.0.113.7')).toEqual({ status: 200, error: undefined });
    clearInterval(keepGoing);
  });
});

describe('one visitor whose address changes', () => {
  const cookieOf = async (headers: Record<string, string> = {}) =>
    (await fetch(server.base, { headers })).headers.get('set-cookie');

  it('has two photos in the server by the cookie of the page, and no more with another cookie', async () => {
    const given = (await cookieOf())!;
    expect(given).toMatch(/^visitor=[\w-]{22}; Path=\/; Max-Age=86400; HttpOnly; SameSite=Strict$/);
    const [cookie] = given.split(';');
    holdPaintings();
    const sent = Promise.all(['203.0.113.7', '203.0.113.8'].map((address) => send(address, `other=1; ${cookie!}`)));
    await until(() => release.length === 1, 'the first is painted');
    await until(async () => (await send('203.0.113.9', cookie)).status === 429, 'the third is turned away');
    expect(await send('203.0.113.9', cookie)).toEqual({ status: 429, error: 'TooManyOfYours' });
    const other = send('203.0.113.9', (await cookieOf())!.split(';')[0]);
    const keepGoing = setInterval(() => release.splice(0).forEach((go) => go()), 20);
    expect(await other).toEqual({ status: 200, error: undefined });
    expect((await sent).map(({ status }) => status)).toEqual([200, 200]);
    clearInterval(keepGoing);
  });

  it('gets one cookie, for HTTPS alone where it came by that', async () => {
    const cookie = (await cookieOf({ 'x-forwarded-proto': 'https' }))!;
    expect(cookie).toMatch(/; Secure$/);
    // No cache between may hand one visitor's cookie to another.
    expect((await fetch(server.base)).headers.get('cache-control')).toBe('private, no-cache');
    expect(await cookieOf({ cookie: cookie.split(';')[0]! })).toBeNull();
    expect(await cookieOf({ cookie: 'visitor=anything' })).toMatch(/^visitor=/);
  });
});

it.each(['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary=""'])(
  'a form without a boundary is no painting: %s',
  async (type) => {
    const paint = jest.spyOn(Painter.prototype, 'paint');
    const answer = await fetch(`${server.base}/api/transform`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: Uint8Array.from(photo),
    });
    expect([answer.status, ((await answer.json()) as { error: string }).error]).toEqual([400, 'BoundaryMissing']);
    expect(paint).not.toHaveBeenCalled();
  },
);

it.each(['/%', '/%zz', '/%00', '/..%2f..%2fetc/passwd', '//', '/%2e%2e/', '/\\', '/api/transform/', '/api/progress/%'])(
  'nothing is at %s',
  async (path) => {
    const status = await new Promise<number>((resolve, reject) => {
      http
        .get(server.base, { path }, (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        })
        .once('error', reject);
    });
    expect(status).toBe(404);
  },
);

it('is still there afterwards', async () => {
  expect((await transform(server.base, photo)).status).toBe(200);
});
