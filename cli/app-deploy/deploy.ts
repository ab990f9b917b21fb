import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Cluster } from './cluster';
import { CommandFailed } from '../terminal/errors';
import type { Publish } from './publish';
import { readRelease, RELEASE_FILE, tagFor, writeRelease } from './release';
import type { Shell } from './shell';
import { checkTools } from './tools';

/** What a deployment needs. */
export interface Deployment {
  shell: Shell;
  cluster: Cluster;
  publish: Publish;
  /** Top of the repository. */
  root: string;
  /** Registry and repository, without a tag. */
  repository: string;
  model: { url: string; sha256: string } | undefined;
  /** Bound of the rollout, in seconds. */
  rolloutSeconds: number;
  now: () => Date;
  /** Wraps a step, and shows it. */
  step: <T>(title: string, task: () => Promise<T>) => Promise<T>;
  warn: (message: string) => void;
}

/**
 * Builds the app's image, pushes it, has the cluster run it, and goes back to what ran before if that doesn't work out.
 * @returns the image that runs
 * @throws CommandFailed; Interrupted. What ran before runs then, unless the message says otherwise
 */
export async function deploy(deployment: Deployment): Promise<string> {
  const { shell, cluster, step, repository, root, model, warn } = deployment;
  await step('Checking tools', () => checkTools(shell));
  await step('Looking for the cluster', () => cluster.check());
  const image = `${repository}:${await tagOf(deployment)}`;
  if (!model) warn('No app.model in the configuration: the app will start, and say that its model is missing.');
  await step(`Building and pushing ${image}`, () =>
    shell.run('docker', buildArguments(image, model), 'The output above tells why. For the registry: docker login.', {
      live: true,
    }),
  );
  const file = path.join(root, RELEASE_FILE);
  const before = readFileSync(file, 'utf8');
  try {
    shell.note(`write ${RELEASE_FILE} (image: ${image})`);
    if (!shell.dryRun) writeFileSync(file, writeRelease(image));
    await run(deployment, shell, image, image);
  } catch (error) {
    await rollBack(deployment, before, image, error);
    throw error;
  }
  return image;
}

/** Has the cluster run what the release file says. */
async function run(
  { cluster, publish, step, rolloutSeconds }: Deployment,
  shell: Shell,
  image: string,
  what: string,
): Promise<void> {
  await step('Publishing the manifests', () => publish(shell, `chore(ghibli): run ${what}`));
  await step('Reconciling', () => cluster.through(shell).reconcile());
  await step('Waiting for the rollout', () => cluster.through(shell).rollOut(image, rolloutSeconds));
}

async function rollBack(deployment: Deployment, before: string, image: string, cause: unknown): Promise<void> {
  const { shell, root, warn, cluster, publish, step } = deployment;
  const { image: previous, replicas } = readRelease(before);
  warn(`Going back to ${replicas === 0 ? 'nothing, which is what ran before' : previous}.`);
  // An interruption ends the deployment, not the way back from it.
  const fresh = shell.withSignal(new AbortController().signal);
  try {
    writeFileSync(path.join(root, RELEASE_FILE), before);
    if (replicas > 0) {
      await run(deployment, fresh, previous, `${previous} again`);
    } else {
      await step('Publishing the manifests', () => publish(fresh, 'chore(ghibli): run nothing again'));
      await step('Reconciling', () => cluster.through(fresh).reconcile());
    }
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandFailed(
      `${reason}. Going back failed, too: ${error.message}`,
      `${RELEASE_FILE} names ${previous} again, but ${image} may still run. ${error.remedy}`,
      [cause instanceof CommandFailed ? cause.details : '', error.details].filter(Boolean).join('\n'),
    );
  }
}

async function tagOf({ shell, now, warn }: Deployment): Promise<string> {
  const remedy = 'Run it in a clone of the repository.';
  const commit = await shell.read('git', ['rev-parse', '--short=12', 'HEAD'], remedy);
  const changes = await shell.read('git', ['status', '--porcelain', '--', 'apps/ghibli', 'package-lock.json'], remedy);
  if (changes !== '') warn('apps/ghibli has changes that are not committed: the tag will say so.');
  return tagFor(now(), commit, changes !== '');
}

function buildArguments(image: string, model: Deployment['model']): string[] {
  return [
    'buildx',
    'build',
    '--platform=linux/amd64',
    '--file=apps/ghibli/Dockerfile',
    `--tag=${image}`,
    ...(model ? [`--build-arg=MODEL_URL=${model.url}`, `--build-arg=MODEL_SHA256=${model.sha256}`] : []),
    '--push',
    '.',
  ];
}
