import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { DIST } from '../../../apps/ghibli/build';
import { Painter, type Painting } from '../../../apps/ghibli/server/painter';
import { writeGenerator } from './generator';
import { landscape } from './photos';
import { metric, progressOf, run, transform, until, type Running } from './running';

// Machines that run tests are slow at times; what must be quick says so itself.

let photo: Buffer;
let server: Running | undefined;
let release: (() => void)[] = [];

beforeAll(async () => {
  photo = await (await landscape(320, 240)).jpeg().toBuffer();
});

afterEach(async () => {
  jest.restoreAllMocks();
  for (const go of release) go();
  release = [];
  await server?.stop();
  server = undefined;
});

/** From now on each painting waits until it is told to go on; gives the number of those that have begun. */
function holdPaintings(painter: Painter): () => number {
  let begun = 0;
  const paint = painter.paint.bind(painter);
  jest.spyOn(painter, 'paint').mockImplementation(async (picture): Promise<Painting> => {
    begun += 1;
    await new Promise<void>((resolve) => release.push(resolve));
    return paint(picture);
  });
  return () => begun;
}

function letGo(): void {
  release.shift()?.();
}

describe('the queue', () => {
  it('paints twenty at once one by one, or turns away who finds no room', async () => {
    server = await run({ layout: 'nchw' });
    const { painter, base } = server;
    let atOnce = 0;
    let most = 0;
    const paint = painter.paint.bind(painter);
    jest.spyOn(painter, 'paint').mockImplementation(async (picture) => {
      most = Math.max(most, (atOnce += 1));
      const painting = await paint(picture);
      await new Promise((resolve) => setTimeout(resolve, 100));
      atOnce -= 1;
      return painting;
    });
    const answers = await Promise.all(Array.from({ length: 20 }, async () => transform(base, photo)));
    const painted = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status === 429);
    expect(painted.length + refused.length).toBe(20);
    expect(painted.length).toBeGreaterThanOrEqual(9);
    expect(refused.length).toBeGreaterThan(0);
    expect(most).toBe(1);
    for (const { headers, problem } of refused) {
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(problem.error).toBe('QueueFull');
      expect(problem.remedy).toMatch(/Try again in/);
    }
    expect(await metric(base, 'ghibli_requests_total{status="200"}')).toBe(painted.length);
    expect(await metric(base, 'ghibli_requests_total{status="429"}')).toBe(refused.length);
    expect(await metric(base, 'ghibli_inference_seconds_count')).toBe(painted.length);
    expect((await transform(base, photo)).status).toBe(200);
  });

  it('tells each photo where it is', async () => {
    server = await run({ layout: 'nhwc' });
    const { base, painter } = server;
    const begun = holdPaintings(painter);
    const first = transform(base, photo, { job: 'first-photo' });
    await until(() => begun() === 1, 'the first is being painted');
    const second = transform(base, photo, { job: 'second-photo' });
    const third = transform(base, photo, { job: 'third-photo' });
    await until(async () => (await progressOf(base, 'third-photo'))?.stage === 'waiting', 'the third is waiting');
    await until(async () => (await progressOf(base, 'second-photo'))?.stage === 'waiting', 'the second is waiting');
    const painting = await progressOf(base, 'first-photo');
    expect(painting?.stage).toBe('painting');
    const waiting = await Promise.all(['second-photo', 'third-photo'].map((job) => progressOf(base, job)));
    const ahead = waiting.map((progress) => (progress?.stage === 'waiting' ? progress.ahead : -1));
    expect([...ahead].sort()).toEqual([1, 2]);
    const expected = waiting
      .map((progress) => (progress?.stage === 'waiting' ? progress.expectedMs : -1))
      .sort((a, b) => a - b);
    expect(expected[1]).toBeGreaterThan(expected[0] ?? Infinity);
    expect(await metric(base, 'ghibli_queue_depth')).toBe(2);
    for (const count of [2, 3]) {
      letGo();
      await until(() => begun() === count, 'the next is being painted');
    }
    letGo();
    expect((await Promise.all([first, second, third])).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await progressOf(base, 'first-photo')).toBeUndefined();
  });

  it('forgets a photo whose sender has gone, before and while it is painted', async () => {
    server = await run({ layout: 'nhwc' });
    const { base, painter } = server;
    const begun = holdPaintings(painter);
    const [painting, waiting] = [new AbortController(), new AbortController()];
    const first = transform(base, photo, { job: 'being-painted', signal: painting.signal });
    await until(() => begun() === 1, 'the first is being painted');
    const second = transform(base, photo, { job: 'in-the-queue', signal: waiting.signal });
    await until(async () => (await progressOf(base, 'in-the-queue'))?.stage === 'waiting', 'the second is waiting');
    const last = transform(base, photo, { job: 'patient-one' });
    await until(async () => (await progressOf(base, 'patient-one'))?.stage === 'waiting', 'the third is waiting');
    waiting.abort();
    painting.abort();
    await Promise.allSettled([first, second]);
    await until(async () => (await progressOf(base, 'in-the-queue')) === undefined, 'the second is forgotten');
    letGo();
    await until(() => begun() === 2, 'the third is being painted');
    letGo();
    expect((await last).status).toBe(200);
    // The one in the queue was never painted.
    expect(begun()).toBe(2);
    await until(async () => (await metric(base, 'ghibli_requests_total{status="499"}')) === 2, 'both are counted');
    expect(await metric(base, 'ghibli_photos')).toBe(0);
  });

  it('forgets an upload that breaks off', async () => {
    server = await run({ layout: 'nhwc' });
    const { base } = server;
    const upload = request(`${base}/api/transform`, {
      method: 'POST',
      headers: {
        'content-type': 'multipart/form-data; boundary=b',
        'content-length': '100000',
        'x-job-id': 'half-way',
      },
    });
    upload.on('error', () => undefined);
    upload.write('--b\r\ncontent-disposition: form-data; name="photo"; filename="a.jpg"\r\n\r\n');
    upload.write(photo.subarray(0, 1000));
    await until(async () => (await progressOf(base, 'half-way'))?.stage === 'receiving', 'the upload has begun');
    upload.destroy();
    await until(async () => (await progressOf(base, 'half-way')) === undefined, 'it is forgotten');
    expect(await metric(base, 'ghibli_photos')).toBe(0);
    expect((await transform(base, photo)).status).toBe(200);
  });

  it('keeps answering while it paints', async () => {
    server = await run({ layout: 'nhwc' });
    const { base } = server;
    const large = await (await landscape(2000, 1500)).jpeg().toBuffer();
    let slowest = 0;
    const state = { over: false };
    const painting = transform(base, large).finally(() => (state.over = true));
    while (!state.over) {
      const startedAt = performance.now();
      await fetch(`${base}/healthz`);
      slowest = Math.max(slowest, performance.now() - startedAt);
    }
    expect((await painting).status).toBe(200);
    // Inference alone takes longer than this.
    expect(slowest).toBeLessThan(
      Number(/inference;dur=([\d.]+)/.exec((await painting).headers.get('server-timing') ?? '')?.[1]),
    );
  });
});

