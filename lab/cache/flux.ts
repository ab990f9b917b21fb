import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { downloadModule } from '../binaries/go';
import { RECIPES } from '../binaries/recipes';
import type { ImageSpecification } from './images';
import { SCRIPTS } from './paths';

/** Flux's own release that these controllers are of; its module has the manifests around them. */
const RELEASE = { module: 'github.com/fluxcd/flux2/v2', version: '2.9.5' };
export const CONTROLLERS = ['source-controller', 'kustomize-controller', 'helm-controller'] as const;

/**
 * What `flux install --export` prints for these controllers: their definitions and deployments out of their modules, rights and
 * accounts out of Flux's own.
 * @param kubectl path of the program
 * @throws CommandFailed the module proxy does not serve one of them
 */
export async function fluxManifests(kubectl: string, signal: AbortSignal): Promise<string> {
  const cwd = mkdtempSync(path.join(tmpdir(), 'drowse-flux-'));
  try {
    const release = await downloadModule(RELEASE.module, RELEASE.version, { cwd, signal });
    writable(path.join(release.folder, 'manifests', 'rbac'), path.join(cwd, 'rbac'));
    const resources = ['namespace.yaml', 'rbac'];
    writeFileSync(path.join(cwd, 'namespace.yaml'), stringify(namespace));
    for (const name of CONTROLLERS) {
      const { module, version } = RECIPES[name];
      const { folder } = await downloadModule(module, version, { cwd, signal });
      const base = path.join(cwd, name);
      writable(path.join(release.folder, 'manifests', 'bases', name), base);
      writable(path.join(folder, 'config', 'crd', 'bases'), path.join(base, 'crds'));
      writable(path.join(folder, 'config', 'manager'), path.join(base, 'manager'));
      writeFileSync(path.join(base, 'kustomization.yaml'), stringify(baseOf(base, name)));
      resources.push(name);
    }
    writeFileSync(path.join(cwd, 'kustomization.yaml'), stringify({ namespace: 'flux-system', resources }));
    const { stdout } = await execa(kubectl, ['kustomize', cwd]);
    // As `flux install` does without a notification-controller: each event would be tried five times at one that is not there.
    return stdout.replace(/--events-addr=\S*/g, '--events-addr=');
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } };

/** As Flux's own base of the controller, with files of its module in the place of downloads. */
function baseOf(base: string, name: string) {
  const definitions = readdirSync(path.join(base, 'crds')).map((file) => `crds/${file}`);
  return {
    resources: [...definitions, 'manager', 'account.yaml'],
    transformers: ['labels.yaml'],
    patches: [{ target: { group: 'apps', version: 'v1', kind: 'Deployment', name }, path: 'patch.yaml' }],
    images: [
      {
        name: `fluxcd/${name}`,
        newName: `ghcr.io/fluxcd/${name}`,
        newTag: `v${RECIPES[name as 'source-controller'].version}`,
      },
    ],
  };
}

/** Files of the module cache are read-only. */
function writable(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) writeFileSync(path.join(to, name), readFileSync(path.join(from, name)));
}

/**
 * Images of Flux: its controllers, and its command line, of which the installer needs only `install --export`.
 * @param programs path of each program by its name
 * @param cli name of the command line's image, as the installer's Job has it
 * @param certificate of the authority that signs for AWS's names here
 */
export function fluxImages(
  programs: Readonly<Record<string, string>>,
  cli: string,
  manifests: string,
  certificate: string,
  rootfs: string,
): ImageSpecification[] {
  const trust = { source: certificate, target: '/etc/ssl/certs/ca-certificates.crt' };
  const program = (name: string) => ({ source: programs[name] ?? '', target: `/usr/local/bin/${name}` });
  const shell = [
    'busybox',
    'sh',
    'cat',
    'mkdir',
    'cp',
    'sed',
    'rm',
    'sleep',
    'grep',
    'tail',
    'head',
    'date',
    'tee',
    'tr',
  ];
  return [
    ...CONTROLLERS.map((name) => ({
      reference: `ghcr.io/fluxcd/${name}:v${RECIPES[name].version}`,
      entrypoint: [`/usr/local/bin/${name}`],
      // As Flux's own images: their pods refuse to run as root.
      user: '65534:65534',
      files: [program(name), trust],
    })),
    {
      reference: cli,
      files: [
        program('kubectl'),
        trust,
        { text: manifests, target: '/install.yaml' },
        { text: readFileSync(path.join(SCRIPTS, 'flux.sh'), 'utf8'), target: '/usr/local/bin/flux' },
        { source: path.join(rootfs, 'usr/bin/busybox'), target: '/bin/busybox' },
        ...shell.slice(1).map((name) => ({ link: '/bin/busybox', target: `/bin/${name}` })),
      ],
    },
  ];
}
