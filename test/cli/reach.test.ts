import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  DescribeLoadBalancersCommand,
  ElasticLoadBalancingV2Client,
  LoadBalancerNotFoundException,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  GetCommandInvocationCommand,
  GetParameterCommand,
  ParameterNotFound,
  SSMClient,
  SendCommandCommand,
  StartSessionCommand,
  TargetNotConnected,
} from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { parse, stringify } from 'yaml';
import { credentialsOf } from '../../cli/drowse/reach/credentials';
import { makeRequest } from '../../cli/drowse/reach/request';
import { kubeconfigFile, mergeText } from '../../cli/drowse/reach/merge';
import { type Entries, entriesOf } from '../../cli/drowse/reach/kubeconfig';
import { type Certified, makeAuthority, makeCertificate } from '../support/certificates';
import { kubectlFile } from '../support/kubectl';
import { answerOf, drowse } from './support';

const CONFIG = ['--config', path.join(__dirname, 'cluster.yaml')];
const ENDPOINT = 'api.drowse.drowse.internal';
const DNS = 'drowse-api-1.elb.us-east-1.amazonaws.com';

const ssm = mockClient(SSMClient);
const ec2 = mockClient(EC2Client);
const elb = mockClient(ElasticLoadBalancingV2Client);
const metadata = { $metadata: {}, message: '' };

const authority = makeAuthority();
const operator = makeCertificate('drowse-operator', { by: authority });

/** What a seat stores. */
function stored({ ca = authority, client = operator }: { ca?: Certified; client?: Certified } = {}): string {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'drowse', cluster: { server: 'https://x:6443', 'certificate-authority-data': encode(ca.cert) } },
    ],
    users: [
      {
        name: 'drowse-operator',
        user: {
          'client-certificate-data': encode(client.cert),
          'client-key-data': encode(client.key),
          exec: { command: 'rm', args: ['-rf', '/'] },
        },
      },
    ],
  });
}

const env = process.env;
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'drowse-reach-'));
  file = path.join(folder, 'config');
  process.env = { ...env, KUBECONFIG: file };
  for (const client of [ssm, ec2, elb]) client.reset();
  ssm.on(GetParameterCommand).resolves({ Parameter: { Value: stored() } });
  elb.on(DescribeLoadBalancersCommand).resolves({ LoadBalancers: [{ DNSName: DNS }] });
  const tag = (Key: string, Value: string) => ({ Key: `drowse:${Key}`, Value });
  const node = (InstanceId: string, ...Tags: object[]) => ({ InstanceId, Tags, State: { Name: 'running' as const } });
  ec2.on(DescribeInstancesCommand).resolves({
    Reservations: [
      {
        Instances: [
          node('i-0a', tag('role', 'seat'), tag('seat', '0'), tag('phase', 'ready')),
          node('i-0b', tag('role', 'pool'), tag('pool', 'gpu')),
          node('i-0c', tag('role', 'pool'), tag('pool', 'gpu')),
        ],
      },
    ],
  });
});
afterEach(() => {
  process.env = env;
  rmSync(folder, { recursive: true });
});

const kubectl = (...args: string[]): string =>
  execFileSync(kubectlFile(), [`--kubeconfig=${file}`, ...args], { encoding: 'utf8' });

