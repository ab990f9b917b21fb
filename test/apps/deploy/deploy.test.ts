import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Cluster } from '../../../cli/app-deploy/cluster';
import { deploy, type Deployment } from '../../../cli/app-deploy/deploy';
import { CommandFailed, Interrupted } from '../../../cli/terminal/errors';
import { toGit, toStack } from '../../../cli/app-deploy/publish';
import { readRelease, RELEASE_FILE, tagFor, writeRelease } from '../../../cli/app-deploy/release';
import { Shell } from '../../../cli/app-deploy/shell';

const REPOSITORY = path.resolve(__dirname, '..', '..', '..');
const NEW = 'registry.example.com/ghibli:20261120T183005Z-1a2b3c4d5e6f';
const OLD = 'registry.example.com/ghibli:20260101T000000Z-000000000000';
const MODEL = { url: 'https://models.example.com/hayao.onnx', sha256: 'a'.repeat(64) };
const { PATH } = process.env;
let root: string;
let warnings: string[];
let printed: string[];

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'drowse-deploy-'));
  cpSync(path.join(REPOSITORY, 'platform/apps/ghibli'), path.join(root, 'platform/apps/ghibli'), { recursive: true });
  const tools = path.join(root, 'bin');
  mkdirSync(tools);
  for (const name of ['git', 'docker', 'kubectl', 'cdk'])
    symlinkSync(path.join(__dirname, 'fakes', 'tool.sh'), path.join(tools, name));
  Object.assign(process.env, {
    PATH: `${tools}:${String(PATH)}`,
    FAKE_CALLS: path.join(root, 'calls'),
    FAKE_ROOT: root,
  });
  writeFileSync(path.join(root, 'calls'), '');
  runs(OLD);
  warnings = [];
  printed = [];
  writeFileSync(path.join(root, 'deployed'), '');
});

afterEach(() => {
  process.env.PATH = PATH;
  for (const name of ['FAKE_CALLS', 'FAKE_ROOT', 'FAKE_FAIL', 'FAKE_HANG', 'FAKE_DIRTY'])
    Reflect.deleteProperty(process.env, name);
  rmSync(root, { recursive: true, force: true });
});

function runs(image: string): void {
  writeFileSync(path.join(root, RELEASE_FILE), writeRelease(image));
}

function released(): string {
  return readRelease(readFileSync(path.join(root, RELEASE_FILE), 'utf8')).image;
}

