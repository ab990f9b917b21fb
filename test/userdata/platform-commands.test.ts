import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { parseConfig } from '../../lib/config/load';
import { exampleConfig } from '../../lib/config/example';
import { FLUX_FILE as INSTALLER, fluxYaml, platformParameter } from '../../lib/platform';
import { packFolder } from '../../lib/archive';
import { killEverywhere } from './support/kill';
import { newCloudState } from './support/cloud-state';
import { CLUSTER_FILE, FLUX_FILE, type Manifest, type Scenario } from './support/cluster-api';
import { Life, livesOfTests } from './support/life';
import { seatData } from './support/nodes';
import { addFakes, type Run } from './support/sandbox';

interface Result {
  ok: boolean;
  ready?: string[];
  leftOut?: string[];
  at?: string;
  error?: string;
  message?: string;
  failed?: { name: string; message: string }[];
}

type Objects = Record<string, Manifest>;

const TOKEN = 'cloudflare-token-of-the-test';
const GIT = { username: 'drowse', password: 'git-password-of-the-test' };
const GRAFANA = '0123-567_9abcdef0123-567_9abcdef';
const NODE = 'i-0aaaaaaaaaaaaaaaa';
const LAYERS = ['apps', 'base', 'calico-crds', 'ingress', 'network', 'network-config'];
const FLUX_YAML = fluxYaml();
/** The same as JSON, which is YAML as well, and takes a tenth of the time to read. */
const FLUX_JSON = JSON.stringify({
  kind: 'List',
  items: parseAllDocuments(FLUX_YAML)
    .map((document) => document.toJS() as object | null)
    .filter((document) => document !== null),
});
const DEPLOYED = { account: '123456789012', elasticIp: '203.0.113.7' };

const FROM_GIT = parseConfig('platform: { source: git, git: { url: "https://example.org/tree" } }');

/** A tree with nothing in it but what installs Flux; what each text packs to is made once. */
function treeOf(fluxYaml: string): { sha256: string; bytes: Buffer } {
  const known = TREES.get(fluxYaml);
  if (known !== undefined) return known;
  const folder = mkdtempSync(join(tmpdir(), 'drowse-tree-'));
  try {
    mkdirSync(join(folder, 'tree', dirname(INSTALLER)), { recursive: true });
    writeFileSync(join(folder, 'tree', INSTALLER), fluxYaml);
    const { file, sha256 } = packFolder(join(folder, 'tree'), folder, 'platform');
    const tree = { sha256, bytes: readFileSync(file) };
    TREES.set(fluxYaml, tree);
    return tree;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const TREES = new Map<string, { sha256: string; bytes: Buffer }>();

/** As a deploy leaves bucket and parameter. @returns the tree's digest */
function deploy(life: Life, fluxYaml: string, config = parseConfig(exampleConfig())): string {
  const { sha256, bytes } = treeOf(fluxYaml);
  life.state.objects[`platform/${sha256}.tar.gz`] = bytes;
  life.state.parameters['/drowse/drowse/platform'] = {
    type: 'String',
    value: JSON.stringify(platformParameter(config, DEPLOYED, sha256)),
  };
  return sha256;
}
const JOB = /name: (flux-installer-[0-9a-f]{8})/.exec(FLUX_YAML)![1]!;

const lives = livesOfTests();
beforeAll(() => {
  addFakes('fakes-platform');
});

/** A seat whose API is up, with the bucket as a deploy leaves it, in a cluster with nothing but its nodes. */
async function newSeat(scenario: Scenario = {}): Promise<Life> {
  const life = new Life(seatData(), newCloudState());
  await life.replace();
  // Each look is three processes, and most tests here wait for a bound.
  life.sandbox.environment = { SLEEP_FACTOR: '100' };
  deploy(life, FLUX_JSON);
  parameter(life, 'cloudflare-token', `${TOKEN}\n`);
  parameter(life, 'git-credentials', JSON.stringify(GIT));
  life.sandbox.world('api-up');
  change(life, (objects) => {
    objects[`Node//${NODE}`] = node(NODE);
  });
  play(life, scenario);
  return life;
}

async function seat(scenario?: Scenario): Promise<Life> {
  const life = await newSeat(scenario);
  lives.push(life);
  return life;
}

/** What a cluster holds once both commands have run; made by them, once. */
let installed: Promise<Record<string, string>> | undefined;
const FILES = [CLUSTER_FILE, FLUX_FILE];

/** A seat of a cluster that slept: everything says Ready, from before. */
async function wokenSeat(scenario: Scenario = {}): Promise<Life> {
  installed ??= newSeat().then(async (life) => {
    expect(await run(life, 'install-network')).toMatchObject({ ok: true });
    expect(await run(life, 'reconcile-platform')).toMatchObject({ ok: true });
    const files = Object.fromEntries(FILES.map((path) => [path, life.sandbox.read(path)]));
    await life.end();
    return files;
  });
  const life = await seat(scenario);
  for (const [path, content] of Object.entries(await installed)) life.sandbox.write(path, content);
  return life;
}

function node(name: string, spec: object = {}): Objects[string] {
  return { metadata: { name, annotations: {} }, spec, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
}

function parameter(life: Life, name: string, value: string): void {
  life.state.parameters[`/drowse/drowse/${name}`] = { type: 'SecureString', value };
}

function play(life: Life, scenario: Scenario): void {
  life.sandbox.world('scenario.json', JSON.stringify(scenario));
}

function objectsOf(life: Life): Objects {
  return life.sandbox.has(CLUSTER_FILE) ? (JSON.parse(life.sandbox.read(CLUSTER_FILE)) as Objects) : {};
}

function change(life: Life, edit: (objects: Objects) => void): void {
  const objects = objectsOf(life);
  edit(objects);
  life.sandbox.write(CLUSTER_FILE, JSON.stringify(objects));
}

function secret(life: Life, name: string): Record<string, string> | undefined {
  const data = objectsOf(life)[`Secret/${name}`]?.data;
  return (
    data && Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]))
  );
}

