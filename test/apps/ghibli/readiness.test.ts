import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import type { Problem } from '../../../apps/ghibli/contract';
import { InvalidEnvironment, readEnv } from '../../../apps/ghibli/server/env';
import { interfaceOf } from '../../../apps/ghibli/server/model-interface';
import { writeGenerator } from './generator';
import { BLUE, halves, meanColour, nameOf, RED } from './photos';
import { run, transform, type Model, type Running } from './running';

// Machines that run tests are slow at times; what must be quick says so itself.

let folder: string;
let server: Running | undefined;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'drowse-models-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

afterEach(async () => {
  jest.restoreAllMocks();
  await server?.stop();
  server = undefined;
});

async function get(where: string) {
  const response = await fetch(`${server?.base ?? ''}${where}`);
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

/** Checks that the server lives, and that `/readyz` and the endpoint say the same. */
async function expectNotReady(model: Model, settings: NodeJS.ProcessEnv, words: RegExp): Promise<void> {
  server = await run(model, settings);
  expect((await get('/healthz')).status).toBe(200);
  const { status, body } = await get('/readyz');
  expect(status).toBe(503);
  expect(body.message).toMatch(words);
  const photo = await halves(40, 40, RED, BLUE).jpeg().toBuffer();
  const answer = await transform(server.base, photo);
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('5');
  const { ready, ...same } = body;
  expect(ready).toBe(false);
  expect(answer.problem).toEqual(same as unknown as Problem);
}

describe('a model that can be used', () => {
  it.each([
    ['nhwc', undefined],
    ['nchw', undefined],
    ['nchw', [256, 256]],
    ['nhwc', [96, 160]],
  ] as const)('%s, size %j', async (layout, size) => {
    server = await run({ layout, ...(size && { size: [...size] }) });
    expect((await get('/readyz')).body).toEqual({ ready: true, device: 'cpu', layout });
    const { status, body } = await transform(server.base, await halves(500, 300, RED, BLUE).jpeg().toBuffer());
    expect(status).toBe(200);
    const { width, height } = await sharp(body).metadata();
    const scale = size ? Math.min(1, size[1] / 500, size[0] / 300) : 1;
    expect([width, height]).toEqual([Math.round(500 * scale), Math.round(300 * scale)]);
    expect(nameOf(await meanColour(body, [0, 0.1, 0.4, 0.9]))).toBe('red');
    expect(nameOf(await meanColour(body, [0.6, 0.1, 1, 0.9]))).toBe('blue');
  });

  it('has the wanted digest', async () => {
    const file = path.join(folder, 'digest.onnx');
    writeGenerator(file, { layout: 'nhwc' });
    const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
    server = await run({ file }, { MODEL_SHA256: digest });
    expect((await get('/readyz')).status).toBe(200);
  });

  it('does not tell its layout: then the setting does', () => {
    const tensor = (name: string, shape: (number | string)[]) => ({
      name,
      isTensor: true as const,
      type: 'float32' as const,
      shape,
    });
    const silent = {
      inputMetadata: [tensor('in', ['a', 'b', 'c', 'd'])],
      outputMetadata: [tensor('out', ['a', 'b', 'c', 'd'])],
    };
    expect(() => interfaceOf(silent, 'auto')).toThrow(/MODEL_LAYOUT/);
    expect(interfaceOf(silent, 'nchw')).toEqual({ input: 'in', output: 'out', layout: 'nchw' });
    const telling = { ...silent, outputMetadata: [tensor('out', [1, 'h', 'w', 3])] };
    expect(interfaceOf(telling, 'auto').layout).toBe('nhwc');
    const flat = { ...silent, inputMetadata: [tensor('in', [1, 1000])] };
    expect(() => interfaceOf(flat, 'auto')).toThrow(/2 dimensions, not four/);
    const two = { ...silent, inputMetadata: [tensor('in', [1, 3, 8, 8]), tensor('noise', [1])] };
    expect(() => interfaceOf(two, 'auto')).toThrow(/2 inputs, not one/);
  });
});

describe('a model that cannot be used', () => {
  it('is missing', () => expectNotReady({ file: path.join(folder, 'none.onnx') }, {}, /none\.onnx is missing/));

  it('is empty', async () => {
    const file = path.join(folder, 'empty.onnx');
    writeFileSync(file, '');
    await expectNotReady({ file }, {}, /empty\.onnx is empty/);
  });

  it('is not the wanted one', () =>
    expectNotReady({ layout: 'nhwc' }, { MODEL_SHA256: 'a'.repeat(64) }, /its SHA-256 is [0-9a-f]{64}, not a{64}/));

  it('is no model', async () => {
    const file = path.join(folder, 'page.onnx');
    writeFileSync(file, '<html>Not found</html>');
    await expectNotReady({ file }, {}, /cannot be loaded/);
  });

  it('has another interface', () => expectNotReady({ layout: 'nhwc', doubles: true }, {}, /float64, not float32/));

  it('finds no GPU where one is wanted', () =>
    expectNotReady({ layout: 'nhwc' }, { DEVICE: 'cuda' }, /GPU cannot be used/));
});

describe('a painter that has failed', () => {
  const pixels = () => ({ data: new Uint8Array(3), width: 1, height: 1, channels: 3 as const });

  it('is ill after three failures in a row', async () => {
    server = await run({ layout: 'nhwc' });
    const { painter } = server;
    const broken = { ...pixels(), width: NaN };
    for (let count = 0; count < 3; count += 1) {
      expect((await get('/healthz')).status).toBe(200);
      await expect(painter.paint({ ...broken, data: new Uint8Array(3) })).rejects.toThrow('could not be painted');
    }
    const { status, body } = await get('/healthz');
    expect(status).toBe(503);
    expect(body.message).toMatch(/last 3 paintings have failed/);
  });

  it('is ill when a painting does not end', async () => {
    server = await run({ layout: 'nhwc' });
    const { painter } = server;
    const now = performance.now();
    const painting = painter.paint(pixels());
    jest.spyOn(performance, 'now').mockReturnValue(now + 61_000);
    expect(painter.fault).toMatch(/has not ended for 6\d seconds/);
    jest.restoreAllMocks();
    await painting;
    expect(painter.fault).toBeUndefined();
  });
});

describe('the environment', () => {
  it('has a default for everything', () => {
    expect(readEnv({})).toMatchObject({ PORT: 5000, DEVICE: 'cpu', MAX_SIDE: 1024, QUEUE_LIMIT: 9 });
    expect(readEnv({ MODEL_SHA256: '' }).MODEL_SHA256).toBeUndefined();
  });

  it.each([
    ['PORT', 'web'],
    ['DEVICE', 'tpu'],
    ['SIZE_STEP', '33'],
    ['MODEL_SHA256', 'abc'],
    ['QUEUE_LIMIT', '0'],
  ])('names a wrong %s', (name, value) => {
    expect(() => readEnv({ [name]: value })).toThrow(InvalidEnvironment);
    expect(() => readEnv({ [name]: value })).toThrow(`${name}=${value}: `);
  });
});

describe('the page’s files', () => {
  it('come with a policy that allows nothing from elsewhere', async () => {
    server = await run({ layout: 'nhwc' });
    const page = await fetch(`${server.base}/`);
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(page.headers.get('cache-control')).toBe('private, no-cache');
    expect(html).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    const assets = [...html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, url]) => url ?? '');
    expect(assets).toHaveLength(3);
    for (const url of assets) {
      const asset = await fetch(`${server.base}${url}`);
      expect([asset.status, asset.headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
      expect(asset.headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect((await get('/nowhere')).body).toMatchObject({ error: 'NotFound' });
    expect((await fetch(`${server.base}/..%2fserver.js`)).status).not.toBe(200);
  });
});
