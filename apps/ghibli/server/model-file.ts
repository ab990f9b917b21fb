import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** Why a model file can't be used, in words for `/readyz`. */
export interface Flaw {
  message: string;
  remedy: string;
}

/** Looks whether the model file is there and is the wanted one; undefined if it is. */
export async function flawOf(file: string, sha256: string | undefined): Promise<Flaw | undefined> {
  const size = await stat(file).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === undefined || size === 0) {
    return {
      message: `The model file ${file} is ${size === 0 ? 'empty' : 'missing'}.`,
      remedy: 'Build the image with MODEL_URL and MODEL_SHA256.',
    };
  }
  if (sha256 === undefined) return undefined;
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const found = hash.digest('hex');
  if (found === sha256) return undefined;
  return {
    message: `The model file ${file} is not the wanted one: its SHA-256 is ${found}, not ${sha256}.`,
    remedy: 'Build the image again with the MODEL_SHA256 that belongs to MODEL_URL.',
  };
}