/** Options that the workflows give as well where there is nothing to say. */
const USUAL: Record<string, string[]> = { 'reconcile-platform': ['--without', 'none'] };

/** The one result line of a command; the exit code must agree with it, and nothing secret be anywhere. */
async function run(life: Life, command: string, ...options: string[]): Promise<Result> {
  const given = options.length > 0 ? options : (USUAL[command] ?? []);
  const done: Run = await life.sandbox.run([`/opt/drowse/commands/${command}.sh`, ...given], { playCurl: true });
  const lines = done.stdout.trimEnd().split('\n');
  if (lines.length !== 1) throw new Error(`not one line: ${done.stdout}${done.stderr}`);
  const result = JSON.parse(lines[0]!) as Result;
  expect(done.code).toBe(result.ok ? 0 : 1);
  const told = [done.stdout, done.stderr, life.sandbox.read(`run/drowse/${command}.log`), ...life.sandbox.calls].join();
  for (const value of [TOKEN, GIT.password, GRAFANA, Buffer.from(TOKEN).toString('base64')])
    expect(told).not.toContain(value);
  expect(readdirSync(join(life.sandbox.root, 'run/drowse/scratch'))).toEqual([]);
  return result;
}

/** Calls that change or ask something, in short. */
function calls(life: Life): string[] {
  return life.sandbox.calls
    .filter((call) => /^(kubectl .*(apply|annotate|patch|delete)|aws|openssl)/.test(call))
    .map((call) =>
      call
        .replace(/--(kubeconfig|request-timeout|namespace|field-manager|output) \S+ ?/g, '')
        .replace(/--(server-side|force-conflicts|overwrite|filename) /g, '')
        .replace(/requestedAt=\S+/, 'requestedAt=NOW')
        .replace(/\/run\/drowse\/scratch\/\d+\//, '')
        .trim(),
    );
}

const REQUESTS = [
  'kubectl annotate kustomizations.kustomize.toolkit.fluxcd.io/platform reconcile.fluxcd.io/requestedAt=NOW',
  'kubectl annotate --selector drowse.dev/layer kustomizations.kustomize.toolkit.fluxcd.io reconcile.fluxcd.io/requestedAt=NOW',
];
const DEPLOYMENT = 'aws ssm GetParameter /drowse/drowse/platform';
const OFFER =
  'kubectl patch externalartifacts.source.toolkit.fluxcd.io platform --subresource status --type merge --patch-file tree-status.json';
const PARAMETERS = ['cloudflare-token', 'git-credentials'].map((name) => `aws ssm GetParameter /drowse/drowse/${name}`);

describe('install-network', () => {
  test('installs Flux, makes the secrets, and waits for the network alone', async () => {
    const life = await seat({ parts: { 'Kustomization/apps': { message: 'no GPU yet' } } });
    const tree = deploy(life, FLUX_YAML);
    const result = await run(life, 'install-network');
    expect(result).toEqual({
      ok: true,
      ready: ['base', 'network', 'network-config'],
      leftOut: [],
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
    });
    expect(calls(life)).toEqual([
      DEPLOYMENT,
      `aws s3 GET platform/${tree}.tar.gz`,
      'kubectl apply flux.yaml',
      PARAMETERS[0],
      'kubectl apply secret.json',
      PARAMETERS[1],
      'kubectl apply secret.json',
      'openssl rand -base64 24',
      'kubectl apply secret.json',
      'kubectl apply cluster.json',
      OFFER,
      ...REQUESTS,
    ]);
    expect(secret(life, 'cert-manager/cloudflare-api-token')).toEqual({ 'api-token': TOKEN });
    expect(secret(life, 'flux-system/git-credentials')).toEqual(GIT);
    expect(secret(life, 'monitoring/grafana-admin')).toEqual({ 'admin-user': 'admin', 'admin-password': GRAFANA });
    expect(life.sandbox.calls.filter((call) => call.includes('annotate'))).toEqual(
      Array<unknown>(2).fill(expect.stringContaining('--field-manager flux-client-side-apply')),
    );
  });

  test('waits until the definitions of Flux are established', async () => {
    const life = await seat({ definitionsAfter: 1 });
    expect(await run(life, 'install-network')).toMatchObject({ ok: true });
    expect(calls(life).filter((call) => call === 'kubectl apply cluster.json')).toHaveLength(2);
  });

  test('gives up on definitions that never come', async () => {
    const life = await seat({ definitionsAfter: 1000 });
    expect(await run(life, 'install-network')).toMatchObject({ error: 'PlatformNotApplied' });
  });

  test('says that the node is not ready, in the kubelet’s words', async () => {
    const life = await seat();
    const message = 'container runtime network not ready: cni plugin not initialized';
    change(life, (objects) => {
      objects[`Node//${NODE}`]!.status = { conditions: [{ type: 'Ready', status: 'False', message }] };
    });
    expect(await run(life, 'install-network')).toMatchObject({
      error: 'PlatformNotReady',
      failed: [{ name: `node/${NODE}`, message }],
    });
  });

  test('names a layer of the network that the tree does not have', async () => {
    const life = await seat({ layers: ['base', 'calico-crds', 'network'] });
    expect(await run(life, 'install-network')).toMatchObject({
      error: 'PlatformNotReady',
      message: '1 of 3 are not ready: network-config',
      failed: [{ name: 'network-config', message: 'there is no such Kustomization' }],
    });
  });

  test.each([
    ['the end of its last attempt', ['applying', 'kubectl: 1\n2\n3\n4\n\nerror: timed out\n'], 'kubectl: 1'],
    ['the last attempt that said anything', ['error: timed out', undefined], undefined],
    ['nothing but what pods wait for', [], undefined],
  ])('says why Flux is not installed: %s', async (_what, jobEnds, first) => {
    const life = await seat({ jobFails: true, jobEnds });
    const words = jobEnds.length === 0 ? ['ImagePullBackOff: no such image'] : ['error: timed out'];
    if (first !== undefined) words.unshift(first, '2', '3', '4');
    expect(await run(life, 'install-network')).toMatchObject({
      error: 'FluxNotInstalled',
      message: `job.batch/${JOB} is failed: BackoffLimitExceeded: Job has reached its limit / ${words.join(' / ')}`,
    });
  });

  test('says why Flux is not installed yet: the image is not there', async () => {
    const life = await seat({ jobHangs: true });
    expect(await run(life, 'install-network')).toMatchObject({
      error: 'FluxNotInstalled',
      message: `job.batch/${JOB} is not complete: ImagePullBackOff: no such image`,
    });
  });

  test('makes a Job again that failed in an earlier run', async () => {
    const life = await seat({ jobFails: true });
    expect(await run(life, 'install-network')).toMatchObject({ error: 'FluxNotInstalled' });
    play(life, {});
    expect(await run(life, 'install-network')).toMatchObject({ ok: true });
    expect(calls(life).filter((call) => call.includes('delete'))).toHaveLength(1);
  });
});

describe('reconcile-platform', () => {
  test('asks for everything once where nothing changed, and changes nothing', async () => {
    const life = await wokenSeat();
    const before = objectsOf(life);
    const started = Date.now();
    expect(await run(life, 'reconcile-platform')).toMatchObject({ ok: true, ready: LAYERS });
    expect(Date.now() - started).toBeLessThan(20_000);
    expect(objectsOf(life)).toEqual(before);
    expect(calls(life)).toEqual([
      DEPLOYMENT,
      // This instance is new, and nothing was kept of the other one.
      `aws s3 GET platform/${treeOf(FLUX_JSON).sha256}.tar.gz`,
      'kubectl apply flux.yaml',
      PARAMETERS[0],
      'kubectl apply secret.json',
      PARAMETERS[1],
      'kubectl apply secret.json',
      'kubectl apply cluster.json',
      ...REQUESTS,
    ]);
  });

  test('does not believe what was said before the request', async () => {
    const life = await wokenSeat({ parts: { 'Kustomization/ingress': { silent: true } } });
    expect(await run(life, 'reconcile-platform')).toMatchObject({
      error: 'PlatformNotReady',
      message: '1 of 6 are not ready: ingress',
      failed: [{ name: 'ingress', message: 'not reconciled since it was asked to; what it said before: Applied' }],
    });
  });

  test('names what fails, with its message, and what holds up the others first', async () => {
    const reason = { reason: 'DependencyNotReady', message: "dependency 'flux-system/ingress' is not ready" };
    const message = 'health check failed: '.padEnd(400, 'x');
    const life = await wokenSeat({
      parts: { 'Kustomization/apps': reason, 'Kustomization/ingress': { reason: 'HealthCheckFailed', message } },
    });
    expect(await run(life, 'reconcile-platform')).toMatchObject({
      ok: false,
      error: 'PlatformNotReady',
      message: '2 of 6 are not ready: ingress, apps',
      failed: [
        { name: 'ingress', message: message.slice(0, 300) },
        { name: 'apps', message: reason.message },
      ],
    });
  });

  test.each([
    ['source', 'GitRepository/platform', 'authentication required'],
    ['platform', 'Kustomization/platform', 'kustomize build failed'],
  ])('stops at the %s, and does not ask the layers', async (name, part, message) => {
    const life = await seat({ parts: { [part]: { message } } });
    if (name === 'source') deploy(life, FLUX_JSON, FROM_GIT);
    expect(await run(life, 'reconcile-platform')).toMatchObject({
      error: 'PlatformNotReady',
      failed: [{ name, message }],
    });
    expect(calls(life)).not.toContain(REQUESTS[1]);
  });

  describe('where the tree has another version of a chart', () => {
    const source: Manifest = {
      kind: 'OCIRepository',
      metadata: {
        name: 'calico',
        generation: 2,
        labels: { 'drowse.dev/pinned': 'true' },
        annotations: { 'drowse.dev/held-for': '[{"ref":{"tag":"v3"}}]' },
      },
      spec: Object.assign({ suspend: true }, { ref: { tag: 'v4' } }),
      status: { observedGeneration: 2, artifact: { path: 'calico.tar.gz' }, conditions: [] },
    };
    const raised = async (scenario?: Scenario): Promise<Life> => {
      const life = await wokenSeat(scenario);
      life.sandbox.write('var/lib/drowse/flux/calico.tar.gz', '');
      // It takes some more looks than the others.
      life.sandbox.environment = { SLEEP_FACTOR: '10' };
      change(life, (objects) => {
        objects['OCIRepository/flux-system/calico'] = structuredClone(source);
      });
      return life;
    };

    test('lets its source go, and asks the layers again once the chart is there', async () => {
      const life = await raised();
      expect(await run(life, 'reconcile-platform')).toEqual({
        ok: true,
        ready: LAYERS,
        leftOut: [],
        at: expect.any(String) as string,
      });
      const patch = 'kubectl patch ocirepositories.source.toolkit.fluxcd.io calico --type merge --patch';
      expect(calls(life).slice(-4)).toEqual([
        REQUESTS[1],
        expect.stringMatching(new RegExp(`^${patch} .*"suspend":null`)),
        // Fetched, and so held for what it is now.
        expect.stringMatching(new RegExp(`^${patch} .*v4.*"suspend":true`)),
        REQUESTS[1],
      ]);
    });

    test('names the chart that cannot be had', async () => {
      const message = 'failed to determine artifact digest: quay.io: no such host';
      const life = await raised({ parts: { 'OCIRepository/calico': { message } } });
      expect(await run(life, 'reconcile-platform')).toMatchObject({
        error: 'PlatformNotReady',
        message: '1 of 1 are not ready: OCIRepository/calico',
        failed: [{ name: 'OCIRepository/calico', message }],
      });
    });
  });

  test('leaves out what a person has suspended', async () => {
    const life = await wokenSeat({ parts: { 'Kustomization/ingress': { silent: true } } });
    change(life, (objects) => {
      objects['Kustomization/flux-system/ingress']!.spec = { suspend: true };
    });
    expect(await run(life, 'reconcile-platform')).toMatchObject({
      ok: true,
      ready: LAYERS.filter((name) => name !== 'ingress'),
    });
  });

  test('is not content with a tree that has no layers', async () => {
    const life = await seat({ layers: [] });
    expect(await run(life, 'reconcile-platform')).toMatchObject({
      error: 'PlatformNotReady',
      failed: [{ name: 'platform', message: 'no Kustomization carries the label drowse.dev/layer' }],
    });
  });

  test('says ApiNotReady where the API is down, and asks the bucket for nothing', async () => {
    const life = await wokenSeat();
    life.sandbox.removePath('test/world/api-up');
    expect(await run(life, 'reconcile-platform')).toMatchObject({ error: 'ApiNotReady' });
    expect(calls(life).filter((call) => !call.includes('PUT logs/'))).toEqual([]);
  });

  test.each([
    'apply',
    'get job.batch',
    'annotate --overwrite',
    'get kustomizations.kustomize.toolkit.fluxcd.io/platform',
    'get --selector drowse.dev/layer',
  ])('says ApiNotReady where the API goes away at: %s', async (apiGoneAt) => {
    const life = await wokenSeat({ apiGoneAt });
    expect(await run(life, 'reconcile-platform')).toMatchObject({ error: 'ApiNotReady' });
  });

  describe('applies nothing but what a deploy named', () => {
    const change: Record<string, [what: (life: Life) => void, message: RegExp]> = {
      'a parameter that is not there': [
        (life) => delete life.state.parameters['/drowse/drowse/platform'],
        /^the parameter \/drowse\/drowse\/platform does not say what to apply \(ParameterNotFound\)$/,
      ],
      'a parameter that names no digest': [
        (life) => {
          const parameter = life.state.parameters['/drowse/drowse/platform']!;
          parameter.value = parameter.value.replace(/"tree":"\w+"/, '"tree":"../node/x"');
        },
        /does not say what to apply \(NotADeployment\)$/,
      ],
      'a tree that is not in the bucket': [
        (life) => {
          deploy(life, FLUX_YAML);
          const others = Object.entries(life.state.objects).filter(([key]) => !key.startsWith('platform/'));
          life.state.objects = Object.fromEntries(others);
        },
        /^the bucket does not give platform\/[0-9a-f]{64}\.tar\.gz with that digest \(NoSuchKey\)$/,
      ],
      'another tree under that name': [
        (life) => {
          const tree = deploy(life, FLUX_YAML);
          life.state.objects[`platform/${tree}.tar.gz`] = treeOf('kind: Written\n').bytes;
        },
        /with that digest \(DigestMismatch\)$/,
      ],
    };
    test.each(Object.entries(change))('%s', async (_what, [happens, message]) => {
      const life = await wokenSeat();
      happens(life);
      expect(await run(life, 'reconcile-platform')).toMatchObject({
        error: 'PlatformMissing',
        message: expect.stringMatching(message) as string,
      });
      expect(calls(life).filter((call) => call.includes('apply'))).toEqual([]);
    });

    test('a tree that was changed on the seat is fetched again', async () => {
      const life = await wokenSeat();
      const tree = deploy(life, FLUX_JSON);
      const file = `var/lib/drowse/flux/externalartifact/flux-system/platform/${tree}.tar.gz`;
      life.sandbox.write(file, 'written');
      expect(await run(life, 'reconcile-platform')).toMatchObject({ ok: true });
      expect(
        createHash('sha256')
          .update(readFileSync(join(life.sandbox.root, file)))
          .digest('hex'),
      ).toBe(tree);
    });

    test('Flux is told of a new tree by its digest, and the old one goes', async () => {
      const life = await wokenSeat();
      const tree = deploy(life, FLUX_YAML);
      expect(await run(life, 'reconcile-platform')).toMatchObject({ ok: true });
      const path = `externalartifact/flux-system/platform/${tree}.tar.gz`;
      expect(objectsOf(life)['ExternalArtifact/flux-system/platform']!.status).toMatchObject({
        artifact: {
          path,
          url: `http://localhost:9090/${path}`,
          digest: `sha256:${tree}`,
          revision: `sha256:${tree}`,
          size: treeOf(FLUX_YAML).bytes.length,
          lastUpdateTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
        },
      });
      expect(readdirSync(join(life.sandbox.root, 'var/lib/drowse/flux', dirname(path)))).toEqual([`${tree}.tar.gz`]);
    });

    test('a tree from Git is asked for, and its digest is Git’s business', async () => {
      const life = await seat();
      deploy(life, FLUX_JSON, FROM_GIT);
      expect(await run(life, 'install-network')).toMatchObject({ ok: true });
      expect(calls(life)).toContain(
        'kubectl annotate GitRepository.source.toolkit.fluxcd.io/platform reconcile.fluxcd.io/requestedAt=NOW',
      );
      expect(calls(life)).not.toContain(OFFER);
    });
  });

  test.each([
    ['an option that it does not have', ['--now', 'yes']],
    ['other nodes than it knows', ['--without', 'storage']],
  ])('refuses %s', async (_what, options) => {
    expect(await run(await seat(), 'reconcile-platform', ...options)).toMatchObject({ error: 'BadArguments' });
  });

  describe('without nodes', () => {
    const needs = (value: string) => ({ 'drowse.dev/needs': value });
    const tree: Scenario = {
      layers: ['apps', 'base', 'certificates', 'ingress', 'issuers'],
      labels: { apps: needs('gpu'), certificates: needs('workers') },
      // A layer in front of what it depends on, so that the order of the list does not decide.
      dependsOn: { apps: ['issuers'], issuers: ['certificates'], certificates: ['base'] },
    };
    const pending = { reason: 'HealthCheckFailed', message: 'no node takes its pods' };
    const blocked = { reason: 'DependencyNotReady', message: "dependency 'flux-system/certificates' is not ready" };

    test('with GPUs it waits for all that needs none, and says what it left out', async () => {
      const life = await seat({ ...tree, parts: { 'Kustomization/apps': pending } });
      expect(await run(life, 'reconcile-platform', '--without', 'gpu')).toMatchObject({
        ok: true,
        ready: ['base', 'certificates', 'ingress', 'issuers'],
        leftOut: ['apps'],
      });
      // They are asked all the same: with the node they get ready by themselves.
      expect(calls(life).slice(-2)).toEqual(REQUESTS);
    });

    test('of any pool it leaves out what depends on them, too, at however many removes', async () => {
      const parts = {
        'Kustomization/apps': blocked,
        'Kustomization/certificates': pending,
        'Kustomization/issuers': blocked,
      };
      const life = await seat({ ...tree, parts });
      expect(await run(life, 'reconcile-platform', '--without', 'workers')).toMatchObject({
        ok: true,
        ready: ['base', 'ingress'],
        leftOut: ['apps', 'certificates', 'issuers'],
      });
    });

    test('it still fails for what needs none of them, and names that alone', async () => {
      const life = await seat({
        ...tree,
        parts: { 'Kustomization/apps': pending, 'Kustomization/ingress': { message: 'chart not found' } },
      });
      expect(await run(life, 'reconcile-platform', '--without', 'gpu')).toMatchObject({
        error: 'PlatformNotReady',
        message: '1 of 5 are not ready: ingress',
        failed: [{ name: 'ingress', message: 'chart not found' }],
      });
    });

    test('it leaves out nothing where they are there', async () => {
      const life = await seat({ ...tree, parts: { 'Kustomization/apps': pending } });
      expect(await run(life, 'reconcile-platform')).toMatchObject({
        error: 'PlatformNotReady',
        failed: [{ name: 'apps', message: pending.message }],
      });
    });
  });

  test('does without secrets whose parameters are not there, and keeps the password that somebody set', async () => {
    const life = await seat();
    const { '/drowse/drowse/platform': platform } = life.state.parameters;
    life.state.parameters = { '/drowse/drowse/platform': platform! };
    expect(await run(life, 'reconcile-platform')).toMatchObject({ ok: true });
    expect(secret(life, 'cert-manager/cloudflare-api-token')).toBeUndefined();
    expect(secret(life, 'flux-system/git-credentials')).toBeUndefined();
    expect(life.sandbox.read('run/drowse/reconcile-platform.log')).toContain(
      'there is no parameter /drowse/drowse/cloudflare-token',
    );
    const own = { 'admin-user': 'me', 'admin-password': 'mine' };
    change(life, (objects) => {
      objects['Secret/monitoring/grafana-admin']!.data = Object.fromEntries(
        Object.entries(own).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
      );
    });
    expect(await run(life, 'reconcile-platform')).toMatchObject({ ok: true });
    expect(secret(life, 'monitoring/grafana-admin')).toEqual(own);
  });

  test.each([
    ['as it is', 'another'],
    ['with the end of line of an editor on Windows', 'another\r\n'],
    ['with blanks around it', ' \tanother  '],
  ])('follows a token that was rotated, %s', async (_what, value) => {
    const life = await wokenSeat();
    parameter(life, 'cloudflare-token', value);
    expect(await run(life, 'reconcile-platform')).toMatchObject({ ok: true });
    expect(secret(life, 'cert-manager/cloudflare-api-token')).toEqual({ 'api-token': 'another' });
  });

  test('takes blanks and line ends off a name and a password for Git, and leaves keys as they are', async () => {
    const life = await wokenSeat();
    const keys = { identity: 'a private key\n', known_hosts: 'host key\n' };
    const given = { ...keys, username: ' me\r\n', password: `${GIT.password} \r\n` };
    parameter(life, 'git-credentials', `${JSON.stringify(given)}\r\n`);
    expect(await run(life, 'reconcile-platform')).toMatchObject({ ok: true });
    expect(secret(life, 'flux-system/git-credentials')).toEqual({ ...keys, username: 'me', password: GIT.password });
  });

  test.each([
    ['not JSON', GIT.password],
    ['not an object of strings', JSON.stringify([GIT.password])],
    ['nested', JSON.stringify({ password: { of: GIT.password } })],
  ])('refuses Git credentials that are %s, without showing them', async (_what, value) => {
    const life = await seat();
    parameter(life, 'git-credentials', value);
    expect(await run(life, 'reconcile-platform')).toMatchObject({
      error: 'SecretNotMade',
      message: 'flux-system/git-credentials cannot be made of the parameter git-credentials',
    });
    const [[key, log] = []] = Object.entries(life.state.objects).filter(([name]) => name.startsWith('logs/'));
    expect(key).toBe(`logs/arn:aws:ec2:us-east-1:123456789012:instance/${NODE}/reconcile-platform.log`);
    expect(log?.toString()).not.toContain(GIT.password);
  });

  test('a parameter that may not be read is an error, not a missing one', async () => {
    const life = await seat();
    life.state.refuse['GetParameter /drowse/drowse/cloudflare-token'] = 'AccessDeniedException';
    expect(await run(life, 'reconcile-platform')).toMatchObject({
      error: 'SecretNotMade',
      message: 'the parameter cloudflare-token cannot be read (AccessDeniedException)',
    });
  });

  test.each([['reconcile-platform'], ['uncordon-nodes']])(
    '%s gives back the nodes that drain-nodes cordoned, and no others',
    async (name) => {
      const life = await wokenSeat();
      const ours = ['i-0bbbbbbbbbbbbbbbb', 'i-0cccccccccccccccc'];
      const theirs = 'i-0dddddddddddddddd';
      life.sandbox.removePath('test/world/scenario.json');
      change(life, (objects) => {
        for (const name of ours) objects[`Node//${name}`] = node(name);
        objects[`Node//${theirs}`] = node(theirs, { unschedulable: true });
      });
      const before = objectsOf(life);
      // Twice: what the first drain cordoned is no person's cordon to the second.
      for (const seconds of ['10', '11'])
        expect(await run(life, 'drain-nodes', '--per-node-seconds', seconds)).toMatchObject({ ok: true });
      for (const name of [...ours, theirs])
        expect(objectsOf(life)[`Node//${name}`]!.spec).toEqual({ unschedulable: true });
      expect(await run(life, name)).toMatchObject({ ok: true });
      expect(objectsOf(life)[`Node//${theirs}`]).toEqual(before[`Node//${theirs}`]);
      for (const name of ours) expect(objectsOf(life)[`Node//${name}`]).toEqual(before[`Node//${name}`]);
    },
  );
});

describe('in a new cluster with a drained node', () => {
  test.each([
    ['install-network', [], 5],
    ['reconcile-platform', ['--without', 'none'], 8],
  ])('%s, killed after each command, and run again, ends like an unbroken run', async (name, words, states) => {
    const report = await killEverywhere({
      name,
      async make() {
        const life = await newSeat();
        life.sandbox.world('no-chance');
        change(life, (objects) => {
          const drained = node('i-0bbbbbbbbbbbbbbbb', { unschedulable: true });
          drained.metadata = {
            name: 'i-0bbbbbbbbbbbbbbbb',
            annotations: { 'drowse.dev/cordoned-by': 'drain-nodes' },
          };
          objects['Node//i-0bbbbbbbbbbbbbbbb'] = drained;
        });
        return life;
      },
      run(life, options) {
        life.sandbox.world('api-up');
        return life.sandbox.run([`/opt/drowse/commands/${name}.sh`, ...words], options);
      },
    });
    expect(report.problems).toEqual([]);
    expect(report.states).toBeGreaterThan(states);
  });
});
