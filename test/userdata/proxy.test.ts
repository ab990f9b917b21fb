import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { Life } from './support/life';
import { poolData } from './support/nodes';
import { sharedTools } from './support/sandbox';

const PORT = 16_443;
const SEATS = ['127.0.0.2', '127.0.0.3', '127.0.0.4'];

/** An API server, as far as a proxy sees one: TLS, and a health page. */
async function seat(address: string): Promise<Server> {
  const fixtures = `${sharedTools().folder}/fixtures`;
  const [key, cert] = ['ca.key', 'ca.crt'].map((name) => readFileSync(`${fixtures}/${name}`)) as [Buffer, Buffer];
  const server = createServer({ key, cert }, (_request, response) => response.end(address));
  await new Promise<void>((done) => server.listen(PORT, address, done));
  return server;
}

/** Who answers behind the proxy. */
function ask(): Promise<string> {
  return new Promise((done, reject) => {
    request(
      { host: '127.0.0.1', port: PORT, path: '/readyz', agent: false, rejectUnauthorized: false, timeout: 5000 },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => done(body));
      },
    )
      .on('error', reject)
      .end();
  });
}

test('a pool node of three seats reaches the API through the proxy it wrote, whichever seats are dead', async () => {
  const data = poolData({ seats: 3 });
  const life = new Life({ ...data, endpoint: { ...data.endpoint, port: PORT, seats: SEATS } });
  await life.replace();
  life.sandbox.world('api-up');
  life.state.parameters['/drowse/drowse/join/general/i-0aaaaaaaaaaaaaaaa'] = {
    type: 'SecureString',
    value: JSON.stringify({
      endpoint: `api.drowse.drowse.internal:${String(PORT)}`,
      token: 'a.b',
      caHash: 'sha256:0',
      expiresAt: '2099-01-01T00:00:00Z',
    }),
  };
  expect((await life.boot()).code).toBe(0);
  const servers = [await seat(SEATS[0]!), await seat(SEATS[1]!)];
  const haproxy = spawn('haproxy', ['-db', '-f', `${life.sandbox.root}/etc/haproxy/haproxy.cfg`], { stdio: 'pipe' });
  let complaints = '';
  haproxy.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  try {
    // The third seat never lived; it is found out within two failed checks, two seconds apart.
    await pause(5000);
    const answers = await Promise.all(Array.from({ length: 12 }, ask));
    expect(new Set(answers)).toEqual(new Set([SEATS[0], SEATS[1]]));
    servers[0]!.closeAllConnections();
    servers[0]!.close();
    // A connection that is refused is tried again at another seat, before any health check notices.
    expect(await Promise.all(Array.from({ length: 12 }, ask))).toEqual(Array.from({ length: 12 }, () => SEATS[1]));
    expect(complaints).not.toMatch(/\[(ALERT|WARNING)\].*(config|parsing|deprecated)/);
  } finally {
    haproxy.kill('SIGKILL');
    for (const server of servers) server.close();
    await life.end();
  }
});
