import * as z from 'zod';
import { ECR_IMAGES } from '../../core/config/registries';

/** An apt repository whose signing key is known by its fingerprint: apt then checks every package's digest. */
const aptRepository = z.strictObject({
  /** Name of the files below /etc/apt. */
  name: z.string().regex(/^[a-z-]+$/),
  /** Everything after `deb [signed-by=…]` in the sources list. */
  source: z.string().min(1),
  keyUrl: z.url(),
  /** Full fingerprint of the key; a key that shows another is refused. */
  keyFingerprint: z.string().regex(/^[0-9A-F]{40}$/),
});

/** Schema of `install.json`, the part of the node bundle that says what to install. */
export const nodeInstallSchema = z.strictObject({
  schema: z.literal(1),
  kubernetes: z.strictObject({
    /** Version of kubeadm, kubelet and kubectl, without a `v`. */
    version: z.string().regex(/^1\.\d+\.\d+$/),
    repository: aptRepository,
  }),
  containerd: z.strictObject({
    /** Version of the `containerd.io` package, which brings its runc along. */
    version: z.string().regex(/^2\.\d+\.\d+$/),
    repository: aptRepository,
  }),
  /** Version of NVIDIA's container toolkit for GPU nodes whose image has none. */
  nvidiaToolkit: z.strictObject({ version: z.string().min(1), repository: aptRepository }),
  /** Driver package for GPU nodes whose image has no driver. */
  nvidiaDriverPackages: z.array(z.string().min(1)).min(1),
  /** Packages of Ubuntu's own archive, for every node. */
  packages: z.array(z.string().min(1)),
  /** What logs the kubelet in to ECR with the node's role, as far as that may. */
  imageCredentials: z.strictObject({
    url: z.url(),
    /** Digest of the program; another is refused. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    /** Which images the kubelet asks it about, as `matchImages` of its configuration takes them. */
    images: z.string().min(1),
    /** The configuration names repositories there: a node without it is of no use. */
    required: z.boolean(),
  }),
  /** Images to pull beside kubeadm's own, so that a boot pulls nothing; by role. */
  images: z.strictObject({
    seat: z.array(z.string().min(1)),
    pool: z.array(z.string().min(1)),
    gpu: z.array(z.string().min(1)),
  }),
});

/** What a node installs. */
export type NodeInstall = z.infer<typeof nodeInstallSchema>;

/**
 * Fingerprint of the key that signs pkgs.k8s.io ("isv:kubernetes OBS Project"), the same for every minor.
 * Source: `gpg --show-keys` of https://pkgs.k8s.io/core:/stable:/v1.36/deb/Release.key, as many repositories pin it.
 */
const KUBERNETES_KEY = 'DE15B14486CD377B9E876E1A234654DA9A296436';
/** Fingerprint of the key that signs download.docker.com. Source: docs.docker.com/engine/install/ubuntu. */
const DOCKER_KEY = '9DC858229FC7DD38854AE2D88D81803C0EBFCD88';
/** Fingerprint of the key that signs nvidia.github.io/libnvidia-container. Source: that repository's `gpgkey`. */
const NVIDIA_TOOLKIT_KEY = 'C95B321B61E88C1809C4F759DDCAE044F796ECB0';

/** containerd 2.3 is the long-term branch (to 2028-04); 2.3.0–2.3.4 refuse NVIDIA's newer drop-in (containerd#13995). */
export const CONTAINERD_VERSION = '2.3.6';

/** The pause image that userdata's containerd configuration names; pulled at install, since a boot pulls nothing. */
export const PAUSE_IMAGE = 'registry.k8s.io/pause:3.10.2';

/**
 * AWS's credential provider for images; kubelets of every supported minor speak its protocol (credentialprovider.kubelet.k8s.io/v1).
 * Source of the digest: artifacts/manifests/k8s-staging-provider-aws/v1.37.0.yaml of kubernetes/k8s.io, the list by which it was
 * published there.
 */
const ECR_CREDENTIAL_PROVIDER = {
  url: 'https://artifacts.k8s.io/binaries/cloud-provider-aws/v1.37.0/linux/amd64/ecr-credential-provider-linux-amd64',
  sha256: '842e0fd8159f5ed8df2f38e6521e1e4f0a1ee80cf1e1ac119bbf20bf9c20681c',
} as const;

/**
 * What a node of this Kubernetes version installs; `images` adds pre-pulled images by role, `ecr` says that it pulls from ECR.
 */
export function nodeInstall(
  kubernetesVersion: string,
  images: Partial<NodeInstall['images']> = {},
  { ecr = false }: { ecr?: boolean } = {},
): NodeInstall {
  const minor = kubernetesVersion.split('.').slice(0, 2).join('.');
  const repository = `https://pkgs.k8s.io/core:/stable:/v${minor}/deb/`;
  return nodeInstallSchema.parse({
    schema: 1,
    kubernetes: {
      version: kubernetesVersion,
      repository: {
        name: 'kubernetes',
        source: `${repository} /`,
        keyUrl: `${repository}Release.key`,
        keyFingerprint: KUBERNETES_KEY,
      },
    },
    containerd: {
      version: CONTAINERD_VERSION,
      repository: {
        name: 'docker',
        source: 'https://download.docker.com/linux/ubuntu noble stable',
        keyUrl: 'https://download.docker.com/linux/ubuntu/gpg',
        keyFingerprint: DOCKER_KEY,
      },
    },
    nvidiaToolkit: {
      version: '1.20.0',
      repository: {
        name: 'nvidia-container-toolkit',
        source: 'https://nvidia.github.io/libnvidia-container/stable/deb/amd64 /',
        keyUrl: 'https://nvidia.github.io/libnvidia-container/gpgkey',
        keyFingerprint: NVIDIA_TOOLKIT_KEY,
      },
    },
    nvidiaDriverPackages: [
      'linux-modules-nvidia-580-server-open-aws',
      'nvidia-headless-no-dkms-580-server-open',
      'nvidia-utils-580-server',
    ],
    packages: ['age', 'conntrack', 'haproxy', 'ipset', 'jq', 'python3-cryptography', 'socat', 'tcpdump'],
    imageCredentials: { ...ECR_CREDENTIAL_PROVIDER, images: ECR_IMAGES, required: ecr },
    images: {
      seat: [PAUSE_IMAGE, ...(images.seat ?? [])],
      pool: [PAUSE_IMAGE, ...(images.pool ?? [])],
      gpu: [PAUSE_IMAGE, ...(images.gpu ?? [])],
    },
  } satisfies NodeInstall);
}