describe('the end', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'drowse-ghibli-'));
  let child: ChildProcess | undefined;

  afterEach(() => child?.kill('SIGKILL'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('finishes what it has', async () => {
    // The real process, since the signal is half of it.
    const model = path.join(folder, 'generator.onnx');
    writeGenerator(model, { layout: 'nhwc' });
    const process = spawn('node', [path.join(DIST, 'server.js')], {
      env: { PATH: globalThis.process.env.PATH, PORT: '0', MODEL_PATH: model, MAX_SIDE: '2048', CLIENT_LIMIT: '4' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child = process;
    let log = '';
    process.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
    await until(() => log.includes('Ready to paint'), 'the server is ready');
    const base = /http:\/\/[\d.:]+/.exec(log)?.[0] ?? '';
    const large = await (await landscape(2400, 1800)).jpeg().toBuffer();
    const jobs = Array.from({ length: 4 }, (_, index) => transform(base, large, { job: `number-${String(index)}` }));
    await until(async () => (await metric(base, 'ghibli_photos')) === 4, 'all four are in the server');
    const ended = new Promise<number | null>((resolve) => process.once('exit', resolve));
    process.kill('SIGTERM');
    expect((await Promise.all(jobs)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await ended).toBe(0);
    await expect(transform(base, photo)).rejects.toThrow();
  });
});