/** What was called, without the stamps of time. */
function calls(): string[] {
  const stamp = /\d{4}-\d\d-\d\dT[\d:.]+Z/g;
  return readFileSync(path.join(root, 'calls'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(stamp, '<now>'));
}

/** The image that the tree named at each deployment, in order. */
function deployed(): string[] {
  return readFileSync(path.join(root, 'deployed'), 'utf8').split('\n').slice(0, -1);
}

function deployment(
  changes: { git?: boolean; dryRun?: boolean; signal?: AbortSignal; context?: string } = {},
): Deployment {
  const { git = false, dryRun = false, signal = new AbortController().signal, context } = changes;
  const shell = new Shell({ dryRun, print: (line) => printed.push(line), cwd: root, env: process.env, signal });
  const cluster = new Cluster(shell, context, git);
  return {
    shell,
    cluster,
    publish: git ? toGit : toStack('shop-cluster', 'shop.yaml'),
    root,
    repository: 'registry.example.com/ghibli',
    model: MODEL,
    rolloutSeconds: 600,
    now: () => new Date('2026-11-20T18:30:05.123Z'),
    step: (_title, task) => task(),
    warn: (message) => warnings.push(message),
  };
}

const APPLY = [
  'kubectl -n flux-system annotate --overwrite kustomization.kustomize.toolkit.fluxcd.io/apps reconcile.fluxcd.io/requestedAt=<now>',
  'kubectl -n ghibli get deployment/ghibli -o jsonpath={.spec.template.spec.containers[0].image} --ignore-not-found',
  'kubectl -n ghibli rollout status deployment/ghibli --timeout=600s',
];
const PUBLISH =
  'cdk deploy shop-cluster --exclusively --require-approval=never --progress=events --context config=shop.yaml';
const CHECKS = [
  'git --version',
  'docker --version',
  'docker buildx version',
  'kubectl version --client',
  'kubectl -n flux-system get kustomization.kustomize.toolkit.fluxcd.io/apps -o name',
];
const BUILD = [
  'git rev-parse --short=12 HEAD',
  'git status --porcelain -- apps/ghibli package-lock.json',
  `docker buildx build --platform=linux/amd64 --file=apps/ghibli/Dockerfile --tag=${NEW} --build-arg=MODEL_URL=${MODEL.url} --build-arg=MODEL_SHA256=${MODEL.sha256} --push .`,
];

describe('a deployment', () => {
  it('builds, pushes, publishes, reconciles and waits, in this order', async () => {
    expect(await deploy(deployment())).toBe(NEW);
    expect(calls()).toEqual([...CHECKS, ...BUILD, PUBLISH, ...APPLY]);
    expect(released()).toBe(NEW);
    expect(deployed()).toEqual([NEW]);
    expect(warnings).toEqual([]);
  });

  it('commits and pushes where Flux reads a Git repository', async () => {
    await deploy(deployment({ git: true }));
    expect(calls().slice(8, 13)).toEqual([
      `git status --porcelain -- ${RELEASE_FILE}`,
      `git add ${RELEASE_FILE}`,
      `git commit --quiet --message chore(ghibli): run ${NEW} -- ${RELEASE_FILE}`,
      'git push --quiet',
      expect.stringContaining('annotate --overwrite gitrepository.source.toolkit.fluxcd.io/platform') as string,
    ]);
    expect(deployed()).toEqual([]);
  });

  it('names what is not committed in the tag, and says when there is no model', async () => {
    process.env.FAKE_DIRTY = ' M apps/ghibli/server/app.ts';
    expect(await deploy({ ...deployment(), model: undefined })).toBe(`${NEW}-dirty`);
    expect(calls().some((call) => call.includes('MODEL_URL'))).toBe(false);
    expect(warnings).toEqual([expect.stringContaining('not committed'), expect.stringContaining('model is missing')]);
  });

  it('uses the context that it is given', async () => {
    await deploy(deployment({ context: 'home' }));
    const kubectl = calls().filter((call) => call.startsWith('kubectl -') || call.startsWith('kubectl --'));
    expect(kubectl.length).toBeGreaterThan(3);
    for (const call of kubectl) expect(call).toMatch(/^kubectl --context home /);
  });

  it('only prints, when that is all that is wanted', async () => {
    const before = readFileSync(path.join(root, RELEASE_FILE), 'utf8');
    await deploy(deployment({ dryRun: true }));
    // What the tag is made of is asked; nothing else is called.
    expect(calls()).toEqual(BUILD.slice(0, 2));
    expect(readFileSync(path.join(root, RELEASE_FILE), 'utf8')).toBe(before);
    expect(deployed()).toEqual([]);
    const text = printed.join('\n').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<now>');
    expect(text).toContain(`+ ${String(BUILD[2])}`);
    expect(text).toContain(`+ write ${RELEASE_FILE} (image: ${NEW})`);
    expect(text).toContain(`+ ${PUBLISH}`);
    for (const call of [...CHECKS, ...APPLY.filter((one) => !one.includes('jsonpath'))])
      expect(text).toContain(`+ ${call}`);
    expect(text).toContain("-o 'jsonpath={.spec.template.spec.containers[0].image}'");
  });
});

describe('a deployment that fails', () => {
  it.each([
    ['docker buildx version', /buildx version failed/, /Install the buildx plugin/],
    ['git --version', /git --version failed/, /Install Git/],
    ['get kustomization', /exit code 7/, /Is the cluster awake/],
    ['rev-parse', /git rev-parse/, /clone of the repository/],
    ['buildx build', /docker buildx build failed: exit code 7/, /docker login/],
  ])('at `%s`: nothing has changed', async (step, message, remedy) => {
    process.env.FAKE_FAIL = step;
    const failure: unknown = await deploy(deployment()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CommandFailed);
    expect((failure as CommandFailed).message).toMatch(message);
    expect((failure as CommandFailed).remedy).toMatch(remedy);
    expect((failure as CommandFailed).details).toContain('no luck with');
    expect(released()).toBe(OLD);
    expect(deployed()).toEqual([]);
    expect(calls().some((call) => call.includes('annotate'))).toBe(false);
  });

  it('names every tool that is missing at once', async () => {
    process.env.FAKE_FAIL = '^(docker|kubectl)';
    const failure: unknown = await deploy(deployment()).catch((error: unknown) => error);
    expect((failure as CommandFailed).message.split('\n')).toHaveLength(3);
    rmSync(path.join(root, 'bin', 'docker'));
    process.env.PATH = path.join(root, 'bin') + ':/usr/bin-that-is-not-there';
    const absent: unknown = await deploy(deployment()).catch((error: unknown) => error);
    expect((absent as CommandFailed).message).toContain('docker --version failed: it was not found');
  });

  it('when the image does not become ready: what ran before runs again', async () => {
    const broken = { ...deployment(), repository: 'registry.example.com/broken' };
    const failure: unknown = await deploy(broken).catch((error: unknown) => error);
    expect((failure as CommandFailed).message).toBe('The new image did not become ready');
    expect((failure as CommandFailed).remedy).toMatch(/describe pods/);
    expect(released()).toBe(OLD);
    expect(deployed()).toEqual([NEW.replace('ghibli', 'broken'), OLD]);
    expect(calls().slice(-4)).toEqual([PUBLISH, ...APPLY]);
    expect(calls().filter((call) => /get pods|logs/.test(call))).toHaveLength(2);
    expect(warnings).toEqual([`Going back to ${OLD}.`]);
  });

  it('the first time: nothing runs again, as before', async () => {
    cpSync(path.join(REPOSITORY, 'test/apps/deploy/never-deployed.yaml'), path.join(root, RELEASE_FILE));
    const before = readFileSync(path.join(root, RELEASE_FILE), 'utf8');
    const broken = { ...deployment(), repository: 'registry.example.com/broken' };
    await expect(deploy(broken)).rejects.toThrow('did not become ready');
    expect(readFileSync(path.join(root, RELEASE_FILE), 'utf8')).toBe(before);
    expect(deployed()).toEqual([NEW.replace('ghibli', 'broken'), 'registry.invalid/ghibli:none']);
    expect(calls().filter((call) => call.includes('rollout status'))).toHaveLength(1);
    expect(warnings).toEqual(['Going back to nothing, which is what ran before.']);
  });

  it.each(['cdk deploy', 'annotate --overwrite kustomization', 'rollout status'])(
    'at `%s`, also on the way back: it says so',
    async (step) => {
      process.env.FAKE_FAIL = step;
      const failure: unknown = await deploy(deployment()).catch((error: unknown) => error);
      expect((failure as CommandFailed).message).toMatch(/Going back failed, too/);
      expect((failure as CommandFailed).remedy).toContain(`names ${OLD} again, but ${NEW} may still run`);
      expect(released()).toBe(OLD);
    },
  );

  it.each(['git push', 'git commit'])('at `%s`', async (step) => {
    process.env.FAKE_FAIL = step;
    await expect(deploy(deployment({ git: true }))).rejects.toThrow(/Going back failed, too/);
    expect(released()).toBe(OLD);
  });
});

describe('a deployment that is interrupted', () => {
  it.each([
    ['while it builds', 'buildx build', []],
    ['while it rolls out', 'rollout status', [NEW, OLD]],
  ])('%s: what ran before runs', async (_when, step, uploads) => {
    process.env.FAKE_HANG = step;
    const interruption = new AbortController();
    const done = deploy(deployment({ signal: interruption.signal })).catch((error: unknown) => error);
    while (!calls().some((call) => call.includes(step))) await new Promise((resolve) => setTimeout(resolve, 20));
    delete process.env.FAKE_HANG;
    interruption.abort(new Interrupted('SIGINT'));
    expect(await done).toBeInstanceOf(Interrupted);
    expect(released()).toBe(OLD);
    expect(deployed()).toEqual(uploads);
  });

  /** A configuration that says nothing: the defaults. */
  const configuration = () => {
    writeFileSync(path.join(root, 'cluster.yaml'), '');
    return path.join(root, 'cluster.yaml');
  };

  it('by Ctrl-C: the real command ends with 130, and so does its child', async () => {
    const before = readFileSync(path.join(REPOSITORY, RELEASE_FILE), 'utf8');
    process.env.FAKE_HANG = 'buildx build';
    const child = spawn(
      path.join(REPOSITORY, 'node_modules/.bin/tsx'),
      ['cli/app-deploy/main.ts', '--image', 'registry.example.com/ghibli', '--config', configuration()],
      { cwd: REPOSITORY, env: { ...process.env, CI: 'true', FORCE_COLOR: '1' }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    // A command that ends too early has nothing to be interrupted at.
    while (child.exitCode === null && !calls().some((call) => call.includes('buildx build')))
      await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    // A pipe is no terminal, whatever CI says.
    expect(output).toMatch(/✓ Looking for the cluster \([\d.]+ s\)/);
    expect(output).toMatch(/Interrupted: cleaning up/);
    expect(readFileSync(path.join(REPOSITORY, RELEASE_FILE), 'utf8')).toBe(before);
  });

  it('says what is missing in the configuration', async () => {
    const child = spawn(
      path.join(REPOSITORY, 'node_modules/.bin/tsx'),
      ['cli/app-deploy/main.ts', '--config', configuration()],
      { cwd: REPOSITORY, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(1);
    expect(output).toMatch(/no registry to push to\nSet app\.image in/);
  });
});

describe('a tag', () => {
  it('sorts by time and names the commit', () => {
    expect(tagFor(new Date('2026-11-20T18:30:05.999Z'), '1a2b3c', false)).toBe('20261120T183005Z-1a2b3c');
    // What a registry allows.
    expect(tagFor(new Date(), '1a2b3c4d5e6f', true)).toMatch(/^[\w][\w.-]{0,127}$/);
  });
});
