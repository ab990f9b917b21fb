import { execa } from 'execa';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CONTAINERD_VERSION, nodeInstall } from '../../lib/node/install';
import { fluxYaml } from '../../lib/platform';
import { obtainBinaries, type Telling } from '../binaries/obtain';
import { wantedOf } from '../binaries/wanted';
import { CONTROLLERS, fluxImages, fluxManifests } from './flux';
import { cloudImages, type ImageSpecification, nodeImages } from './images';
import { LAB_CACHE, RUNS, SCRIPTS } from './paths';
import { sweepUnfinished } from './prune';
import { made, script, type Step } from './step';
import { kubeadmImages } from './versions';

/** A nearer archive of Debian than debootstrap's own default. */
const MIRROR = process.env.DROWSE_DEBIAN_MIRROR ?? '';

const KUBERNETES = [
  'kubeadm',
  'kubelet',
  'kubectl',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
] as const;
const OTHERS = [
  'etcd',
  'etcdctl',
  'etcdutl',
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'crictl',
  'bridge',
  'loopback',
  'host-local',
  'portmap',
  'coredns',
] as const;
/** What a seat without a platform does without. */
const PLATFORM = ['aws-cloud-controller-manager', ...CONTROLLERS] as const;

/** What `flux install --export` would print. */
const INSTALL = 'install.yaml';

/** What the embedded AWS reads as DROWSE_LAB (drowse_aws/machines/cache.py). */
export interface LabCache {
  authority: string;
  rootfs: string;
  archives: string;
  images: string[];
  baked: Record<string, string>;
  run: string;
}

/** What there is of one version of Kubernetes. */
interface Release {
  packages: string;
  images: string;
  /** Path of each program by its name. */
  programs: Record<string, string>;
}

/**
 * Fills the cache with all that machines start from, but for the baked images: those are made by machines.
 * @param versions of Kubernetes, the newest last
 * @param platform false leaves out what only the platform needs: Flux and the cloud controller
 * @returns the cache, and the path of each program of the newest version by its name
 * @throws CommandFailed a tool or the network is missing
 */
export async function fillCache(
  versions: readonly [string, ...string[]],
  platform: boolean,
  signal: AbortSignal,
  telling: Telling,
) {
  sweepUnfinished();
  const authority = path.join(LAB_CACHE, 'authority');
  if (!existsSync(path.join(authority, 'ca.crt'))) {
    mkdirSync(authority, { recursive: true });
    await script(here('make-authority.sh'), [authority], signal);
  }
  const certificate = path.join(authority, 'ca.crt');
  const userLand = await made(userLandOf(versions[0], certificate), signal, telling);
  const rootfs = path.join(userLand, 'root');
  const releases: Release[] = [];
  for (const version of versions) releases.push(await releaseOf(version, rootfs, signal, telling));
  const archives = await made(
    {
      name: 'archives',
      files: [here('make-archives.sh')],
      words: releases.map(({ packages }) => packages),
      make: (folder) => {
        const minors = versions.map((version) => version.split('.').slice(0, 2).join('.'));
        const pairs = releases.flatMap(({ packages }, index) => [packages, minors[index] ?? '']);
        return script(here('make-archives.sh'), [folder, ...pairs], signal);
      },
    },
    signal,
    telling,
  );
  const programs = releases.at(-1)?.programs ?? {};
  const images = releases.map((release) => release.images);
  if (platform) images.push(await platformImages(programs, certificate, rootfs, signal, telling));
  const cache: LabCache = { authority, rootfs, archives, images, baked: {}, run: RUNS };
  return { cache, programs };
}

/** Programs of one version of Kubernetes, with what runs beside them; as packages and as images. */
async function releaseOf(version: string, rootfs: string, signal: AbortSignal, telling: Telling): Promise<Release> {
  const names = [...KUBERNETES.map((name) => `${name}@${version}`), ...OTHERS];
  const paths = await obtainBinaries(names.map(wantedOf), signal, telling);
  const programs = byName(paths);
  const packages = await made(
    {
      name: 'packages',
      files: [here('make-packages.sh'), here('packages')],
      words: [version, CONTAINERD_VERSION, ...paths, rootfs],
      make: async (folder) => {
        const bin = path.join(folder, 'bin');
        mkdirSync(bin);
        for (const file of paths) copyFileSync(file, path.join(bin, path.basename(file)));
        const runc = path.join(rootfs, 'usr/local/lib/runc');
        await script(here('make-packages.sh'), [folder, bin, version, CONTAINERD_VERSION, runc], signal);
        await execa('rm', ['-r', bin]);
      },
    },
    signal,
    telling,
  );
  const references = await kubeadmImages(programs.kubeadm ?? '', version);
  const images = await made(imagesOf('images', await nodeImages(programs, references, rootfs)), signal, telling);
  return { packages, images, programs };
}

/** What machines start from, before anything of Kubernetes. */
function userLandOf(kubernetes: string, certificate: string): Step {
  const { packages } = nodeInstall(kubernetes);
  return {
    name: 'user-land',
    files: [here('make-user-land.sh'), here('user-land'), here('legacy-kubeadm.sh'), certificate],
    words: [groupsOfHost(), ...packages],
    make: (folder, signal) => {
      const words = [path.join(folder, 'root'), certificate, MIRROR, ...packages];
      // debootstrap mounts /proc in the new root: in a namespace of its own no mount outlives it, however it ends.
      return script('unshare', ['--mount', here('make-user-land.sh'), ...words], signal);
    },
  };
}

/** Images of the platform: Flux and the cloud controller. */
async function platformImages(
  nodePrograms: Readonly<Record<string, string>>,
  certificate: string,
  rootfs: string,
  signal: AbortSignal,
  telling: Telling,
): Promise<string> {
  const paths = await obtainBinaries(PLATFORM.map(wantedOf), signal, telling);
  const programs = { ...nodePrograms, ...byName(paths) };
  const flux = await made(
    {
      name: 'flux',
      files: [here('flux.ts')],
      words: paths,
      make: async (folder) => {
        writeFileSync(path.join(folder, INSTALL), await fluxManifests(programs.kubectl ?? '', signal));
      },
    },
    signal,
    telling,
  );
  const manifests = readFileSync(path.join(flux, INSTALL), 'utf8');
  const images = [
    ...fluxImages(programs, fluxCliImage(), manifests, certificate, rootfs),
    ...cloudImages(programs, certificate),
  ];
  return made(imagesOf('platform-images', images), signal, telling);
}

function imagesOf(name: string, specification: readonly ImageSpecification[]): Step {
  return {
    name,
    files: [here('images.py'), here('kube-proxy.sh')],
    words: [JSON.stringify(specification)],
    make: async (folder, signal) => {
      const file = path.join(folder, 'specification.json');
      writeFileSync(file, JSON.stringify(specification, null, 2));
      await script('python3', [here('images.py'), folder, file], signal);
    },
  };
}

function byName(paths: readonly string[]): Record<string, string> {
  return Object.fromEntries(paths.map((file) => [path.basename(file), file]));
}

/** As the installer's Job names it. */
function fluxCliImage(): string {
  return /image: (ghcr\.io\/fluxcd\/flux-cli:\S+)/.exec(fluxYaml())?.[1] ?? '';
}

function here(name: string): string {
  return path.join(SCRIPTS, name);
}

/** What of the host shapes the user land: the version of its control groups, and the capabilities that it gives. */
function groupsOfHost(): string {
  const capabilities = /^CapBnd:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return `${existsSync('/sys/fs/cgroup/cgroup.controllers') ? 'unified' : 'legacy'} ${capabilities}`;
}