describe('drowse kubeconfig', () => {
  test('makes a file that kubectl reads, and that nobody else can', async () => {
    const { code, out } = await drowse('kubeconfig', ...CONFIG);
    expect([code, out]).toEqual([0, expect.stringContaining(`Context drowse in ${file} leads to https://${DNS}:6443`)]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const view = JSON.parse(kubectl('config', 'view', '--raw', '--minify', '-o', 'json')) as Record<string, unknown>;
    expect(view).toMatchObject({
      'current-context': 'drowse',
      clusters: [{ cluster: { server: `https://${DNS}:6443`, 'tls-server-name': ENDPOINT } }],
      users: [{ user: { 'client-key-data': Buffer.from(operator.key).toString('base64') } }],
    });
    expect(readFileSync(file, 'utf8')).not.toMatch(/exec|command/);
  });

  test('keeps what else the file holds, and brings its own up to date', async () => {
    const before = [
      'apiVersion: v1',
      'kind: Config',
      '# of the other team',
      'clusters:',
      '  - { name: other, cluster: { server: "https://other:6443" } } # theirs',
      'users: []',
      'contexts:',
      '  - { name: other, context: { cluster: other, user: other, namespace: theirs } }',
      'current-context: other',
      '',
    ].join('\n');
    writeFileSync(file, before, { mode: 0o644 });
    expect(await drowse('kubeconfig', '--no-use', ...CONFIG)).toMatchObject({ code: 0, err: '' });
    expect(readFileSync(file, 'utf8')).toMatch(/# of the other team[^]*https:\/\/other:6443.*# theirs/);
    expect(kubectl('config', 'current-context')).toBe('other\n');

    kubectl('config', 'set-context', 'drowse', '--namespace=mine');
    elb.on(DescribeLoadBalancersCommand).resolves({ LoadBalancers: [{ DNSName: 'new.example' }] });
    const { answer } = await answerOf('kubeconfig', ...CONFIG);
    expect(answer).toMatchObject({
      file,
      context: 'drowse',
      server: 'https://new.example:6443',
      through: 'load-balancer',
    });
    const { clusters, contexts } = parse(readFileSync(file, 'utf8')) as { clusters: unknown[]; contexts: unknown[] };
    expect([clusters.length, contexts.length]).toEqual([2, 2]);
    expect(kubectl('config', 'current-context')).toBe('drowse\n');
  });

  test('is written through a link to where it leads', async () => {
    mkdirSync(path.join(folder, 'real'));
    writeFileSync(path.join(folder, 'real', 'config'), '');
    symlinkSync(path.join(folder, 'real', 'config'), file);
    expect(await drowse('kubeconfig', ...CONFIG)).toMatchObject({ code: 0 });
    expect(parse(readFileSync(path.join(folder, 'real', 'config'), 'utf8'))).toMatchObject({ kind: 'Config' });
  });

  test.each([
    ['no YAML', 'clusters: [', 1, /cannot be read as a kubeconfig/],
    ['no map', '- 1\n', 1, /it is no map/],
    ['no lists', 'clusters: {a: 1}\n', 1, /clusters is no list/],
    [
      'such a context of something else',
      'contexts: [{name: drowse, context: {cluster: mine}}]\n',
      2,
      /leads elsewhere\nName/,
    ],
  ])('leaves a file alone that is %s', async (_, text, exitCode, said) => {
    writeFileSync(file, text);
    const { code, err } = await drowse('kubeconfig', ...CONFIG);
    expect([code, err, readFileSync(file, 'utf8')]).toEqual([exitCode, expect.stringMatching(said), text]);
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  test('waits for nobody who writes the file', async () => {
    writeFileSync(`${file}.lock`, '');
    const { code, err } = await drowse('kubeconfig', ...CONFIG);
    expect([code, err]).toEqual([1, expect.stringContaining(`delete ${file}.lock`)]);
  });

  test('of several files takes the one that kubectl would', () => {
    writeFileSync(file, '');
    const several = (...names: string[]) => kubeconfigFile({ KUBECONFIG: names.join(':') });
    expect(several('/nowhere/a', file)).toBe(file);
    expect(several('/nowhere/a', '/nowhere/b')).toBe('/nowhere/b');
    expect(kubeconfigFile({})).toMatch(/\/\.kube\/config$/);
  });

  test('is printed as a whole', async () => {
    const { out } = await drowse('kubeconfig', '--stdout', '--context', 'mine', ...CONFIG);
    expect(parse(out)).toMatchObject({ kind: 'Config', 'current-context': 'mine' });
    expect(await answerOf('kubeconfig', '--stdout', ...CONFIG)).toMatchObject({ answer: { kind: 'Config' } });
    expect(existsSync(file)).toBe(false);
  });

  test('names the tunnel where there is no load balancer', async () => {
    elb.on(DescribeLoadBalancersCommand).rejects(new LoadBalancerNotFoundException(metadata));
    const without = path.join(folder, 'without.yaml');
    writeFileSync(without, 'operatorCidrs: []\n');
    const { out } = await drowse('kubeconfig', '--port', '16443', '--config', without);
    expect(out).toMatch(/https:\/\/127\.0\.0\.1:16443, until .*\n.*drowse tunnel --port 16443,/);
  });

  test('says so where there should be one', async () => {
    elb.on(DescribeLoadBalancersCommand).rejects(new LoadBalancerNotFoundException(metadata));
    const { code, err } = await drowse('kubeconfig', ...CONFIG);
    expect([code, err]).toEqual([1, expect.stringMatching(/has no API load balancer now.*\ndrowse wake/)]);
  });

  test('says what to do where no seat has stored anything', async () => {
    ssm.on(GetParameterCommand).rejects(new ParameterNotFound(metadata));
    const { code, err } = await drowse('kubeconfig', ...CONFIG);
    expect([code, err]).toEqual([1, expect.stringMatching(/no certificate for operators yet.*\n.*drowse bootstrap/)]);
  });

  test('has a seat make a certificate where the last one is over', async () => {
    const over = makeCertificate('drowse-operator', { by: authority, hours: -3 });
    ssm
      .on(GetParameterCommand)
      .resolvesOnce({ Parameter: { Value: stored({ client: over }) } })
      .resolves({ Parameter: { Value: stored() } });
    ssm.on(SendCommandCommand).resolves({ Command: { CommandId: 'c-1' } });
    const StandardOutputContent = '{"ok":true,"parameter":"/drowse/drowse/kubeconfig","hours":12}\n';
    ssm.on(GetCommandInvocationCommand).resolves({ Status: 'Success', StandardOutputContent });
    expect(await drowse('kubeconfig', ...CONFIG)).toMatchObject({ code: 0, err: '' });
    expect(ssm.commandCalls(SendCommandCommand).map(({ args }) => args[0].input)).toMatchObject([
      { DocumentName: 'drowse-issue-kubeconfig', InstanceIds: ['i-0a'] },
    ]);
  });

  test('says why where no seat makes one', async () => {
    const over = makeCertificate('drowse-operator', { by: authority, hours: -3 });
    ssm.on(GetParameterCommand).resolves({ Parameter: { Value: stored({ client: over }) } });
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [] });
    const { code, err } = await drowse('kubeconfig', ...CONFIG);
    expect([code, err]).toEqual([1, expect.stringContaining('it is asleep')]);
  });

  test('tells of a certificate that ends soon', async () => {
    const client = makeCertificate('drowse-operator', { by: authority, hours: 0.5 });
    ssm.on(GetParameterCommand).resolves({ Parameter: { Value: stored({ client }) } });
    expect((await drowse('kubeconfig', ...CONFIG)).err).toMatch(/^The certificate ends in 30 min\./);
  });
});

describe('drowse kubeconfig of a cluster that names people', () => {
  const ARN = 'arn:aws:iam::123456789012:user/ann';
  let config: string[];
  let api: HttpServer;
  /** What the API was asked, and what it answers to it, one after the other. */
  const asked: { url: string; request: string }[] = [];
  let answers: ((request: string) => [status: number, body: object])[];

  /** As a seat does: the key of the request, and a name of the cluster's own. */
  const sign = (request: string): [number, object] => {
    const of = (name: string) => path.join(folder, name);
    writeFileSync(of('request.der'), Buffer.from(request, 'base64'));
    writeFileSync(of('ca.crt'), authority.cert);
    writeFileSync(of('ca.key'), authority.key);
    const words = ['-req', '-inform', 'DER', '-in', of('request.der'), '-CA', of('ca.crt'), '-CAkey', of('ca.key')];
    const certificate = execFileSync('openssl', ['x509', ...words, '-days', '1', '-subj', '/CN=ann'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    });
    const expiresAt = new Date(Date.now() + 86_400_000).toISOString();
    return [200, { user: 'ann', groups: ['drowse:operators'], certificate, ca: authority.cert, expiresAt }];
  };
  const wait = (): [number, object] => [202, { user: 'ann', groups: ['drowse:operators'], message: 'wait' }];

  beforeEach(async () => {
    config = ['--config', path.join(folder, 'people.yaml')];
    writeFileSync(path.join(folder, 'people.yaml'), `operatorCidrs: [203.0.113.0/24]\naccess: [{ arn: '${ARN}' }]\n`);
    asked.length = 0;
    answers = [wait, sign];
    api = createHttpServer((incoming, outgoing) => {
      let text = '';
      incoming.on('data', (part: Buffer) => (text += part.toString()));
      incoming.on('end', () => {
        const { request } = JSON.parse(text) as { request: string };
        asked.push({ url: `${incoming.method ?? ''} ${incoming.url ?? ''}`, request });
        const [status, body] = (answers.shift() ?? sign)(request);
        outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', () => resolve()));
    process.env = {
      ...process.env,
      DROWSE_API_URL: `http://127.0.0.1:${String((api.address() as AddressInfo).port)}`,
      AWS_ACCESS_KEY_ID: '123456789012',
      AWS_SECRET_ACCESS_KEY: 'x',
    };
  });
  afterEach(() => new Promise((resolve) => api.close(resolve)));

  test('has a certificate of one’s own signed; the key stays here', async () => {
    const { code, out } = await drowse('kubeconfig', ...config);
    expect([code, out]).toEqual([0, expect.stringContaining('There you are ann, of drowse:operators.')]);
    expect(asked.map(({ url }) => url)).toEqual(['POST /certificates', 'POST /certificates']);
    expect(asked[1]?.request).toBe(asked[0]?.request);
    const view = JSON.parse(kubectl('config', 'view', '--raw', '--minify', '-o', 'json')) as {
      users: [{ user: Record<string, string> }];
    };
    const { 'client-key-data': key = '', 'client-certificate-data': own = '' } = view.users[0].user;
    const certificate = new X509Certificate(Buffer.from(own, 'base64'));
    expect(certificate.subject).toBe('CN=ann');
    expect(certificate.checkPrivateKey(createPrivateKey(Buffer.from(key, 'base64')))).toBe(true);
    // Neither the parameter of the shared administrator nor a seat is asked.
    expect(ssm.calls()).toEqual([]);
  });

  test('says so as JSON', async () => {
    answers = [sign];
    const { answer } = await answerOf('kubeconfig', ...config);
    expect(answer).toMatchObject({ user: 'ann', groups: ['drowse:operators'] });
  });

  test('says who is refused, and leaves the file alone', async () => {
    answers = [() => [403, { error: 'NotMapped', message: `${ARN} is not in access: of cluster.yaml` }]];
    const { code, err } = await drowse('kubeconfig', ...config);
    expect([code, err]).toEqual([1, expect.stringContaining(`${ARN} is not in access: of cluster.yaml`)]);
    expect(existsSync(file)).toBe(false);
  });

  test('takes no certificate of another key, nor of another authority', async () => {
    answers = [() => sign(makeRequest().request)];
    expect((await drowse('kubeconfig', ...config)).err).toMatch(/signed is of no use: its key does not belong/);
    const stranger = makeCertificate('x', { by: authority });
    answers = [(request) => [200, { ...sign(request)[1], ca: stranger.cert }]];
    expect((await drowse('kubeconfig', ...config)).err).toMatch(/signed is of no use: its authority is no certificate/);
  });

  test('--administrator has a seat make the shared one, where no boot has stored any', async () => {
    ssm
      .on(GetParameterCommand)
      .rejectsOnce(new ParameterNotFound(metadata))
      .resolves({ Parameter: { Value: stored() } });
    ssm.on(SendCommandCommand).resolves({ Command: { CommandId: 'c-1' } });
    const StandardOutputContent = '{"ok":true,"parameter":"/drowse/drowse/kubeconfig","hours":12}\n';
    ssm.on(GetCommandInvocationCommand).resolves({ Status: 'Success', StandardOutputContent });
    expect(await drowse('kubeconfig', '--administrator', ...config)).toMatchObject({ code: 0, err: '' });
    expect(asked).toEqual([]);
    expect(ssm.commandCalls(SendCommandCommand)).toHaveLength(1);
  });

  test('of another cluster only that knows whether it names people', async () => {
    answers = [() => [404, { error: 'NoAccess', message: 'nobody' }]];
    const { out } = await drowse('kubeconfig', '--cluster', 'other', ...config);
    expect(out).toContain('Context other in');
    expect(asked).toHaveLength(1);
  });
});

describe('what a seat has stored', () => {
  test.each([
    ['nothing', '', /no certificates and key/],
    ['no YAML', 'a: [', /no certificates and key/],
    ['a bomb of aliases', 'a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]', /no certificates and key/],
    [
      'two clusters',
      stored().replace('clusters:', 'clusters:\n  - { name: x, cluster: {} }'),
      /no certificates and key/,
    ],
    ['an authority that is none', stored({ ca: operator }), /no certificate of one/],
    [
      'a certificate of another authority',
      stored({ client: makeCertificate('x', { by: { ...authority, key: otherKey() } }) }),
      /not signed/,
    ],
    [
      'an expired certificate',
      stored({ client: makeCertificate('x', { by: authority, hours: -3 }) }),
      /expired 3 h ago/,
    ],
    ['a key of something else', stored({ client: { ...operator, key: otherKey() } }), /key does not belong/],
    ['words for a certificate', stored({ client: { ...operator, cert: 'x' } }), /its certificate is none/],
  ])('is refused: %s', (_, text, said) => {
    expect(() => credentialsOf(text, '/drowse/drowse/kubeconfig')).toThrow(said);
  });
});

test('takes three texts of what a seat has stored, and no program that it names', () => {
  const taken = credentialsOf(stored(), '/drowse/drowse/kubeconfig');
  expect(Object.keys(taken).sort()).toEqual(['ca', 'certificate', 'expires', 'key']);
  expect(JSON.stringify(taken)).not.toContain('-rf');
});

function otherKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return privateKey;
}

test('what is merged twice is there once', () => {
  const target = { cluster: 'a', region: 'us-east-1', config: undefined, description: '' };
  const entries: Entries = entriesOf(target, { ca: 'x', certificate: 'y', key: 'z', expires: '' }, 'https://s', 'a');
  const once = mergeText('', { entries, use: true }, 'f');
  expect(mergeText(once, { entries, use: true }, 'f')).toBe(once);
});

/** AWS's plugin as far as drowse sees it: it leads a port of this machine to another one. */
const PLUGIN = `#!/usr/bin/env node
const { appendFileSync } = require('node:fs');
const net = require('node:net');
if (process.argv[2] === '--version') { console.log('1.2.707.0'); process.exit(0); }
appendFileSync(process.env.PLUGIN_LOG, JSON.stringify({ args: process.argv.slice(2), response: process.env.AWS_SSM_START_SESSION_RESPONSE }) + '\\n');
const { Parameters } = JSON.parse(process.argv[6]);
if (process.env.PLUGIN_FAILS) process.exit(7);
if (!Parameters) process.exit(0);
console.log('Port opened');
net.createServer((socket) => socket.pipe(net.connect(Number(process.env.API_PORT), '127.0.0.1')).pipe(socket)).listen(Number(Parameters.localPortNumber[0]), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;

describe('with the Session Manager plugin', () => {
  let log: string;
  beforeEach(() => {
    const bin = path.join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(path.join(bin, 'session-manager-plugin'), PLUGIN);
    chmodSync(path.join(bin, 'session-manager-plugin'), 0o755);
    symlinkSync(kubectlFile(), path.join(bin, 'kubectl'));
    log = path.join(folder, 'plugin.log');
    process.env.PATH = `${bin}:${path.dirname(process.execPath)}:${env.PATH ?? ''}`;
    process.env.PLUGIN_LOG = log;
    ssm.on(StartSessionCommand).resolves({ SessionId: 's-1', StreamUrl: 'wss://x', TokenValue: 'secret' });
  });
  const called = () =>
    JSON.parse(readFileSync(log, 'utf8').split('\n')[0] ?? '') as { args: string[]; response: string };

  test('drowse shell opens one on the node, and no list of processes shows its token', async () => {
    expect(await drowse('shell', 'seat-0', ...CONFIG)).toMatchObject({ code: 0 });
    const { args, response } = called();
    expect(args.slice(0, 3)).toEqual(['AWS_SSM_START_SESSION_RESPONSE', 'us-east-1', 'StartSession']);
    expect(JSON.parse(args[4] ?? '')).toEqual({ Target: 'i-0a' });
    expect(JSON.parse(response)).toEqual({ SessionId: 's-1', StreamUrl: 'wss://x', TokenValue: 'secret' });
    expect(JSON.stringify(args)).not.toContain('secret');
  });

  test('drowse shell asks which of several', async () => {
    const { code, err } = await drowse('shell', 'gpu', ...CONFIG);
    expect([code, err]).toEqual([2, 'There are several nodes gpu\nName one: i-0b, i-0c.\n']);
  });

  test('an agent that is not there', async () => {
    ssm.on(StartSessionCommand).rejects(new TargetNotConnected(metadata));
    const { code, err } = await drowse('shell', 'seat-0', ...CONFIG);
    expect([code, err]).toEqual([1, expect.stringContaining('The agent of Systems Manager on i-0a does not answer')]);
  });

  test('a tunnel whose port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const port = String((server.address() as AddressInfo).port);
    const { code, err } = await drowse('tunnel', '--port', port, ...CONFIG);
    server.close();
    expect([code, err]).toEqual([1, expect.stringMatching(`Port ${port} .*something listens there\n.*--port`)]);
    expect(ssm.commandCalls(StartSessionCommand)).toEqual([]);
  });

  test('a tunnel that ends with an error', async () => {
    process.env.PLUGIN_FAILS = '1';
    const { code, err } = await drowse('tunnel', '--port', '16443', ...CONFIG);
    expect([code, err]).toEqual([1, expect.stringContaining('The tunnel ended with 7')]);
  });

  describe('and an API', () => {
    let api: Server;
    let asked: string[];
    beforeEach(async () => {
      asked = [];
      const { cert, key } = makeCertificate(ENDPOINT, { by: authority });
      api = createServer(
        { cert, key, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
        (request, response) => {
          asked.push(request.url ?? '');
          response.end('fine');
        },
      ).listen(0, '127.0.0.1');
      await new Promise((resolve) => api.once('listening', resolve));
      process.env.API_PORT = String((api.address() as AddressInfo).port);
    });
    afterEach(async () => {
      api.closeAllConnections();
      await new Promise((resolve) => api.close(resolve));
    });

    test('the real kubectl gets through the tunnel, is known by its certificate, and leaves nothing behind', async () => {
      const kubectl = ['kubectl', '--tunnel', ...CONFIG, '--', 'get', '--raw', '/readyz'];
      expect(await drowse(...kubectl)).toMatchObject({ code: 0 });
      expect(asked).toContain('/readyz');
      const { args } = called();
      expect(JSON.parse(args[4] ?? '')).toMatchObject({
        Target: 'i-0a',
        DocumentName: 'AWS-StartPortForwardingSession',
        Parameters: { portNumber: ['6443'] },
      });
      expect(existsSync(file)).toBe(false);
    });

    test('its exit code is kubectl’s', async () => {
      expect((await drowse('kubectl', '--tunnel', ...CONFIG, 'get', '--no-such-flag')).code).toBe(1);
    });
  });
});

test('without the plugin, its install is named', () => {
  const program = path.join(__dirname, '..', '..', 'bin', 'drowse');
  const { status, stderr } = spawnSync(program, ['shell', 'seat-0', ...CONFIG], {
    encoding: 'utf8',
    env: { PATH: '/usr/bin:/bin' },
  });
  expect([status, stderr]).toEqual([
    1,
    expect.stringMatching(/plugin was not found.*\nInstall it: https:\/\/docs\.aws/),
  ]);
});
