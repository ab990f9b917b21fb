import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildAll, DIST } from '../apps/ghibli/build';
import { writeGenerator } from '../test/apps/ghibli/generator';
import { landscape } from '../test/apps/ghibli/photos';

/** Paintings of the 12-megapixel photo; the median counts. */
const RUNS = 15;
/** Requests over which memory must stay flat, and those before them in which pools and caches fill. */
const MEMORY_RUNS = 500;
const WARM_UP_RUNS = 250;
/** Sizes of the photos of the memory run: what people send, both ways, so that buffers of many sizes come and go. */
const SIZES = [
  [4000, 3000],
  [1200, 1600],
  [1920, 1080],
  [640, 480],
  [800, 1200],
] as const;

/** Promises: `docs/app.md`. */
const LIMITS = { overheadMs: 400, growthMiB: 32 };

/** What the app costs beside its model. */
export interface GhibliFigures {
  ok: boolean;
  /** Everything but inference, for a 12-megapixel JPEG, as its client sees it. */
  overhead: { medianMs: number; maxMs: number; limitMs: number; parts: Record<string, number>; photoBytes: number };
  /** Resident memory of the server's process. */
  memory: { requests: number; warmMiB: number; endMiB: number; growthMiB: number; limitMiB: number };
  /** Seconds from the start of the process until it is ready, with a model that loads at once. */
  readySeconds: number;
}

/** Measures the built server with a tiny model on this machine's CPU. */
export async function measureGhibli(): Promise<GhibliFigures> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'drowse-bench-ghibli-'));
  await buildAll();
  writeGenerator(path.join(folder, 'generator.onnx'), { layout: 'nhwc' });
  const startedAt = performance.now();
  const { child, base } = await startServer(path.join(folder, 'generator.onnx'));
  try {
    const readySeconds = round((performance.now() - startedAt) / 1000, 2);
    const overhead = await measureOverhead(base);
    const memory = await measureMemory(base, child.pid ?? 0);
    const ok = overhead.medianMs <= LIMITS.overheadMs && memory.growthMiB <= LIMITS.growthMiB;
    return { ok, overhead, memory, readySeconds };
  } finally {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureOverhead(base: string): Promise<GhibliFigures['overhead']> {
  const photo = await (await landscape(4000, 3000)).jpeg({ quality: 97 }).toBuffer();
  await paint(base, photo);
  const runs: { overheadMs: number; parts: Record<string, number> }[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const { ms, parts } = await paint(base, photo);
    runs.push({ overheadMs: ms - (parts.inference ?? 0), parts });
  }
  runs.sort((a, b) => a.overheadMs - b.overheadMs);
  const median = runs[Math.floor(RUNS / 2)];
  return {
    medianMs: round(median?.overheadMs ?? Infinity),
    maxMs: round(runs.at(-1)?.overheadMs ?? Infinity),
    limitMs: LIMITS.overheadMs,
    parts: median?.parts ?? {},
    photoBytes: photo.length,
  };
}

async function measureMemory(base: string, pid: number): Promise<GhibliFigures['memory']> {
  const photos = await Promise.all(
    SIZES.map(async ([width, height]) => (await landscape(width, height)).jpeg({ quality: 88 }).toBuffer()),
  );
  let warmMiB = 0;
  for (let run = 0; run < WARM_UP_RUNS + MEMORY_RUNS; run += 1) {
    if (run === WARM_UP_RUNS) warmMiB = residentMiB(pid);
    await paint(base, photos[run % photos.length] ?? Buffer.alloc(0));
  }
  const endMiB = residentMiB(pid);
  return { requests: MEMORY_RUNS, warmMiB, endMiB, growthMiB: endMiB - warmMiB, limitMiB: LIMITS.growthMiB };
}

async function paint(base: string, photo: Buffer): Promise<{ ms: number; parts: Record<string, number> }> {
  const form = new FormData();
  form.append('photo', new Blob([Uint8Array.from(photo)]), 'photo.jpg');
  const startedAt = performance.now();
  const response = await fetch(`${base}/api/transform`, { method: 'POST', body: form });
  const body = await response.arrayBuffer();
  const ms = performance.now() - startedAt;
  if (!response.ok) throw new Error(`The server answers ${String(response.status)}: ${Buffer.from(body).toString()}`);
  const timing = response.headers.get('server-timing') ?? '';
  const parts = [...timing.matchAll(/(\w+);dur=([\d.]+)/g)].map(([, name, value]) => [name, Number(value)] as const);
  return { ms, parts: Object.fromEntries(parts) as Record<string, number> };
}

async function startServer(model: string): Promise<{ child: ChildProcess; base: string }> {
  const child = spawn(process.execPath, [path.join(DIST, 'server.js')], {
    // As in the image.
    env: { PATH: process.env.PATH, PORT: '0', MODEL_PATH: model, CLIENT_LIMIT: '1000', MALLOC_ARENA_MAX: '2' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const base = await new Promise<string>((resolve, reject) => {
    let log = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (log.includes('Ready to paint')) return;
      log += chunk.toString();
      const address = /http:\/\/[\d.:]+/.exec(log)?.[0];
      if (address !== undefined && log.includes('Ready to paint')) resolve(address);
    });
    child.once('exit', (code) => reject(new Error(`The server ended with ${String(code)}: ${log}`)));
  });
  return { child, base };
}

/** Resident memory of a process, in MiB (Linux). */
function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024);
}

function round(value: number, digits = 0): number {
  return Number(value.toFixed(digits));
}

if (require.main === module) {
  measureGhibli().then(
    (figures) => {
      console.log(JSON.stringify(figures, null, 2));
      process.exitCode = figures.ok ? 0 : 1;
    },
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
