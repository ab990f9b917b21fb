/** Architectures whose releases are taken, as Go names them. */
export const ARCHITECTURES = ['amd64', 'arm64'] as const;
/** One of {@link ARCHITECTURES}. */
export type Architecture = (typeof ARCHITECTURES)[number];

/** A file in which the makers of a program publish it for Linux. */
export interface Published {
  url: string;
  /** The program in it, where the file is an archive (tar, gzip). */
  member?: string;
  /** Their own list of digests (SHA-256) that names the file. */
  digests: string;
}

/** How a program is built from the Go module proxy, and where its makers publish it. */
export interface Recipe {
  /** Go module, as an import path. */
  module: string;
  /** Version that is built unless another is asked for; without a `v`. */
  version: string;
  /** Package of the program's `main`. */
  package: string;
  /**
   * Version of the modules that the module keeps in its own repository and replaces by folders there, for a version of it.
   * Needed where such a module has no version of its own in the module's go.mod (`v0.0.0`).
   */
  staging?: (version: string) => string;
  /** Variables that the linker sets (`-X name=value`), for a version. */
  variables?: (version: string) => Record<string, string>;
  /** Versions of other modules that are taken where the module proxy does not serve the one (or the fork) that is required. */
  instead?: Readonly<Record<string, string>>;
  /** Build tags. */
  tags?: readonly string[];
  /** Needs a C compiler. */
  cgo?: boolean;
  /** Where it is published, for a version; nothing where that is an image alone. */
  published?: (version: string, architecture: Architecture) => Published;
}

/** An archive on GitHub, with its digests in a file beside it. */
function onGitHub(repository: string, tag: string, file: string, digests: string, member: string): Published {
  const folder = `https://github.com/${repository}/releases/download/${tag}`;
  return { url: `${folder}/${file}`, member, digests: `${folder}/${digests}` };
}

/** Kubernetes' programs share a module; its version is a supported minor's newest that the module proxy serves. */
function kubernetes(name: string): Recipe {
  return {
    module: 'k8s.io/kubernetes',
    version: '1.36.3',
    package: `k8s.io/kubernetes/cmd/${name}`,
    // Kubernetes 1.36.3 is made of k8s.io/api 0.36.3, and so on.
    staging: (version) => version.replace(/^1\./, '0.'),
    variables: (version) => {
      const [major, minor] = version.split('.');
      return {
        'k8s.io/component-base/version.gitVersion': `v${version}`,
        'k8s.io/component-base/version.gitMajor': String(major),
        'k8s.io/component-base/version.gitMinor': String(minor),
      };
    },
    published: (version, architecture) => {
      const url = `https://dl.k8s.io/release/v${version}/bin/linux/${architecture}/${name}`;
      return { url, digests: `${url}.sha256` };
    },
  };
}

/** etcd's programs are modules of their own with one version. */
function etcd(name: 'etcd' | 'etcdctl' | 'etcdutl'): Recipe {
  const module = `go.etcd.io/etcd/${name === 'etcd' ? 'server' : name}/v3`;
  return {
    module,
    version: '3.6.16',
    package: module,
    published: (version, architecture) => {
      const folder = `etcd-v${version}-linux-${architecture}`;
      return onGitHub('etcd-io/etcd', `v${version}`, `${folder}.tar.gz`, 'SHA256SUMS', `${folder}/${name}`);
    },
  };
}

/** containerd's programs share a module; the version is the one that nodes install (CONTAINERD_VERSION in lib/node). */
function containerd(name: string): Recipe {
  return {
    module: 'github.com/containerd/containerd/v2',
    version: '2.3.6',
    package: `github.com/containerd/containerd/v2/cmd/${name}`,
    variables: (version) => ({ 'github.com/containerd/containerd/v2/version.Version': `v${version}` }),
    published: (version, architecture) => {
      const file = `containerd-${version}-linux-${architecture}.tar.gz`;
      return onGitHub('containerd/containerd', `v${version}`, file, `${file}.sha256sum`, `bin/${name}`);
    },
  };
}

/** The plugins of the pod network that come with every distribution of Kubernetes (package kubernetes-cni). */
function networkPlugin(kind: 'ipam' | 'main' | 'meta', name: string): Recipe {
  return {
    module: 'github.com/containernetworking/plugins',
    version: '1.10.0',
    package: `github.com/containernetworking/plugins/plugins/${kind}/${name}`,
    variables: (version) => ({
      'github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion': `v${version}`,
    }),
    published: (version, architecture) => {
      const file = `cni-plugins-linux-${architecture}-v${version}.tgz`;
      return onGitHub('containernetworking/plugins', `v${version}`, file, `${file}.sha256`, name);
    },
  };
}

