import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { FastifyInstance } from 'fastify';
import { DIST } from '../../../apps/ghibli/build';
import type { Problem, Progress } from '../../../apps/ghibli/contract';
import { buildApp } from '../../../apps/ghibli/server/app';
import { readEnv } from '../../../apps/ghibli/server/env';
import { Painter } from '../../../apps/ghibli/server/painter';
import { writeGenerator, type GeneratorOptions } from './generator';

/** A server under test, with the real runtime on a CPU. */
export interface Running {
  app: FastifyInstance;
  painter: Painter;
  /** Address of its root, without a slash at the end. */
  base: string;
  stop: () => Promise<void>;
}

/** Which model the server gets: one that is made for it, or a file. */
export type Model = GeneratorOptions | { file: string };

/** Starts a server on a free port, and waits until its painter is ready or has said why it isn't. */
export async function run(model: Model, settings: NodeJS.ProcessEnv = {}): Promise<Running> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'drowse-ghibli-'));
  const file = 'file' in model ? model.file : path.join(folder, 'generator.onnx');
  if (!('file' in model)) writeGenerator(file, model);
  const env = readEnv({ LOG_LEVEL: 'silent', MODEL_PATH: file, PORT: '0', CLIENT_LIMIT: '1000', ...settings });
  const painter = new Painter(env, path.join(DIST, 'painter-worker.js'));
  const app = await buildApp({ env, painter, publicFolder: path.join(DIST, 'public') });
  await app.listen({ host: env.HOST, port: env.PORT });
  await painter.load();
  const base = `http://127.0.0.1:${String((app.server.address() as AddressInfo).port)}`;
  const stop = async () => {
    await app.close();
    await painter.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { app, painter, base, stop };
}

/** What came back for a photo. */
export interface Answer {
  status: number;
  headers: Headers;
  body: Buffer;
  /** The body, if it tells of a problem. */
  problem: Problem;
}

/** Sends a file to be painted. */
export async function transform(
  base: string,
  file: Uint8Array,
  { name = 'photo.jpg', job, signal }: { name?: string; job?: string; signal?: AbortSignal } = {},
): Promise<Answer> {
  const form = new FormData();
  form.append('photo', new Blob([Uint8Array.from(file)]), name);
  const response = await fetch(`${base}/api/transform`, {
    method: 'POST',
    body: form,
    headers: job === undefined ? {} : { 'x-job-id': job },
    ...(signal && { signal }),
  });
  const body = Buffer.from(await response.arrayBuffer());
  const problem = (response.ok ? {} : JSON.parse(body.toString())) as Problem;
  return { status: response.status, headers: response.headers, body, problem };
}

/** Where a photo is on its way; undefined if the server knows nothing of it. */
export async function progressOf(base: string, job: string): Promise<Progress | undefined> {
  const response = await fetch(`${base}/api/progress/${job}`);
  return response.ok ? ((await response.json()) as Progress) : undefined;
}

/** The value of one of the server's figures; undefined if it has none. */
export async function metric(base: string, line: string): Promise<number | undefined> {
  const text = await (await fetch(`${base}/metrics`)).text();
  const found = text.split('\n').find((one) => one.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

/** Waits until something is so, for at most ten seconds. */
export async function until(isSo: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`Waited ten seconds for this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
