import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { kubectl, must } from './kubectl';
import { kubernetesVersion, readServer } from './server';

/*
 * What a join token is worth to the real API server, controller manager and kubeadm, with the words of the node scripts: what
 * kubeadm grants, what is left of it once a seat has taken automatic approval away, and what the approver makes of the requests.
 */

const { kubeconfig, programs, folder } = readServer();
const USERDATA = path.join(__dirname, '..', '..', 'userdata');
const [SEAT, POOL_NODE] = ['i-0aaaaaaaaaaaaaaaa', 'i-0bbbbbbbbbbbbbbbb'];
const NODE_CLIENT = 'kubernetes.io/kube-apiserver-client-kubelet';
const files = path.join(folder, 'join-token');

beforeAll(() => {
  mkdirSync(files);
  // Where a cluster's authority is: kubeadm puts what this file names into cluster-info.
  const configuration = {
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'InitConfiguration',
    bootstrapTokens: [{ ttl: '1s' }],
  };
  const cluster = {
    apiVersion: 'kubeadm.k8s.io/v1beta4',
    kind: 'ClusterConfiguration',
    kubernetesVersion: `v${kubernetesVersion()}`,
  };
  writeFileSync(path.join(files, 'kubeadm.yaml'), `${stringify(configuration)}---\n${stringify(cluster)}`);
  const words = ['init', 'phase', 'bootstrap-token', '--skip-token-print', '--kubeconfig', kubeconfig];
  execFileSync(programs.kubeadm, [...words, '--config', path.join(files, 'kubeadm.yaml')], { stdio: 'pipe' });
});

/** A token as mint-join-token.sh makes it for an instance. */
function tokenFor(instance: string): string {
  const words = [
    'token',
    'create',
    '--kubeconfig',
    kubeconfig,
    '--ttl',
    '1800s',
    '--groups',
    shell('token_groups', instance),
  ];
  return execFileSync(programs.kubeadm, words).toString().trim();
}

/** Calls a function of userdata/lib/tokens.sh, with the programs of this server. */
function shell(name: string, ...words: string[]): string {
  const script = 'source "$1"; cluster_kubectl() { "${PROGRAM}" --kubeconfig "${FILE}" "$@"; }; "${@:2}"';
  const given = [path.join(USERDATA, 'lib', 'tokens.sh'), name, ...words];
  const env = { ...process.env, PROGRAM: programs.kubectl, FILE: kubeconfig };
  return execFileSync('bash', ['-euc', script, 'bash', ...given], { env }).toString();
}

/** Runs kubectl with a token and nothing else. */
function withToken(token: string, args: readonly string[], input = '') {
  const file = path.join(files, 'token.conf');
  const view = must(['config', 'view', '--raw', '--flatten', '--output', 'json']);
  const config = JSON.parse(view) as { users: { user: object }[] };
  config.users[0]!.user = { token };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return spawnSync(programs.kubectl, ['--kubeconfig', file, ...args], { input, encoding: 'utf8' });
}

let made = 0;

/** Files a kubelet's request for a node's name with a token; returns the request's name. */
async function ask(token: string, node: string): Promise<string> {
  const name = `ask-${String((made += 1))}`;
  const key = path.join(files, `${name}.key`);
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key]);
  const pem = execFileSync('openssl', ['req', '-new', '-key', key, '-subj', `/O=system:nodes/CN=system:node:${node}`]);
  const request = {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: { name },
    spec: { request: pem.toString('base64'), signerName: NODE_CLIENT, usages: ['digital signature', 'client auth'] },
  };
  // The server learns of a token, and of what its groups may, a moment after both were written.
  await until('the request is taken', () => {
    const { status, stderr } = withToken(token, ['create', '--filename', '-'], JSON.stringify(request));
    if (status !== 0 && !/forbidden|unauthorized|must be logged in/i.test(stderr)) throw new Error(stderr);
    return status === 0;
  });
  return name;
}

interface Asked {
  status: { conditions?: { type: string }[]; certificate?: string };
}
const look = (name: string) => JSON.parse(must(['get', 'csr', name, '--output', 'json'])) as Asked;
const isApproved = (name: string) => look(name).status.conditions?.some(({ type }) => type === 'Approved') ?? false;

