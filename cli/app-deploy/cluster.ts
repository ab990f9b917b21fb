import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed } from '../terminal/errors';
import type { Shell } from './shell';

const POLL_MS = 2000;
/** Flux has to fetch and apply the change: seconds, but for a cluster that has just woken. */
const APPLY_SECONDS = 240;
const ASLEEP = 'Is the cluster awake, and does your kubeconfig point at it? `kubectl get nodes` tells.';

/** The cluster as kubectl sees it. */
export class Cluster {
  private readonly kubectl: readonly string[];

  constructor(
    private readonly shell: Shell,
    /** Entry of the kubeconfig; undefined: the current one. */
    private readonly context: string | undefined,
    /** True if Flux fetches the tree from Git; otherwise a seat gives it what was deployed, within a minute. */
    private readonly fromGit: boolean,
  ) {
    this.kubectl = context === undefined ? [] : ['--context', context];
  }

  /** The same cluster, through another shell. */
  through(shell: Shell): Cluster {
    return new Cluster(shell, this.context, this.fromGit);
  }

  /** @throws CommandFailed if it can't be reached, before minutes go into an image for it */
  async check(): Promise<void> {
    await this.run('-n', 'flux-system', 'get', 'kustomization.kustomize.toolkit.fluxcd.io/apps', '-o', 'name');
  }

  /** Asks Flux to look at once rather than at its next interval. */
  async reconcile(): Promise<void> {
    const stamp = `reconcile.fluxcd.io/requestedAt=${new Date().toISOString()}`;
    if (this.fromGit) {
      const source = 'gitrepository.source.toolkit.fluxcd.io/platform';
      await this.run('-n', 'flux-system', 'annotate', '--overwrite', source, stamp);
    }
    await this.run(
      '-n',
      'flux-system',
      'annotate',
      '--overwrite',
      'kustomization.kustomize.toolkit.fluxcd.io/apps',
      stamp,
    );
  }

  /**
   * Waits until Flux has applied the image, and the pod that runs it is ready.
   * @throws CommandFailed
   */
  async rollOut(image: string, seconds: number): Promise<void> {
    const template = 'jsonpath={.spec.template.spec.containers[0].image}';
    const question = ['-n', 'ghibli', 'get', 'deployment/ghibli', '-o', template, '--ignore-not-found'];
    if (this.shell.dryRun) {
      await this.run(...question);
    } else {
      const end = Date.now() + APPLY_SECONDS * 1000;
      while ((await this.run(...question)) !== image) {
        if (Date.now() > end) throw await this.notApplied(image);
        await sleep(POLL_MS, undefined, { signal: this.shell.signal });
        // Between the fetch and what depends on it Flux may have looked too early: ask again.
        await this.reconcile();
      }
    }
    try {
      await this.run('-n', 'ghibli', 'rollout', 'status', 'deployment/ghibli', `--timeout=${String(seconds)}s`);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      throw new CommandFailed('The new image did not become ready', READY_REMEDY, await this.diagnosis(error.details));
    }
  }

  private async notApplied(image: string): Promise<CommandFailed> {
    const condition = 'jsonpath={.status.conditions[?(@.type=="Ready")].message}';
    const message = await this.ask(
      '-n',
      'flux-system',
      'get',
      'kustomization.kustomize.toolkit.fluxcd.io/apps',
      '-o',
      condition,
    );
    return new CommandFailed(
      `Flux has not applied ${image} in ${String(APPLY_SECONDS)} seconds`,
      'kubectl -n flux-system get kustomizations shows what it waits for.',
      message,
    );
  }

  /** What the pods themselves say, as far as it can be had. */
  private async diagnosis(details: string): Promise<string> {
    const pods = await this.ask('-n', 'ghibli', 'get', 'pods', '-l', 'app=ghibli');
    const logs = await this.ask('-n', 'ghibli', 'logs', '-l', 'app=ghibli', '--tail=5');
    return [details, pods, logs].filter(Boolean).join('\n');
  }

  /** An answer that is only for the message of a failure: none is better than another failure in its place. */
  private async ask(...args: string[]): Promise<string> {
    try {
      return await this.run(...args);
    } catch (error) {
      if (error instanceof CommandFailed) return '';
      throw error;
    }
  }

  private run(...args: string[]): Promise<string> {
    return this.shell.run('kubectl', [...this.kubectl, ...args], ASLEEP);
  }
}

const READY_REMEDY =
  'A GPU node may be missing (kubectl -n ghibli describe pods), or the model (/readyz says what). Then run it again.';
