import { readFileSync } from 'node:fs';
import { wantedOf } from '../../lab/binaries/wanted';

/** The programs that these tests run. */
export const PROGRAMS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kubeadm',
  'kubectl',
  'helm',
  'kustomize',
] as const;

/** What main.ts tells the tests of what it has started. */
export interface Server {
  kubeconfig: string;
  /** Certificate of the authority that its controllers sign with. */
  authority: string;
  /** Paths by name. */
  programs: Readonly<Record<(typeof PROGRAMS)[number], string>>;
  /** Folders of unpacked charts, by their names in platform/base/charts.yaml. */
  charts: Readonly<Record<string, string>>;
  /** Folders with definitions of custom resources that no chart carries. */
  definitions: readonly string[];
  /** Room for files; removed at the end. */
  folder: string;
}

/** The environment variable that names the file with a {@link Server}. */
export const SERVER_FILE = 'DROWSE_TEST_SERVER';

/** The server that main.ts started. */
export function readServer(): Server {
  const file = process.env[SERVER_FILE];
  if (file === undefined) throw new Error('These tests need a server: run make test-platform-server');
  return JSON.parse(readFileSync(file, 'utf8')) as Server;
}

/** The Kubernetes version that is tested, without a `v`. */
export function kubernetesVersion(): string {
  return process.env.KUBERNETES ?? wantedOf('kube-apiserver').version;
}
