import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/*
 * Puts the model into the image: node fetch-model.js <folder>, with MODEL_URL and MODEL_SHA256 in the environment.
 * Without a URL the folder stays empty, and the server will say that the model is missing.
 */

const ATTEMPTS = 5;
/** AnimeGANv2's generators have 8 MB; this is no place for something else. */
const MAX_BYTES = 512 * 1024 * 1024;

/** The model could not be fetched, or is not the wanted one. */
export class ModelNotFetched extends Error {
  override readonly name = 'ModelNotFetched';
}

/**
 * Fetches the model to `<folder>/generator.onnx`, and checks what it got.
 * @param pauseMs first pause before another attempt; each next one is twice as long
 * @throws ModelNotFetched; nothing is left behind then
 */
export async function fetchModel(folder: string, url: string, sha256: string, pauseMs = 1000): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'generator.onnx');
  const part = `${file}.part`;
  try {
    const found = await withRetries(() => download(url, part), pauseMs);
    if (found !== sha256) throw new ModelNotFetched(`${url} has the SHA-256 ${found}, not ${sha256}.`);
    renameSync(part, file);
  } finally {
    rmSync(part, { force: true });
  }
}

async function download(url: string, file: string): Promise<string> {
  const response = await fetch(url);
  if (!response.ok || !response.body) {
    const failure = new ModelNotFetched(`${url} answers ${String(response.status)} ${response.statusText}.`);
    // What isn't there won't come by asking again.
    throw response.status < 500 && response.status !== 429 ? new Final(failure) : failure;
  }
  const hash = createHash('sha256');
  let bytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      hash.update(chunk);
      if (bytes > MAX_BYTES) done(new Final(new ModelNotFetched(`${url} is larger than ${String(MAX_BYTES)} bytes.`)));
      else done(null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(response.body), meter, createWriteStream(file));
  return hash.digest('hex');
}

/** Wraps a failure that no further attempt will change. */
class Final extends Error {
  override readonly name = 'Final';
  constructor(override readonly cause: ModelNotFetched) {
    super(cause.message);
  }
}

async function withRetries<T>(task: () => Promise<T>, pauseMs: number): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await task();
    } catch (error) {
      if (error instanceof Final) throw error.cause;
      const reason = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      if (attempt === ATTEMPTS) {
        throw error instanceof ModelNotFetched
          ? error
          : new ModelNotFetched(`The model could not be fetched: ${reason}.`);
      }
      console.error(`Attempt ${String(attempt)} failed (${reason}); another one follows.`);
      await new Promise((resolve) => setTimeout(resolve, pauseMs * 2 ** (attempt - 1)));
    }
  }
}

async function main(): Promise<void> {
  const [folder = 'models'] = process.argv.slice(2);
  const { MODEL_URL, MODEL_SHA256 } = process.env;
  if (!MODEL_URL) {
    mkdirSync(folder, { recursive: true });
    console.error('No MODEL_URL: the image will hold no model, and the server will say so.');
    return;
  }
  if (!/^[0-9a-f]{64}$/.test(MODEL_SHA256 ?? '')) throw new ModelNotFetched('MODEL_URL needs MODEL_SHA256.');
  await fetchModel(folder, MODEL_URL, MODEL_SHA256 ?? '');
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof ModelNotFetched ? error.message : error);
    process.exitCode = 1;
  });
}
