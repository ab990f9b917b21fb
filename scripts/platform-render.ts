import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig, parseConfig } from '../lib/config/load';
import { at, readYaml } from '../lib/platform/manifest';
import { generateFacts, generateSystem, type Supply } from '../lib/platform/facts/generate';
import { Helm } from '../lib/platform/facts/helm';
import { isBeside, RELEASES, SYSTEM } from '../lib/platform/facts/schema';
import { PROJECTS, Source } from '../lib/platform/facts/sources';
import type { SystemProject } from '../lib/platform/facts/system';
import { removeOthers, writeFacts } from '../lib/platform/facts/write';

/**
 * What `make platform-render` runs: renders every release of the platform tree with its real chart, and writes what it found to
 * lib/platform/facts/. Says what changed. Charts come from where platform/base/charts.yaml pins them, sources of operators from
 * GitHub; or both from a folder:
 *
 *   --charts FOLDER   unpacked charts or archives (<chart>/ or <chart>.tgz), and `sources.yaml` that says where they are from
 *   --sources FOLDER  sources of operators, <project>/<path>; default: `sources` among the charts. Or the address of a mirror of
 *                     GitHub's raw files, <address>/<owner>/<name>/<tag>/<path>
 *   --helm COMMAND    Helm 3; default: helm
 *   --release NAME    only this release, or `system`; more than one is possible
 */
const { values: flags } = parseArgs({
  options: {
    charts: { type: 'string' },
    sources: { type: 'string' },
    helm: { type: 'string', default: 'helm' },
    release: { type: 'string', multiple: true, default: [] },
  },
});

/** The configurations whose releases are rendered. */
const EXAMPLES = path.join(__dirname, '..', 'examples');
const CONFIGS = {
  default: parseConfig(''),
  minimal: parseConfig('platform: { overlay: minimal }'),
  'infra-app-gpu': loadConfig(path.join(EXAMPLES, 'infra-app-gpu.yaml')),
  'high-availability': loadConfig(path.join(EXAMPLES, 'high-availability.yaml')),
};

async function main(): Promise<void> {
  const helm = new Helm(flags.helm);
  try {
    const supply = flags.charts === undefined ? fromNetwork(helm) : fromFolder(flags.charts);
    const written: string[] = [];
    let idle = 0;
    for await (const facts of generateFacts(helm, supply, CONFIGS, flags.release)) {
      written.push(facts.release);
      report(facts.release, writeFacts(path.join(RELEASES, `${facts.release}.yaml`), facts));
      for (const value of facts.idle) console.error(`${facts.release}: the value ${value} changes nothing`);
      if (isBeside(facts)) {
        console.error(`${facts.release}: rendered ${facts.chart.version}, pinned is ${facts.chart.pinned}`);
      }
      idle += facts.idle.length;
    }
    if (flags.release.length === 0) {
      for (const file of removeOthers(RELEASES, written)) console.log(`${file}: removed, no release has this name`);
    }
    if (flags.release.length === 0 || flags.release.includes('system')) {
      report('system', writeFacts(SYSTEM, { ...(await generateSystem(supply, await systemVersions())) }));
    }
    if (idle > 0) process.exitCode = 1;
  } finally {
    helm.close();
  }
}

function report(name: string, changes: readonly string[]): void {
  console.log(
    changes.length === 0 ? `${name}: as before` : `${name}:\n${changes.map((line) => `  ${line}`).join('\n')}`,
  );
}

function fromFolder(folder: string): Supply {
  const index = path.join(folder, 'sources.yaml');
  const origins = existsSync(index) ? readYaml(index)[0] : {};
  const sources = flags.sources ?? path.join(folder, 'sources');
  const originOf = (...place: string[]) => {
    const origin = at(origins, ...place);
    return typeof origin === 'string' ? origin : 'a folder that does not say';
  };
  return {
    chart: ({ name, origin }) => {
      const found = [path.join(folder, name), path.join(folder, `${name}.tgz`)].find(existsSync);
      return found === undefined
        ? Promise.reject(new Error(`${folder} has no chart ${name}; pinned from ${origin}`))
        : Promise.resolve({ path: found, source: originOf('charts', name) });
    },
    project: (name) => {
      const texts = PROJECTS[name].files.map((file) => [file, readFileSync(path.join(sources, name, file), 'utf8')]);
      return Promise.resolve(
        new Source(name, originOf('projects', name), Object.fromEntries(texts) as Record<string, string>),
      );
    },
  };
}

function fromNetwork(helm: Helm): Supply {
  return {
    chart: async ({ origin, version }) => ({ path: await helm.pull(origin, version), source: origin }),
    project: async (name, version) => {
      const { repository, files } = PROJECTS[name];
      const texts = await Promise.all(files.map(async (file) => [file, await raw(repository, version, file)] as const));
      return new Source(name, `${version} (github.com/${repository})`, Object.fromEntries(texts));
    },
  };
}

/** A file of a repository at a tag. */
async function raw(repository: string, tag: string, file: string): Promise<string> {
  const url = `${flags.sources ?? 'https://raw.githubusercontent.com'}/${repository}/${tag}/${file}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
  if (!response.ok) throw new Error(`${url}: ${String(response.status)} ${response.statusText}`);
  return response.text();
}

/** Kubernetes as cluster.yaml has it by default, and the controllers of the pinned Flux. */
async function systemVersions(): Promise<Record<SystemProject, string>> {
  const flux = fluxVersion();
  const controller = async (name: string) => {
    if (flags.charts !== undefined) return '';
    const text = await raw('fluxcd/flux2', flux, `manifests/bases/${name}/kustomization.yaml`);
    const version = /\/releases\/download\/(v[\d.]+)\//.exec(text)?.[1];
    if (version === undefined) throw new Error(`Flux ${flux} does not say its version of ${name}`);
    return version;
  };
  return {
    kubernetes: `v${CONFIGS.default.kubernetes.version}`,
    'source-controller': await controller('source-controller'),
    'kustomize-controller': await controller('kustomize-controller'),
    'helm-controller': await controller('helm-controller'),
  };
}

function fluxVersion(): string {
  const text = readFileSync(path.join(__dirname, '..', 'platform', 'flux', 'installer.yaml'), 'utf8');
  const version = /flux-cli:(v[\d.]+)/.exec(text)?.[1];
  if (version === undefined) throw new Error('platform/flux/installer.yaml names no version of flux-cli');
  return version;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
});
