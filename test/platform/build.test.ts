import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tar from 'tar';
import { buildPlatform, FLUX_FILE, fluxYaml, IMAGES_FILE } from '../../lib/platform/build';
import { platformGrants } from '../../lib/platform/grants';
import { parseYaml, toManifest, type Manifest } from '../../lib/platform/manifest';
import { find } from './support';

const ROOT = path.join(__dirname, '..', '..');
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'drowse-platform-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const flux = (): Manifest[] => parseYaml(fluxYaml(), 'flux.yaml').map((document) => toManifest(document, 'flux.yaml'));

describe('buildPlatform', () => {
  it('packs the tree and what installs Flux below one name, which is its digest, the same each time', () => {
    const { file, key, sha256 } = buildPlatform(folder);
    expect(key).toBe(`platform/${sha256}.tar.gz`);
    expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(sha256);
    const files: string[] = [];
    tar.list({ sync: true, file, onReadEntry: (entry) => files.push(entry.path) });
    expect(files).toEqual(
      expect.arrayContaining([
        'platform/bootstrap/flux.yaml',
        'platform/clusters/default/kustomization.yaml',
        'platform/examples/hpa-cpu/load.yaml',
      ]),
    );
    expect(files.filter((one) => !one.startsWith('platform/'))).toEqual([]);
    expect(buildPlatform(folder).sha256).toBe(sha256);
  });

  it('carries the images that the platform runs, one a line', () => {
    const { file } = buildPlatform(folder, [], ['quay.io/a/b:v1', 'ghcr.io/c:2']);
    tar.extract({ sync: true, file, cwd: folder });
    expect(readFileSync(path.join(folder, IMAGES_FILE), 'utf8')).toBe('quay.io/a/b:v1\nghcr.io/c:2\n');
  });

  it('carries the public keys of those whose commits Flux applies', () => {
    const { file, sha256 } = buildPlatform(folder, ['KEY A', 'KEY B']);
    expect(sha256).not.toBe(buildPlatform(folder).sha256);
    tar.extract({ sync: true, file, cwd: folder });
    const installed = parseYaml(readFileSync(path.join(folder, FLUX_FILE), 'utf8'), FLUX_FILE);
    expect(installed).toContainEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'git-signers', namespace: 'flux-system' },
      stringData: { 'signer-0.asc': 'KEY A', 'signer-1.asc': 'KEY B' },
    });
  });
});

describe('what installs Flux', () => {
  it('makes the namespaces first, into which the node scripts put secrets', () => {
    const names = flux()
      .filter(({ kind }) => kind === 'Namespace')
      .map(({ metadata }) => metadata.name);
    expect(names).toEqual(expect.arrayContaining(['flux-system', 'cert-manager', 'monitoring']));
  });

  it('is a Job whose name changes with its content', () => {
    const job = flux().find(({ kind }) => kind === 'Job')!;
    expect(job.metadata.name).toMatch(/^flux-installer-[0-9a-f]{8}$/);
    expect(job.metadata.labels).toEqual({ 'drowse.dev/installs': 'flux' });
  });

  it('binds artifacts and metrics to the loopback', () => {
    const data = find(flux(), 'ConfigMap', 'flux-installer').data as Record<string, string>;
    const patches = data['kustomization.yaml']!;
    expect(patches.match(/--storage-addr=\S+/g)).toEqual(['--storage-addr=127.0.0.1:9090']);
    expect(patches.match(/--metrics-addr=\S+/g)).toEqual(
      [1, 2, 3].map((n) => `--metrics-addr=127.0.0.1:928${String(n)}`),
    );
    expect(data['install.sh']).toMatch(/^#!\/bin\/sh\n/);
    execFileSync('sh', ['-n'], { input: data['install.sh'] });
  });
});

describe('platformGrants', () => {
  const grants = platformGrants({
    cluster: 'drowse',
    account: '123456789012',
    region: 'us-east-1',
    bucketArn: 'arn:aws:s3:::b',
  });

  it('names each statement once and says why', () => {
    const sids = grants.map(({ sid }) => sid);
    expect(new Set(sids).size).toBe(sids.length);
    for (const { sid, why, actions } of grants) {
      expect(sid).toMatch(/^[A-Za-z]+$/);
      expect(why.length).toBeGreaterThan(10);
      expect(actions.filter((action) => action.includes('*'))).toEqual([]);
    }
  });

  it('allows every resource only where an action has no other', () => {
    const open = grants.filter(({ resources }) => resources.includes('*')).flatMap(({ actions }) => actions);
    expect(open.filter((action) => !/:(Describe|GetInstanceTypesFrom)/.test(action))).toEqual([]);
  });

  it('ties whatever changes something to the cluster', () => {
    const changing = grants.filter(({ actions }) =>
      actions.some((action) => /^(ec2|autoscaling):(?!Describe|Get)/.test(action)),
    );
    expect(changing.length).toBeGreaterThan(4);
    for (const { sid, conditions } of changing) {
      if (sid === 'VolumesAreTaggedWhenMade') continue;
      expect(JSON.stringify(conditions)).toContain('drowse:cluster');
    }
  });

  it('never lets anyone in the cluster delete a state volume', () => {
    const deleting = grants.filter(({ actions }) => actions.includes('ec2:DeleteVolume'));
    expect(deleting).toHaveLength(1);
    expect(deleting[0]!.conditions!.StringEquals).toMatchObject({ 'aws:ResourceTag/ebs.csi.aws.com/cluster': 'true' });
  });
});

describe('scripts/platform-check.ts', () => {
  const run = (config: string) => {
    const file = path.join(folder, 'cluster.yaml');
    writeFileSync(file, config);
    return spawnSync(path.join(ROOT, 'node_modules', '.bin', 'tsx'), ['scripts/platform-check.ts'], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, DROWSE_CONFIG: file },
    });
  };

  it('prints one line of JSON', () => {
    const { status, stdout, stderr } = run('');
    expect(stderr).toMatch(/^Platform of cluster drowse in us-east-1, from .*cluster\.yaml\n(notice: .*\n)*$/);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(report)).toEqual(['documents', 'kinds', 'invalid', 'unresolved', 'images', 'notices']);
    expect(report).toMatchObject({ invalid: 0, unresolved: 0 });
    expect(status).toBe(0);
  });

  it('fails with the reason', () => {
    const { status, stderr } = run('platform: { overlay: gone }');
    expect(stderr).toMatch(/platform\.overlay: gone: There is no such folder in platform\/clusters/);
    expect(status).toBe(1);
  });
});
