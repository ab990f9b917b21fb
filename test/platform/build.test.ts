import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildPlatform, fluxYaml } from '../../lib/platform/build';
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
  it('lays the tree and what installs Flux out for the bucket, the same each time', () => {
    const built = buildPlatform(folder);
    const files = readdirSync(built, { recursive: true, encoding: 'utf8' }).sort();
    expect(files).toEqual(
      expect.arrayContaining([
        'bootstrap/flux.yaml',
        'clusters/default/kustomization.yaml',
        'examples/gpu-smoke-test/job.yaml',
      ]),
    );
    const first = readFileSync(path.join(built, 'bootstrap', 'flux.yaml'), 'utf8');
    writeFileSync(path.join(built, 'stale.yaml'), '');
    buildPlatform(folder);
    expect(readdirSync(built, { recursive: true, encoding: 'utf8' }).sort()).toEqual(files);
    expect(readFileSync(path.join(built, 'bootstrap', 'flux.yaml'), 'utf8')).toBe(first);
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
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(report)).toEqual(['documents', 'kinds', 'invalid', 'unresolved', 'images']);
    expect(report).toMatchObject({ invalid: 0, unresolved: 0 });
    expect(status).toBe(0);
  }, 60_000);

  it('fails with the reason', () => {
    const { status, stderr } = run('platform: { overlay: gone }');
    expect(stderr).toMatch(/clusters\/gone\/kustomization\.yaml: no such file/);
    expect(status).toBe(1);
  }, 60_000);
});
