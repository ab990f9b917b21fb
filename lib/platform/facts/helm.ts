import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { at, readYaml } from '../manifest';
import { sorted } from './inputs';

const run = promisify(execFile);

/** Helm, or a chart, does not do what is asked of it; the message is Helm's own. */
export class HelmFailed extends Error {
  override readonly name = 'HelmFailed';
}

/** What `helm template` is told beside the chart and its values. */
export interface RenderOptions {
  release: string;
  namespace: string;
  /** Kubernetes version that templates see, such as `1.36.2`. */
  kubernetes: string;
  /** Chart definitions in `crds/` as well. */
  definitions: boolean;
  /** Take the values without the chart's own schema, as the release tells Flux. */
  skipSchema: boolean;
}

/** Helm's command line, in folders of its own: nothing of the caller's repositories, plugins or cluster is read. */
export class Helm {
  private readonly home = mkdtempSync(path.join(tmpdir(), 'drowse-helm-'));

  constructor(private readonly command: string) {}

  /** Removes what Helm kept. */
  close(): void {
    rmSync(this.home, { recursive: true, force: true });
  }

  /** Helm's version, such as `v3.22.0`. */
  async version(): Promise<string> {
    return (await this.call('version', '--template', '{{ .Version }}')).trim();
  }

  /** The chart as text, hooks for tests left out. */
  async template(chart: string, values: unknown, options: RenderOptions): Promise<string> {
    const folder = mkdtempSync(path.join(this.home, 'values-'));
    const file = path.join(folder, 'values.json');
    writeFileSync(file, JSON.stringify(values));
    const flags = [
      ...['--namespace', options.namespace, '--values', file, '--kube-version', options.kubernetes, '--skip-tests'],
      ...(options.definitions ? ['--include-crds'] : []),
      ...(options.skipSchema ? ['--skip-schema-validation'] : []),
    ];
    try {
      return await this.call('template', options.release, chart, ...flags);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }

  /** Packs a chart's folder or unpacks its archive: the folder with what Helm itself would load of it. */
  async unpack(chart: string): Promise<string> {
    const folder = mkdtempSync(path.join(this.home, 'chart-'));
    let archive = chart;
    if (!chart.endsWith('.tgz')) {
      await this.call('package', chart, '--destination', folder);
      archive = path.join(folder, readdirSync(folder)[0] ?? '');
    }
    await run('tar', ['xzf', archive, '-C', folder]);
    const [entry] = readdirSync(folder, { withFileTypes: true }).filter((each) => each.isDirectory());
    if (!entry) throw new HelmFailed(`${chart}: holds no chart`);
    return path.join(folder, entry.name);
  }

  /** Downloads a chart. @returns the archive */
  async pull(origin: string, version: string): Promise<string> {
    const folder = mkdtempSync(path.join(this.home, 'pull-'));
    const [address = '', chart] = origin.split(' ');
    const what = chart === undefined ? [address] : [chart, '--repo', address];
    await this.call('pull', ...what, '--version', version, '--destination', folder);
    const [file] = readdirSync(folder);
    if (file === undefined) throw new HelmFailed(`${origin} ${version}: nothing was downloaded`);
    return path.join(folder, file);
  }

  private async call(...args: string[]): Promise<string> {
    const env = {
      PATH: process.env.PATH,
      HOME: this.home,
      HELM_CACHE_HOME: path.join(this.home, 'cache'),
      HELM_CONFIG_HOME: path.join(this.home, 'config'),
      HELM_DATA_HOME: path.join(this.home, 'data'),
      KUBECONFIG: '/dev/null',
      ...Object.fromEntries(
        PROXIES.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
      ),
    };
    try {
      const { stdout } = await run(this.command, args, { env, maxBuffer: 2 ** 28, timeout: 300_000 });
      return stdout;
    } catch (error) {
      const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
      if (code === 'ENOENT') {
        throw new HelmFailed(`${this.command} is not there: install Helm 3 (helm.sh), or name it by --helm`, {
          cause: error,
        });
      }
      throw new HelmFailed(`helm ${args.slice(0, 3).join(' ')}: ${(stderr ?? '').trim() || message}`, { cause: error });
    }
  }
}

/** How a user's machine reaches the network; Helm must reach it the same way. */
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'SSL_CERT_FILE'];

/** Every file of an unpacked chart, by its path within it; in order. */
export function filesOf(chart: string): Map<string, Buffer> {
  const names = readdirSync(chart, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(chart, path.join(entry.parentPath, entry.name)))
    .sort();
  return new Map(names.map((name) => [name, readFileSync(path.join(chart, name))]));
}

/** SHA-256 over names and contents: the same for the same chart, whoever packed it. */
export function digestOf(chart: string): string {
  const hash = createHash('sha256');
  for (const [name, content] of filesOf(chart)) {
    // Helm writes Chart.yaml anew when it packs a chart: the same fields in another order and layout.
    const same = name.endsWith('Chart.yaml') ? sorted(readYaml(path.join(chart, name))[0]) : content;
    hash.update(`${name}\n`).update(createHash('sha256').update(same).digest());
  }
  return hash.digest('hex');
}

/**
 * Bytes of the Secret in which Helm keeps a release: base64 of the gzipped JSON of chart, values and what was rendered
 * (helm.sh/helm/v3 pkg/storage/driver/util.go, encodeRelease). Charts within the chart are not in it.
 */
export function releaseBytes(
  chart: string,
  release: { name: string; namespace: string; values: unknown; manifest: string },
): number {
  const files = [...filesOf(chart)].filter(([name]) => !name.startsWith('charts/'));
  const asFile = ([name, content]: [string, Buffer]) => ({ name, data: content.toString('base64') });
  const isOwn = (name: string) => ['Chart.yaml', 'Chart.lock', 'values.yaml', 'values.schema.json'].includes(name);
  const schema = files.find(([name]) => name === 'values.schema.json')?.[1];
  const json = JSON.stringify({
    name: release.name,
    info: {
      first_deployed: '2026-01-01T00:00:00.000000000Z',
      last_deployed: '2026-01-01T00:00:00.000000000Z',
      deleted: '',
      description: 'Install complete',
      status: 'deployed',
    },
    chart: {
      metadata: readYaml(path.join(chart, 'Chart.yaml'))[0],
      lock: null,
      templates: files.filter(([name]) => name.startsWith('templates/')).map(asFile),
      values: files.some(([name]) => name === 'values.yaml')
        ? (readYaml(path.join(chart, 'values.yaml'))[0] ?? {})
        : {},
      schema: schema?.toString('base64') ?? null,
      files: files.filter(([name]) => !name.startsWith('templates/') && !isOwn(name)).map(asFile),
    },
    config: release.values,
    manifest: release.manifest,
    version: 1,
    namespace: release.namespace,
  });
  return Math.ceil(gzipSync(json, { level: 9 }).length / 3) * 4;
}

/** A field of a chart's Chart.yaml. */
export function chartField(chart: string, field: 'name' | 'version' | 'appVersion'): string {
  return String(at(readYaml(path.join(chart, 'Chart.yaml'))[0], field));
}