/** Waits for something that the controllers do, within a bound for what hangs. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 120_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await sleep(200);
  }
}

/** Waits until the controllers have decided on a request that came later: one that they sign by themselves, a node's renewal. */
async function untilLaterOnesAreDecided(): Promise<void> {
  const name = `renewal-${String((made += 1))}`;
  const key = path.join(files, `${name}.key`);
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key]);
  const subject = `/O=system:nodes/CN=system:node:${POOL_NODE}`;
  const pem = execFileSync('openssl', ['req', '-new', '-key', key, '-subj', subject]);
  const spec = {
    request: pem.toString('base64'),
    signerName: NODE_CLIENT,
    usages: ['digital signature', 'client auth'],
  };
  const request = { apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name }, spec };
  const who = ['--as', `system:node:${POOL_NODE}`, '--as-group', 'system:nodes', '--as-group', 'system:authenticated'];
  must(['create', ...who, '--filename', '-'], JSON.stringify(request));
  await until(`${name} is approved`, () => isApproved(name));
}

/** What the approver says of all requests, where a pool node is being launched and a seat is in service. */
function decide(): string[][] {
  const lines = (rows: string[][]) => rows.map((row) => `${row.join('\x1f')}\x1f\n`).join('');
  const now = new Date().toISOString();
  const put = (name: string, text: string) => {
    writeFileSync(path.join(files, name), text);
    return path.join(files, name);
  };
  const words = [
    put('requests.json', must(['get', 'csr', '--output', 'json'])),
    put('retired', ''),
    put(
      'instances',
      lines([
        [SEAT, 'running', 'drowse', '', now, '', '', '', ''],
        [POOL_NODE, 'running', 'drowse', 'gpu', now, '', '', '', ''],
      ]),
    ),
    put(
      'groups',
      lines([
        [SEAT, 'InService', 'drowse-seat-0'],
        [POOL_NODE, 'Pending:Wait', 'drowse-pool-gpu'],
      ]),
    ),
  ];
  const run = execFileSync('/usr/bin/python3', [
    '-I',
    path.join(USERDATA, 'lib/approve.py'),
    'decide',
    ...words,
    'drowse',
  ]);
  return run
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\x1f'));
}

/** What the cluster did with a request for the seat's name while kubeadm's binding was there. */
let before: Asked;

beforeAll(async () => {
  const asked = await ask(tokenFor(POOL_NODE), SEAT);
  await until('kubeadm’s binding has the request approved', () => isApproved(asked));
  before = look(asked);
  shell('take_auto_approval_away');
  // A second time, as after each start of a seat, there is nothing to take.
  shell('take_auto_approval_away');
  const words = ['auth', 'can-i', 'create', 'certificatesigningrequests', '--subresource', 'nodeclient'];
  const who = ['--as', 'system:bootstrap:abcdef', '--as-group', 'system:bootstrappers:kubeadm:default-node-token'];
  await until('the API server has forgotten it', () => kubectl([...words, ...who]).stdout.startsWith('no'));
}, 300_000);

test('as kubeadm leaves it, the cluster signs a seat’s name for the token of a pool node', () => {
  expect(before.status.conditions?.map(({ type }) => type)).toEqual(['Approved']);
});

test('once kubeadm’s binding is gone, a token gets no certificate by itself', async () => {
  const own = await ask(tokenFor(POOL_NODE), POOL_NODE);
  await untilLaterOnesAreDecided();
  expect(look(own).status).toEqual({});
});

test('the approver signs for the token’s own instance, once, and the certificate is that node’s', async () => {
  const token = tokenFor(POOL_NODE);
  const [foreign, own] = [await ask(token, SEAT), await ask(token, POOL_NODE)];
  const verdicts = new Map(decide().map(([name, verdict, reason]) => [name, `${verdict!} ${reason!}`.trim()]));
  expect(verdicts.get(foreign)).toBe('wait the subject is not who asks');
  expect(verdicts.get(own)).toBe('approve');
  must(['certificate', 'approve', own]);
  await until('it is signed', () => look(own).status.certificate !== undefined);
  const pem = Buffer.from(look(own).status.certificate!, 'base64');
  expect(new X509Certificate(pem).subject.split('\n').sort()).toEqual([
    'CN=system:node:' + POOL_NODE,
    'O=system:nodes',
  ]);
  const second = await ask(token, POOL_NODE);
  expect(decide()).toContainEqual([second, 'wait', 'the token has been used']);
  expect(look(foreign).status).toEqual({});
});

test('a token may read what a join needs, and nothing more; deleted, it is nobody', async () => {
  const token = tokenFor(POOL_NODE);
  expect(withToken(token, ['get', 'csr'])).toMatchObject({ status: 0 });
  expect(withToken(token, ['get', 'secrets', '--all-namespaces'])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('Forbidden') as string,
  });
  must([
    '--namespace',
    'kube-system',
    'delete',
    'secret',
    `bootstrap-token-${token.slice(0, 6)}`,
    '--ignore-not-found',
  ]);
  await until('the API server has forgotten the token', () =>
    withToken(token, ['get', 'csr']).stderr.includes('Unauthorized'),
  );
});
