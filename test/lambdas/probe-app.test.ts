import { createServer as createTcpServer, type Server, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:https';
import { createSecureContext, setDefaultCACertificates, getCACertificates } from 'node:tls';
import type { RequestListener } from 'node:http';
import { handler } from '../../lambdas/probe-app/handler';
import { withClients } from '../../lambdas/shared/clients/clients';
import { environmentOf } from '../../sim/steps';
import { checkCertificate } from '../../lambdas/shared/readiness/checks';
import { getHttps, type HttpsAnswer } from '../../lambdas/shared/clients/https';
import { type Certified, makeAuthority, makeCertificate } from '../support/certificates';
import { begin, live, liveAwake, makeStep } from './support';

const HOST = 'app.example.org';
const DOMAIN = `app: { domain: ${HOST}, email: ops@example.org }`;
const ELASTIC_IP = { publicIp: '203.0.113.7', instanceId: 'i-00000000000000002' };
const GOOD: HttpsAnswer['certificate'] = {
  validTo: '2099-01-01T00:00:00.000Z',
  hostProblem: undefined,
  chainProblem: undefined,
};

describe('probe-app', () => {
  /** Probes a cluster that answers so. */
  const probe = (yaml: string, answer: Partial<HttpsAnswer>, more: object = {}) =>
    liveAwake(yaml, async (twin) => {
      Object.assign(twin.model.outside.answer, answer);
      const leased = await begin(twin, 'wake');
      twin.model.outside.requests.length = 0;
      const step = makeStep(twin.model, 'probe-app');
      const result = await step({ ...leased, elasticIp: ELASTIC_IP, ...more });
      return { result, requests: twin.model.outside.requests };
    });

  test('asks the Elastic IP for the app by its name', async () => {
    await expect(probe(DOMAIN, {})).resolves.toEqual({
      result: { status: 200 },
      requests: [{ address: '203.0.113.7', port: 443, host: HOST, path: '/', timeoutMs: 8000 }],
    });
    const own = await probe('app: { domain: app.example.org, email: a@b.co, probePath: /healthz }', {});
    expect(own.requests).toMatchObject([{ path: '/healthz' }]);
  });

  test('asks where an emulator says, whose Elastic IPs lead nowhere', () =>
    liveAwake(DOMAIN, async (twin) => {
      const environment = { ...environmentOf(twin.model), DROWSE_INGRESS: '127.0.0.1:44300' };
      const leased = await begin(twin, 'wake');
      const asked: unknown[] = [];
      const get = (request: object) => {
        asked.push(request);
        return Promise.resolve(twin.model.outside.answer);
      };
      const step = withClients({ ...twin.model.clients('probe-app'), web: { get } }, () =>
        handler.instance(environment),
      );
      await expect(step({ ...leased, elasticIp: ELASTIC_IP })).resolves.toEqual({ status: 200 });
      expect(asked).toMatchObject([{ address: '127.0.0.1', port: 44300, host: HOST }]);
      const wrong = { ...environment, DROWSE_INGRESS: 'nowhere' };
      expect(() => handler.instance(wrong)).toThrow(expect.objectContaining({ name: 'InvalidEnvironment' }) as Error);
    }));

  test('without a domain any answer of the ingress will do, by the name that the platform gives the app', async () => {
    const certificate = { validTo: '2020-01-01T00:00:00.000Z', hostProblem: 'x', chainProblem: 'y' };
    await expect(probe('', { status: 503, certificate })).resolves.toMatchObject({
      result: { status: 503 },
      requests: [{ host: 'app.drowse.drowse.internal' }],
    });
  });

  test.each([
    ['which was told to', 'app: { probe: none }', {}],
    ['of a platform of its own without a domain', 'platform: { overlay: minimal }', {}],
    ['whose ingress pool is empty', DOMAIN, { elasticIp: { publicIp: '203.0.113.7' } }],
  ])('asks nothing for a cluster %s', async (_which, yaml, more) => {
    await expect(probe(yaml, {}, more)).resolves.toEqual({ result: {}, requests: [] });
  });

  test.each([
    [
      'an expired certificate',
      { certificate: { ...GOOD, validTo: '2026-11-01T10:00:00.000Z' } },
      'CertificateExpired: The certificate of app.example.org expired at 2026-11-01T10:00:00.000Z; cert-manager renews it',
    ],
    [
      "another host's certificate",
      { certificate: { ...GOOD, hostProblem: 'Hostname does not match' } },
      'CertificateNotValid: The certificate is not that of app.example.org: Hostname does not match',
    ],
    [
      'a certificate that nobody trusts',
      { certificate: { ...GOOD, chainProblem: 'DEPTH_ZERO_SELF_SIGNED_CERT' } },
      'CertificateNotValid: The certificate of app.example.org is signed by nobody known: DEPTH_ZERO_SELF_SIGNED_CERT',
    ],
    ['a bad gateway', { status: 502 }, 'AppNotReachable: https://app.example.org/ at 203.0.113.7 answers 502'],
    ['an unknown page', { status: 404 }, 'AppNotReachable: https://app.example.org/ at 203.0.113.7 answers 404'],
    [
      'a redirection elsewhere',
      { status: 302, location: 'https://parked.example.com/' },
      'AppNotReachable: https://app.example.org/ at 203.0.113.7 leads to parked.example.com',
    ],
  ])('names %s', async (_what, answer, told) => {
    await expect(
      probe(DOMAIN, answer).catch((error: unknown) => Promise.reject(new Error(String(error)))),
    ).rejects.toThrow(told);
  });

  test.each([
    ['a login', { status: 401 }],
    ['a redirection on the same host', { status: 308, location: '/en/' }],
  ])('takes %s for an app that is up', async (_what, answer) => {
    await expect(probe(DOMAIN, answer)).resolves.toMatchObject({ result: { status: answer.status } });
  });

  test.each(['letsencrypt-staging', 'self-signed'])('asks for no chain of %s certificates', async (certificates) => {
    const certificate = { ...GOOD, chainProblem: 'SELF_SIGNED_CERT_IN_CHAIN' };
    const yaml = `app: { domain: ${HOST}, email: a@b.co, certificates: ${certificates} }`;
    await expect(probe(yaml, { certificate })).resolves.toMatchObject({ result: { status: 200 } });
  });

  test('does not expect an app whose nodes are missing', async () => {
    const missing = { nodes: { missing: 1 } };
    await expect(probe(DOMAIN, { status: 503 }, missing)).resolves.toMatchObject({ result: { status: 503 } });
  });

  test('says that nothing answers', () =>
    live(DOMAIN, async (twin) => {
      const leased = await begin(twin, 'wake');
      await expect(makeStep(twin.model, 'probe-app')({ ...leased, elasticIp: ELASTIC_IP })).rejects.toMatchObject({
        name: 'AppNotReachable',
        message: 'https://app.example.org/ at 203.0.113.7: no answer within 8 s',
      });
    }));
});

describe('getHttps', () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  const listen = (server: Server) =>
    new Promise<number>((resolve) => {
      servers.push(server);
      server.on('connection', (socket) => sockets.push(socket));
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  const serve = (certified: Certified, listener: RequestListener) => listen(createServer(certified, listener));
  const ok: RequestListener = (_request, response) => response.end('hello');
  const ask = (port: number, timeoutMs = 2000) =>
    getHttps({ address: '127.0.0.1', port, host: HOST, path: '/page?x=1', timeoutMs });
  const trusted = getCACertificates();
  const authority = makeAuthority();

  beforeAll(() => setDefaultCACertificates([authority.cert]));
  afterAll(() => setDefaultCACertificates(trusted));
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  });

  test('sees a site with nothing wrong', async () => {
    const asked: unknown[] = [];
    const port = await serve(makeCertificate(HOST, { by: authority }), (request, response) => {
      const { servername } = request.socket as unknown as { servername: string };
      asked.push([request.method, request.url, request.headers.host, servername]);
      response.writeHead(307, { location: '/there' }).end();
    });
    const answer = await ask(port);
    expect(asked).toEqual([['GET', '/page?x=1', HOST, HOST]]);
    expect(answer).toMatchObject({ status: 307, location: '/there', certificate: GOOD_CHAIN });
    expect(Date.parse(answer.certificate.validTo)).toBeGreaterThan(Date.now());
  });

  test('tells a certificate that expired from one that nobody signed, and from another host’s', async () => {
    const expired = await ask(await serve(makeCertificate(HOST, { hours: -1, by: authority }), ok));
    const check = () => checkCertificate(expired.certificate, { host: HOST, trusted: true, now: Date.now() });
    expect(check).toThrow(/^The certificate of app\.example\.org expired at 20/);
    const alone = await ask(await serve(makeCertificate(HOST), ok));
    expect(alone.certificate).toMatchObject({
      hostProblem: undefined,
      chainProblem: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    const other = await ask(await serve(makeCertificate('other.example.org', { by: authority }), ok));
    expect(other.certificate).toMatchObject({
      hostProblem: expect.stringContaining('other.example.org') as string,
      chainProblem: undefined,
    });
  });

  test('ends without an answer in time, a handshake or a connection', async () => {
    const silent = await serve(makeCertificate(HOST), () => undefined);
    await expect(ask(silent, 300)).rejects.toThrow('no answer within 0.3 s');
    const plain = await listen(createTcpServer((socket) => socket.end('no TLS here')));
    await expect(ask(plain)).rejects.toThrow();
    const context = createSecureContext(makeCertificate('other.example.org'));
    const refusing = createServer({
      SNICallback: (name, done) => done(name === HOST ? new Error('unknown') : null, context),
    });
    await expect(ask(await listen(refusing))).rejects.toThrow();
    const closed = await listen(createTcpServer());
    await new Promise((resolve) => servers.pop()!.close(resolve));
    await expect(ask(closed)).rejects.toThrow('ECONNREFUSED');
  });
});

const GOOD_CHAIN = { hostProblem: undefined, chainProblem: undefined };
