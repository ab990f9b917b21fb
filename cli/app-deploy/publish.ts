import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Cluster } from './cluster';
import { CommandFailed } from '../terminal/errors';
import { RELEASE_FILE } from './release';
import type { Shell } from './shell';

/** The app's manifests, below the top of the repository. */
const MANIFESTS = 'platform/apps/ghibli';

/** Brings the app's manifests to where Flux reads them. */
export type Publish = (shell: Shell, message: string) => Promise<void>;

/** Uploads them to the bucket that the cluster reads, under the same paths. */
export function toBucket(root: string, cluster: Cluster, makeClient: (region: string) => S3Client): Publish {
  return async (shell) => {
    const { name, region } = await cluster.through(shell).bucket();
    const client = makeClient(region);
    for (const file of manifestFiles(root)) {
      shell.note(`put ${file} s3://${name}/${file}`);
      if (shell.dryRun) continue;
      const put = new PutObjectCommand({ Bucket: name, Key: file, Body: readFileSync(path.join(root, file)) });
      await client.send(put, { abortSignal: shell.signal }).catch((error: unknown) => {
        shell.signal.throwIfAborted();
        throw new CommandFailed(
          `${file} could not be uploaded to ${name}: ${error instanceof Error ? error.message : String(error)}`,
          'Check your AWS credentials (aws sts get-caller-identity), and that they may write to the bucket.',
        );
      });
    }
  };
}

/** Commits the release and pushes it to the repository that the cluster reads. */
export const toGit: Publish = async (shell, message) => {
  const remedy = 'Look at `git status`.';
  // On the way back from a commit that failed there is nothing to commit.
  if (shell.dryRun || (await shell.read('git', ['status', '--porcelain', '--', RELEASE_FILE], remedy)) !== '') {
    await shell.run('git', ['add', RELEASE_FILE], remedy);
    await shell.run('git', ['commit', '--quiet', '--message', message, '--', RELEASE_FILE], remedy);
  }
  await shell.run('git', ['push', '--quiet'], 'Fetch what others have pushed (git pull --rebase), then run it again.');
};

function manifestFiles(root: string): string[] {
  return readdirSync(path.join(root, MANIFESTS), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .sort();
}
