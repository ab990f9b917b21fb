import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { KUBERNETES_MINORS } from '../../core/config/schema';
import { labelsOfPool, PAUSE_IMAGE, type NodeData } from '../../lib/node';
import { poolData, seatData } from '../userdata/support/nodes';

const USERDATA = join(__dirname, '..', '..', 'userdata');
const GOLDEN = join(__dirname, 'golden');
const TOKEN = { token: 'abcdef.0123456789abcdef', caHash: `sha256:${'0'.repeat(64)}` };
/** A patch release of each minor; the manifests of the real kubeadm are of these, too. */
const VERSIONS: Record<(typeof KUBERNETES_MINORS)[number], string> = {
  '1.35': '1.35.4',
  '1.36': '1.36.3',
  '1.37': '1.37.0',
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** Renders as a node does, and gives the files by name. */
function render(data: object, more: object = {}): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'drowse-render-'));
  folders.push(folder);
  const [node, extra, output] = ['node.json', 'more.json', 'output'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(node, JSON.stringify(data));
  writeFileSync(extra, JSON.stringify(more));
  execFileSync(
    'python3',
    [join(USERDATA, 'lib/render.py'), join(USERDATA, 'templates'), output, node, join(__dirname, 'facts.json'), extra],
    {
      stdio: 'pipe',
    },
  );
  return filesBelow(output);
}

function filesBelow(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [
        join(entry.parentPath, entry.name).slice(folder.length + 1),
        readFileSync(join(entry.parentPath, entry.name), 'utf8'),
      ]),
  );
}

/** Everything that a node of each kind renders. */
function everything(version: string): Record<string, string> {
  const named = (prefix: string, files: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${prefix}/${name}`, text]));
  return {
    ...named('seat', render(seatData(0, 3, version))),
    ...named('seat', render(seatData(1, 3, version), TOKEN)),
    ...named('gpu', render(poolData({ gpu: true, version }))),
    ...named('gpu', render(poolData({ gpu: true, version }), TOKEN)),
  };
}

interface Argument {
  name: string;
  value: string;
}
interface InitDocuments {
  cluster: {
    etcd: { local: { extraArgs: Argument[]; dataDir: string; peerCertSANs: string[] } };
    apiServer: { extraArgs: Argument[] };
  };
  kubelet: { evictionHard: object; shutdownGracePeriod: string };
}

function initDocuments(text: string): InitDocuments {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as { kind: string });
  const of = (kind: string): unknown => documents.find((document) => document.kind === kind);
  return {
    cluster: of('ClusterConfiguration') as InitDocuments['cluster'],
    kubelet: of('KubeletConfiguration') as InitDocuments['kubelet'],
  };
}

describe.each(KUBERNETES_MINORS)('Kubernetes %s', (minor) => {
  const rendered = everything(VERSIONS[minor]);

  test('the rendered files are the golden ones', () => {
    const folder = join(GOLDEN, minor);
    if (process.env.UPDATE_GOLDEN === '1') {
      for (const [name, text] of Object.entries(rendered)) {
        mkdirSync(join(folder, name, '..'), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
    }
    const golden = Object.fromEntries(
      Object.entries(filesBelow(folder)).filter(([name]) => !name.startsWith('from-kubeadm/')),
    );
    expect(rendered).toEqual(golden);
  });

  test('every document is YAML that parses', () => {
    for (const [name, text] of Object.entries(rendered)) {
      for (const document of parseAllDocuments(text))
        expect({ name, errors: document.errors }).toEqual({ name, errors: [] });
    }
  });

  test('the real kubeadm passes our arguments on to etcd and the API server', () => {
    const { cluster } = initDocuments(rendered['seat/kubeadm-init.yaml']!);
    const flags = (component: string): string =>
      readFileSync(join(GOLDEN, minor, 'from-kubeadm', `${component}.yaml`), 'utf8');
    for (const { name, value } of cluster.etcd.local.extraArgs)
      expect(flags('etcd')).toContain(`- --${name}=${value}\n`);
    expect(flags('etcd')).toContain(`- --data-dir=${cluster.etcd.local.dataDir}\n`);
    for (const { name, value } of cluster.apiServer.extraArgs)
      expect(flags('kube-apiserver')).toContain(`- --${name}=${value}\n`);
  });
});

test('rendering depends on nothing but its input', () => {
  expect(everything('1.36.3')).toEqual(everything('1.36.3'));
});

test('a first seat and its shared configuration differ only in the addresses of that instance', () => {
  const files = render(seatData(0, 3));
  expect(initDocuments(files['kubeadm-init.yaml']!).cluster.etcd.local.peerCertSANs).toEqual([
    '10.0.0.10',
    '10.0.0.77',
  ]);
  expect(initDocuments(files['kubeadm-shared.yaml']!).cluster.etcd.local.peerCertSANs).toEqual([]);
});

test('the labels that a node registers with are those that its group is tagged with', () => {
  const data = poolData({ gpu: true });
  const [document] = parseAllDocuments(render(data, TOKEN)['kubeadm-join.yaml']!);
  const labels = (document!.toJS() as { nodeRegistration: { kubeletExtraArgs: Argument[] } }).nodeRegistration
    .kubeletExtraArgs[2]!.value;
  expect(Object.fromEntries(labels.split(',').map((label) => label.split('=')))).toEqual(labelsOfPool(data.pool!));
});

test('an interruption notice of two minutes covers the graceful shutdown', () => {
  expect(initDocuments(render(seatData())['kubeadm-init.yaml']!).kubelet.shutdownGracePeriod).toBe('90s');
});

test('values cannot break out of their place', () => {
  const nasty: NodeData = poolData();
  nasty.pool!.labels = { key: 'a", "b": [1]\n}' };
  const [document] = parseAllDocuments(render(nasty, TOKEN)['kubeadm-join.yaml']!);
  expect(
    (document!.toJS() as { nodeRegistration: { kubeletExtraArgs: Argument[] } }).nodeRegistration.kubeletExtraArgs[2]!
      .value,
  ).toContain('key=a", "b": [1]\n}');
});

test('a template that names an unknown value is an error', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drowse-templates-'));
  folders.push(folder);
  cpSync(join(USERDATA, 'templates'), folder, { recursive: true });
  writeFileSync(join(folder, 'seat', 'kubeadm-init.yaml'), 'a: {{ nobody }}\n');
  writeFileSync(join(folder, 'node.json'), JSON.stringify(seatData()));
  const result = spawnSync('python3', [
    join(USERDATA, 'lib/render.py'),
    folder,
    join(folder, 'out'),
    join(folder, 'node.json'),
    join(__dirname, 'facts.json'),
  ]);
  expect(result.status).not.toBe(0);
  expect(result.stderr.toString()).toContain('nothing is called nobody');
  expect(existsSync(join(folder, 'out', 'kubeadm-init.yaml'))).toBe(false);
});

test('containerd keeps the pause image that install pulls', () => {
  const config = readFileSync(join(USERDATA, 'files/etc/containerd/config.toml'), 'utf8');
  expect(config).toContain(`sandbox = '${PAUSE_IMAGE}'`);
  expect(config).toMatch(/^version = 4$/m);
  expect(config).toContain('SystemdCgroup = true');
});
