import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fetchModel, ModelNotFetched } from '../../../apps/ghibli/fetch-model';

const REPOSITORY = path.resolve(__dirname, '..', '..', '..');
const DOCKERFILE = path.join(REPOSITORY, 'apps/ghibli/Dockerfile');

describe('the image', () => {
  const text = readFileSync(DOCKERFILE, 'utf8');
  const instructions = text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => /^[A-Z]+ /.test(line));
  const stages = instructions
    .join('\n')
    .split(/^(?=FROM )/m)
    .slice(1);

  it('passes hadolint', () => {
    const venv = process.env.DROWSE_VENV ?? path.join(REPOSITORY, '.venv');
    const inRepository = { cwd: REPOSITORY, encoding: 'utf8' } as const;
    execFileSync('node_modules/.bin/tsx', ['local/python.ts', 'test/apps/requirements.txt'], inRepository);
    const hadolint = path.join(venv, 'bin', 'hadolint');
    expect(execFileSync(hadolint, ['--no-color', DOCKERFILE], { encoding: 'utf8' })).toBe('');
  });

  it('is made from pinned images', () => {
    const images = instructions.filter((line) => /^ARG \w+_IMAGE=/.test(line)).map((line) => line.split('=')[1]);
    expect(images).toHaveLength(2);
    for (const image of images) expect(image).toMatch(/^docker\.io\/[\w/-]+:\d+\.\d+\.\d+-[\w.-]+$/);
    const { devDependencies } = JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    expect(images[1]).toContain(`node:${String(devDependencies.node)}-`);
  });

  it('runs as nobody in particular, with nothing of the build in it', () => {
    const last = stages.at(-1) ?? '';
    expect(last).toMatch(/^FROM \$\{CUDA_IMAGE\}/);
    expect(last).toMatch(/^USER 10001:10001$/m);
    expect(last).toMatch(/^ENTRYPOINT \["node", "dist\/server\.js"\]$/m);
    expect(last.indexOf('USER')).toBeGreaterThan(last.lastIndexOf('COPY'));
    expect(last).not.toMatch(/npm|apt-get/);
    expect(last).toMatch(/DEVICE=cuda/);
  });

  it('copies only what the stages before it make', () => {
    const names = stages.map((stage) => / AS (\w+)$/m.exec(stage.split('\n')[0] ?? '')?.[1]);
    const copied = [...text.matchAll(/COPY --from=(\w+)/g)].map(([, name]) => name);
    expect(copied.length).toBeGreaterThan(0);
    for (const name of copied) expect(names).toContain(name);
    // Sources that come from the repository are there, and are let through.
    const sources = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, list]) => (list ?? '').split(' '));
    const allowed = readFileSync(`${DOCKERFILE}.dockerignore`, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'));
    for (const source of sources) {
      expect(existsSync(path.join(REPOSITORY, source))).toBe(true);
      expect(allowed.some((line) => source.startsWith(line.slice(1)))).toBe(true);
    }
  });

  it('leaves out what onnxruntime-node has for other systems, under the names that it has', () => {
    const folder = path.join(REPOSITORY, 'node_modules/onnxruntime-node');
    const systems = readdirSync(path.join(folder, 'bin/napi-v6'));
    expect(systems.sort()).toEqual(['darwin', 'linux', 'win32']);
    expect(existsSync(path.join(folder, 'script/install.js'))).toBe(true);
    // The provider that the image checks for is what the script installs on Linux.
    const metadata = readFileSync(path.join(folder, 'script/install-metadata.js'), 'utf8');
    expect(metadata).toContain('./libonnxruntime_providers_cuda.so');
    expect(metadata).toContain("'linux/x64': ['cuda12']");
  });
});

describe('the model that goes into it', () => {
  const model = Buffer.from('not much of a model, but all of it');
  const digest = createHash('sha256').update(model).digest('hex');
  let folder: string;
  let server: Server | undefined;

  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'drowse-model-'));
    jest.spyOn(console, 'error').mockImplementation(() => undefined);
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
  });

  async function serve(listener: RequestListener): Promise<string> {
    const made = createServer(listener);
    server = made;
    await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${String((made.address() as AddressInfo).port)}/model.onnx`;
  }

  it('is fetched and checked, through redirects and a bad moment', async () => {
    let asked = 0;
    const url = await serve((request, response) => {
      asked += 1;
      if (request.url === '/model.onnx') response.writeHead(302, { location: '/elsewhere' }).end();
      else if (asked < 4) response.writeHead(503).end();
      else response.end(model);
    });
    await fetchModel(folder, url, digest, 1);
    expect(readFileSync(path.join(folder, 'generator.onnx')).equals(model)).toBe(true);
    expect(readdirSync(folder)).toEqual(['generator.onnx']);
  });

  it.each([
    ['is another one', 200, 'b'.repeat(64), /has the SHA-256 [0-9a-f]{64}, not b{64}/, 1],
    ['is not there', 404, digest, /answers 404/, 1],
    ['never comes', 503, digest, /answers 503/, 5],
  ])('%s: the build fails, and leaves nothing', async (_what, status, wanted, message, times) => {
    let asked = 0;
    const url = await serve((_request, response) => {
      asked += 1;
      response.writeHead(status).end(model);
    });
    const failure: unknown = await fetchModel(folder, url, wanted, 1).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ModelNotFetched);
    expect((failure as Error).message).toMatch(message);
    expect(asked).toBe(times);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('breaks off each time: the build fails', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write(model);
      setTimeout(() => response.destroy(), 5);
    });
    await expect(fetchModel(folder, url, digest, 1)).rejects.toThrow(ModelNotFetched);
    expect(readdirSync(folder)).toEqual([]);
  });
});
