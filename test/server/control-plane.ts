import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import getPort from 'get-port';
import { stringify } from 'yaml';
import { CommandFailed, tail } from '../../cli/terminal/errors';
import { ROOT } from '../../local/run/paths';

/** Paths of the programs, by name. */
export type Programs = Readonly<Record<'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kubectl', string>>;

/** An API server that answers, with its etcd and the controllers that make pods of workloads. */
export interface ControlPlane {
  /** A file for `kubectl --kubeconfig`, with every right. */
  kubeconfig: string;
  /** The authority whose certificates it knows clients by, and with which its controllers sign. */
  authority: string;
  /** Ends everything that was started; the files are the caller's to remove. */
  stop: () => Promise<void>;
}

/** How long the whole start may take: a bound for what hangs. */
const START_SECONDS = 300;
const TOKEN = 'only-on-this-machine';

/**
 * Starts etcd, an API server and a controller manager on ports of 127.0.0.1. Admission is what the API server turns on by
 * itself, with the seats’ own configuration: Pod Security, LimitRanger, ResourceQuota, Priority, RuntimeClass, ValidatingAdmissionPolicy.
 * @param folder an empty folder for their files and logs
 * @throws CommandFailed one of them ended, or did not answer
 */
export async function startControlPlane(
  programs: Programs,
  folder: string,
  signal: AbortSignal,
): Promise<ControlPlane> {
  const at = (...names: string[]) => path.join(folder, ...names);
  const [client, peer, api, controllers] = await Promise.all([getPort(), getPort(), getPort(), getPort()]);
  mkdirSync(at('certificates'));
  writeKeys(at('sa.key'), at('sa.pub'));
  writeAuthority(at('ca.key'), at('ca.crt'));
  writeFileSync(at('tokens.csv'), `${TOKEN},admin,admin,system:masters\n`, { mode: 0o600 });
  const kubeconfig = at('admin.conf');
  writeFileSync(kubeconfig, kubeconfigOf(api, at('certificates', 'apiserver.crt')), { mode: 0o600 });

  const children: { name: keyof Programs; child: ChildProcess }[] = [];
  const start = (name: keyof Programs, args: Readonly<Record<string, string>>) => {
    const log = openSync(at(`${name}.log`), 'w');
    const child = spawn(
      programs[name],
      Object.entries(args).map(([option, value]) => `--${option}=${value}`),
      { cwd: folder, stdio: ['ignore', log, log], detached: true },
    );
    children.push({ name, child });
  };
  const stop = async () => {
    // The API server first: without its etcd it would only complain.
    for (const { child } of [...children].reverse()) await end(child);
  };

  try {
    start('etcd', {
      'data-dir': at('etcd'),
      'listen-client-urls': `http://127.0.0.1:${String(client)}`,
      'advertise-client-urls': `http://127.0.0.1:${String(client)}`,
      'listen-peer-urls': `http://127.0.0.1:${String(peer)}`,
      'initial-advertise-peer-urls': `http://127.0.0.1:${String(peer)}`,
      'initial-cluster': `default=http://127.0.0.1:${String(peer)}`,
      'unsafe-no-fsync': 'true',
    });
    start('kube-apiserver', {
      'bind-address': '127.0.0.1',
      'advertise-address': '127.0.0.1',
      'secure-port': String(api),
      'cert-dir': at('certificates'),
      'etcd-servers': `http://127.0.0.1:${String(client)}`,
      'allow-privileged': 'true',
      'authorization-mode': 'Node,RBAC',
      'client-ca-file': at('ca.crt'),
      'enable-bootstrap-token-auth': 'true',
      'admission-control-config-file': path.join(ROOT, 'userdata/files/etc/drowse/kubernetes/admission.yaml'),
      'token-auth-file': at('tokens.csv'),
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': at('sa.pub'),
      'service-account-signing-key-file': at('sa.key'),
      'service-cluster-ip-range': '10.96.0.0/12',
    });
    await ready(programs.kubectl, kubeconfig, children, folder, signal);
    start('kube-controller-manager', {
      kubeconfig,
      'bind-address': '127.0.0.1',
      'secure-port': String(controllers),
      'cert-dir': at('certificates'),
      'service-account-private-key-file': at('sa.key'),
      'cluster-signing-cert-file': at('ca.crt'),
      'cluster-signing-key-file': at('ca.key'),
      'leader-elect': 'false',
      // No kubelet reports for the nodes, and nothing should take them for dead.
      controllers: '*,-node-lifecycle-controller',
    });
    return { kubeconfig, authority: at('ca.crt'), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Waits until the API server says that it is ready. */
async function ready(
  kubectl: string,
  kubeconfig: string,
  children: readonly { name: string; child: ChildProcess }[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const until = Date.now() + START_SECONDS * 1000;
  for (;;) {
    signal.throwIfAborted();
    const dead = children.find(({ child }) => child.exitCode !== null || child.signalCode !== null);
    const log = (name: string) => tail(readFileSync(path.join(folder, `${name}.log`), 'utf8'));
    if (dead)
      throw new CommandFailed(`${dead.name} ended by itself`, 'The last lines of its log say why.', log(dead.name));
    const { status } = spawnSync(kubectl, ['--kubeconfig', kubeconfig, 'get', '--raw', '/readyz']);
    if (status === 0) return;
    if (Date.now() > until) {
      const message = `kube-apiserver was not ready within ${String(START_SECONDS)} s`;
      throw new CommandFailed(message, 'The last lines of its log say why.', log('kube-apiserver'));
    }
    await sleep(500);
  }
}

/** Asks a process to end, and ends it if it does not. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await Promise.race([ended, sleep(5000, undefined, { ref: false })]);
  child.kill('SIGKILL');
  await ended;
}

/** The key pair by which service accounts' tokens are signed and known. */
function writeKeys(privateFile: string, publicFile: string): void {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(privateFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(publicFile, publicKey.export({ type: 'spki', format: 'pem' }));
}

/** A certificate authority of the cluster's. */
function writeAuthority(key: string, certificate: string): void {
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', [...words, '-subj', '/CN=kubernetes', '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
}

function kubeconfigOf(port: number, certificateAuthority: string): string {
  const named = <T>(key: string, value: T) => [{ name: 'test', [key]: value }];
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: named('cluster', {
      server: `https://127.0.0.1:${String(port)}`,
      'certificate-authority': certificateAuthority,
    }),
    users: named('user', { token: TOKEN }),
    contexts: named('context', { cluster: 'test', user: 'test' }),
  });
}
