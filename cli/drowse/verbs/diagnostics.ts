import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import * as z from 'zod';
import type { NodeInstance } from '../../../lambdas/shared/ec2/instances';
import { CommandFailed, EXIT } from '../../terminal/errors';
import { Progress } from '../../terminal/progress';
import { answer } from '../answers';
import { ask, bucketOf } from '../aws';
import { findNodes } from '../find-nodes';
import { runOnNode } from '../node-command';
import { type Target, type TargetOptions, targetOf } from '../target';

export interface DiagnosticsOptions extends TargetOptions {
  output?: string;
}

const result = z.object({ ok: z.literal(true), key: z.string(), bytes: z.number() });

/** As long as the script may take (s): a minute for each thing that it collects, at the worst. */
const SECONDS = 900;

/** Has nodes pack what one wants to see when something is wrong, and brings the archives home. */
export async function diagnostics(
  node: string | undefined,
  options: DiagnosticsOptions,
  signal: AbortSignal,
): Promise<number> {
  const target = targetOf(options);
  const progress = new Progress(options.json ? process.stderr : process.stdout);
  progress.print(target.description);
  const nodes = await findNodes(target, node);
  const bucket = await bucketOf(target);
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  const folder = options.output ?? `diagnostics-${target.cluster}-${stamp}`;
  mkdirSync(folder, { recursive: true });
  const found: { node: string; file: string; bytes: number }[] = [];
  const failures: string[] = [];
  for (const one of nodes) {
    const name = `${one.id} (${one.role === 'seat' ? `seat ${one.seat ?? '?'}` : (one.pool ?? '?')})`;
    progress.start(name);
    try {
      const archive = await collect(target, one, { bucket, folder, signal });
      found.push(archive);
      progress.done(`${name}: ${archive.file}`);
    } catch (error) {
      // The others may tell what is wrong with this one.
      if (!(error instanceof CommandFailed)) throw error;
      failures.push(error.message);
      progress.fail(`${name}: ${error.message}`);
    } finally {
      progress.stop();
    }
  }
  if (found.length === 0) {
    throw new CommandFailed(failures.join('\n'), 'drowse logs <node> shows what a node has logged, if it still can.');
  }
  if (options.json) answer('diagnostics', found);
  return failures.length > 0 ? EXIT.degraded : EXIT.done;
}

async function collect(
  target: Target,
  { id }: NodeInstance,
  { bucket, folder, signal }: { bucket: string; folder: string; signal: AbortSignal },
) {
  const command = { instanceId: id, command: 'collect-diagnostics', seconds: SECONDS, result };
  const { key: Key, bytes } = await runOnNode(target, command, signal);
  const file = path.join(folder, `${id}.tar.gz`);
  await ask(target, async () => {
    const { Body } = await new S3Client({ region: target.region }).send(new GetObjectCommand({ Bucket: bucket, Key }));
    if (!(Body instanceof Readable)) throw new CommandFailed(`${bucket}/${Key} is empty`, 'Run the command again.');
    await pipeline(Body, createWriteStream(file, { mode: 0o600 }), { signal });
  });
  return { node: id, file, bytes };
}
