import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { selfSigned } from './support/certificate';
import { etcdFolder } from './support/etcd-lab';

const QUOTA = 4 << 20;
const ETCD_SH = join(__dirname, '../../userdata/lib/etcd.sh');

let folder: string;
let endpoint: string;
let etcd: ChildProcess;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'drowse-no-space-'));
  mkdirSync(join(folder, 'etcd'));
  const { key, certificate } = selfSigned(join(folder, 'etcd'), 'ca', 'etcd', 'subjectAltName=IP:127.0.0.1');
  for (const name of ['healthcheck-client.crt', 'healthcheck-client.key'])
    execFileSync('cp', [name.endsWith('key') ? key : certificate, join(folder, 'etcd', name)]);
  const [client, peer] = [await freePort(), await freePort()];
  endpoint = `https://127.0.0.1:${String(client)}`;
  const options = {
    name: 'full',
    'data-dir': join(folder, 'data'),
    'listen-client-urls': endpoint,
    'advertise-client-urls': endpoint,
    'listen-peer-urls': `http://127.0.0.1:${String(peer)}`,
    'initial-advertise-peer-urls': `http://127.0.0.1:${String(peer)}`,
    'initial-cluster': `full=http://127.0.0.1:${String(peer)}`,
    'cert-file': certificate,
    'key-file': key,
    'quota-backend-bytes': String(QUOTA),
  };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  etcd = spawn(join(etcdFolder(), 'etcd'), words, { stdio: 'ignore' });
  while (etcdctl('get', 'nothing').status !== 0) expect(etcd.exitCode).toBeNull();
});
afterAll(() => {
  etcd.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

function etcdctl(...words: string[]) {
  const pki = join(folder, 'etcd');
  const tls = [`--cacert=${join(pki, 'ca.crt')}`, `--cert=${join(pki, 'ca.crt')}`, `--key=${join(pki, 'ca.key')}`];
  return spawnSync(join(etcdFolder(), 'etcdctl'), [`--endpoints=${endpoint}`, ...tls, ...words], { encoding: 'utf8' });
}

/** Runs functions of lib/etcd.sh as a seat at this etcd would; its address and port are all that differs. */
function seat(script: string): number | null {
  writeFileSync(
    join(folder, 'seat.sh'),
    `set -o errexit -o nounset -o pipefail; PKI=${folder}; source ${ETCD_SH}; QUORUM_ENDPOINT=${endpoint}; ${script}\n`,
  );
  const { status, stderr } = spawnSync('bash', [join(folder, 'seat.sh')], {
    encoding: 'utf8',
    env: { PATH: `${etcdFolder()}:/usr/bin:/bin` },
  });
  expect(stderr).not.toContain('ETCDCTL_API');
  return status;
}

/** Blocks of commands of a document that name a program. */
function blocksOf(document: string, program: string): string[] {
  const text = readFileSync(join(__dirname, '../../docs', document), 'utf8');
  return [...text.matchAll(/^ *```(?:sh|console)\n(.*?)^ *```/gms)]
    .map(([, block = '']) => block.replaceAll(/^ *\$ /gm, '').replaceAll(/^ +/gm, ''))
    .filter((block) => block.includes(`${program} `));
}

/** Runs what a document tells people to run, beside the etcd of these tests. */
function follow(block: string, cwd: string, env: Record<string, string> = {}) {
  return spawnSync('bash', ['--norc', '-o', 'errexit', '-o', 'pipefail', '-c', block], {
    cwd,
    encoding: 'utf8',
    env: { PATH: `${etcdFolder()}:/usr/bin:/bin`, ETCDCTL_API: '3', ...env },
  });
}

function fill(): string {
  const value = 'x'.repeat(100_000);
  let answer = etcdctl('put', 'some', value);
  while (answer.status === 0) answer = etcdctl('put', 'some', value);
  return answer.stderr;
}

test('what the runbook says of a full etcd makes room', () => {
  expect(fill()).toContain('database space exceeded');
  const [block = '', ...more] = blocksOf('runbook.md', 'etcdctl alarm');
  expect(more).toEqual([]);
  const done = follow(block.replaceAll('/etc/kubernetes/pki/etcd', join(folder, 'etcd')), folder, {
    ETCDCTL_ENDPOINTS: endpoint,
  });
  expect(done.stderr).toBe('');
  expect(done.status).toBe(0);
  expect(done.stdout).toContain('Finished defragmenting etcd member');
  expect(etcdctl('alarm', 'list').stdout).toBe('');
  expect(etcdctl('put', 'some', 'room').status).toBe(0);
});

test('what the runbook says of a look into a snapshot shows what is in it', async () => {
  const work = join(folder, 'look');
  mkdirSync(work);
  expect(etcdctl('put', '/registry/deployments/default/web', 'x').status).toBe(0);
  expect(etcdctl('snapshot', 'save', join(work, 'etcd.db')).status).toBe(0);
  const sha256 = createHash('sha256')
    .update(readFileSync(join(work, 'etcd.db')))
    .digest('hex');
  writeFileSync(join(work, 'manifest.json'), JSON.stringify({ sha256 }));
  const [block = ''] = blocksOf('runbook.md', 'etcdutl snapshot restore');
  // The files are here; and etcd has ports of its own, and is waited for and stopped again.
  const ports = [await freePort(), await freePort()].map((port) => `http://127.0.0.1:${String(port)}`);
  const [client = '', peer = ''] = ports;
  const script = block
    .replace(/^aws s3 cp .*$/m, ':')
    .replace(
      /^(etcd .*) &$/m,
      "$1 2>etcd.log & trap 'kill $!' EXIT\nuntil etcdctl get x >/dev/null 2>&1; do kill -0 $!; done",
    );
  expect(script).toMatch(/^etcd --data-dir restored 2>etcd\.log &/m);
  const done = follow(script, work, {
    ETCDCTL_ENDPOINTS: client,
    ...{ ETCD_LISTEN_CLIENT_URLS: client, ETCD_ADVERTISE_CLIENT_URLS: client, ETCD_LISTEN_PEER_URLS: peer },
  });
  expect(done.stdout).toContain('etcd.db: OK');
  expect(done.stdout).toContain('/registry/deployments/default/web');
  expect(done.status).toBe(0);
});

test('a full etcd: a quorum it has, its snapshot it gives, and with room again it takes changes', () => {
  expect(fill()).toContain('etcdserver: mvcc: database space exceeded');

  // Its health is no proof of a quorum being lost, which is why nobody asks for it.
  expect(etcdctl('endpoint', 'health').status).not.toBe(0);
  const port = new URL(endpoint).port;
  const quorum = `etcdctl() { command etcdctl "\${@//:2379/:${port}}"; }; find_quorum 127.0.0.1`;
  expect(seat(quorum)).toBe(0);
  expect(etcdctl('snapshot', 'save', join(folder, 'snapshot.db')).status).toBe(0);
  expect(seat('alarm_is_raised NOSPACE')).toBe(0);

  // As the API server does every five minutes: without that a defragmentation finds nothing to give back.
  const { stdout } = etcdctl('get', 'some', '--write-out=json', '--keys-only');
  etcdctl('compaction', String((JSON.parse(stdout) as { header: { revision: number } }).header.revision));
  expect(seat('defragment 60')).toBe(0);
  expect(seat('! alarm_is_raised NOSPACE')).toBe(0);
  expect(etcdctl('put', 'some', 'room').status).toBe(0);

  etcd.kill('SIGSTOP');
  const lost = seat(quorum);
  etcd.kill('SIGCONT');
  expect(lost).not.toBe(0);
});
