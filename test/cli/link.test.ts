import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerOf, drowse } from './support';

const LINK = { id: 'ab12', name: 'Ann', rights: ['look', 'wake'], expiresAt: '2026-12-20T08:00:00.000Z' };
const ANSWERS: Record<string, object> = {
  'POST /links': { ...LINK, secret: 'body.signature', message: 'A link for Ann, until 2026-12-20' },
  'GET /links': { links: [{ ...LINK, createdAt: '2026-11-20T08:00:00.000Z', createdBy: 'api:ops' }] },
  'DELETE /links/ab12': { message: 'Link ab12 is revoked' },
  'DELETE /links/all': { message: 'No link that was made before now is valid' },
};

describe('drowse link', () => {
  const env = process.env;
  let server: Server;
  let url: string;
  let asked: [route: string, body: string][];

  beforeEach(async () => {
    asked = [];
    server = createServer((request, response) => {
      const route = `${request.method ?? ''} ${request.url ?? ''}`;
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        asked.push([route, body]);
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(ANSWERS[route] ?? {}));
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    process.env = { ...env, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', DROWSE_API_URL: url };
  });
  afterEach(async () => {
    process.env = env;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  test('makes one, and shows it once: the secret behind the #', async () => {
    const { code, out } = await drowse('link', 'Ann', '--rights', 'wake, keep-awake', '--days', '7');
    expect([code, out]).toEqual([0, expect.stringMatching(/may look, wake the cluster\./)]);
    expect(out.trim().split('\n').at(-1)).toBe(`${url}/#body.signature`);
    expect(asked).toEqual([['POST /links', '{"name":"Ann","rights":["wake","keep-awake"],"days":7}']]);
    const { answer } = await answerOf('link', 'Ann');
    expect(answer).toMatchObject({ url: `${url}/#body.signature` });
    expect(asked[1]).toEqual(['POST /links', '{"name":"Ann","days":30}']);
  });

  test('lists them, and ends one or all', async () => {
    expect((await drowse('link', '--list')).out).toMatch(/ab12.*Ann.*look, wake.*2026-12-20.* ops /);
    expect((await answerOf('link', '--list')).answer).toMatchObject({ links: [LINK] });
    expect((await drowse('link', '--revoke', 'ab12')).out).toContain('Link ab12 is revoked.');
    expect((await drowse('link', '--revoke-all')).out).toContain('No link that was made before now is valid.');
  });

  test.each([
    ['nothing', []],
    ['two things', ['Ann', '--list']],
    ['a right that there is not', ['Ann', '--rights', 'fly']],
    ['no number of days', ['Ann', '--days', 'soon']],
  ])('refuses %s as wrong use', async (_, args) => {
    expect((await drowse('link', ...args)).code).toBe(2);
    expect(asked).toEqual([]);
  });
});