/** Every program that can be built, by the name of its binary. */
export const RECIPES = {
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  'kube-proxy': kubernetes('kube-proxy'),
  kubeadm: kubernetes('kubeadm'),
  kubelet: kubernetes('kubelet'),
  kubectl: kubernetes('kubectl'),
  etcd: etcd('etcd'),
  etcdctl: etcd('etcdctl'),
  etcdutl: etcd('etcdutl'),
  containerd: containerd('containerd'),
  'containerd-shim-runc-v2': containerd('containerd-shim-runc-v2'),
  ctr: containerd('ctr'),
  crictl: {
    module: 'sigs.k8s.io/cri-tools',
    // Newer than the cluster where the proxy serves no release of its minor: the interface to the runtime is the same.
    version: '1.37.0',
    package: 'sigs.k8s.io/cri-tools/cmd/crictl',
    variables: (version) => ({ 'sigs.k8s.io/cri-tools/pkg/version.Version': `v${version}` }),
    published: (version, architecture) => {
      const file = `crictl-v${version}-linux-${architecture}.tar.gz`;
      return onGitHub('kubernetes-sigs/cri-tools', `v${version}`, file, `${file}.sha256`, 'crictl');
    },
  },
  bridge: networkPlugin('main', 'bridge'),
  loopback: networkPlugin('main', 'loopback'),
  'host-local': networkPlugin('ipam', 'host-local'),
  portmap: networkPlugin('meta', 'portmap'),
  'aws-cloud-controller-manager': {
    module: 'k8s.io/cloud-provider-aws',
    version: '1.36.2',
    package: 'k8s.io/cloud-provider-aws/cmd/aws-cloud-controller-manager',
    // The version that k8s.io/apiserver 0.36 itself requires: the module asks for a fork of a later one.
    instead: { 'github.com/google/cel-go': '0.26.0' },
    variables: (version) => ({ 'k8s.io/component-base/version.gitVersion': `v${version}` }),
  },
  // Flux: of each controller the newest whose required modules are served, or nearly so.
  'source-controller': {
    module: 'github.com/fluxcd/source-controller',
    version: '1.9.6',
    package: 'github.com/fluxcd/source-controller',
    instead: { 'github.com/fluxcd/pkg/artifact': '0.18.0' },
  },
  'kustomize-controller': {
    module: 'github.com/fluxcd/kustomize-controller',
    version: '1.9.6',
    package: 'github.com/fluxcd/kustomize-controller',
  },
  'helm-controller': {
    module: 'github.com/fluxcd/helm-controller',
    version: '1.6.4',
    package: 'github.com/fluxcd/helm-controller',
  },
  coredns: {
    module: 'github.com/coredns/coredns',
    version: '1.14.3',
    package: 'github.com/coredns/coredns',
    published: (version, architecture) => {
      const file = `coredns_${version}_linux_${architecture}.tgz`;
      return onGitHub('coredns/coredns', `v${version}`, file, `${file}.sha256`, 'coredns');
    },
  },
  helm: {
    module: 'helm.sh/helm/v3',
    version: '3.22.0',
    package: 'helm.sh/helm/v3/cmd/helm',
    variables: (version) => ({ 'helm.sh/helm/v3/internal/version.version': `v${version}` }),
    published: (version, architecture) => {
      const url = `https://get.helm.sh/helm-v${version}-linux-${architecture}.tar.gz`;
      return { url, member: `linux-${architecture}/helm`, digests: `${url}.sha256sum` };
    },
  },
  kustomize: {
    module: 'sigs.k8s.io/kustomize/kustomize/v5',
    version: '5.8.1',
    package: 'sigs.k8s.io/kustomize/kustomize/v5',
    variables: (version) => ({ 'sigs.k8s.io/kustomize/api/provenance.version': `v${version}` }),
    published: (version, architecture) => {
      const file = `kustomize_v${version}_linux_${architecture}.tar.gz`;
      return onGitHub('kubernetes-sigs/kustomize', `kustomize%2Fv${version}`, file, 'checksums.txt', 'kustomize');
    },
  },
} as const satisfies Record<string, Recipe>;

/** Versions of Kubernetes, beside the recipes' own, whose releases are in the lock: with these an upgrade in the lab begins. */
export const UPGRADED_FROM: readonly string[] = ['1.35.4'];
