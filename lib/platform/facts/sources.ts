import { InvalidManifest } from '../manifest';

/** A project whose sources say what no chart renders: what operators make, and what Kubernetes itself runs. */
export interface Project {
  /** Owner and name on GitHub. */
  repository: string;
  /** The files that are read, by what they are read for. */
  files: readonly string[];
}

/** The projects, by the name of their folder among the sources. */
export const PROJECTS = {
  'prometheus-operator': {
    repository: 'prometheus-operator/prometheus-operator',
    files: ['pkg/operator/config_reloader.go', 'pkg/alertmanager/statefulset.go', 'pkg/prometheus/common.go'],
  },
  'tigera-operator': {
    repository: 'tigera/operator',
    files: [
      'pkg/render/node.go',
      'pkg/render/typha.go',
      'pkg/render/kubecontrollers/kube-controllers.go',
      'pkg/render/common/meta/meta.go',
      'pkg/controller/installation/core_controller.go',
      'pkg/components/calico.go',
      'pkg/common/autoscale.go',
    ],
  },
  kubernetes: {
    repository: 'kubernetes/kubernetes',
    files: [
      'pkg/cluster/ports/ports.go',
      'cmd/kubeadm/app/constants/constants.go',
      'cmd/kubeadm/app/phases/controlplane/manifests.go',
      'cmd/kubeadm/app/phases/etcd/local.go',
      'cmd/kubeadm/app/phases/addons/dns/dns.go',
      'cmd/kubeadm/app/phases/addons/dns/manifests.go',
      'cmd/kubeadm/app/phases/addons/proxy/manifests.go',
    ],
  },
  'source-controller': { repository: 'fluxcd/source-controller', files: ['config/manager/deployment.yaml'] },
  'kustomize-controller': { repository: 'fluxcd/kustomize-controller', files: ['config/manager/deployment.yaml'] },
  'helm-controller': { repository: 'fluxcd/helm-controller', files: ['config/manager/deployment.yaml'] },
} as const satisfies Record<string, Project>;
/** A project's name. */
export type ProjectName = keyof typeof PROJECTS;

/** The files of a project at one version. Each question to them fails when the source no longer reads as it did. */
export class Source {
  constructor(
    readonly name: ProjectName,
    /** Version, and where it was read. */
    readonly origin: string,
    private readonly texts: Readonly<Record<string, string>>,
  ) {}

  /** The whole file. */
  text(file: string): string {
    const text = this.texts[file];
    if (text === undefined) throw new InvalidManifest(`${this.name}: ${file} was not read`);
    return text;
  }

  /** What the expression's first group finds. @throws InvalidManifest if it finds nothing */
  find(file: string, expression: RegExp): string {
    const found = expression.exec(this.text(file))?.[1];
    if (found === undefined) {
      throw new InvalidManifest(
        `${this.name} ${this.origin}: ${file} no longer reads as ${String(expression)}; look what changed, and teach lib/platform/facts`,
      );
    }
    return found;
  }

  /** The number that a Go constant or field is set to. */
  number(file: string, name: string): number {
    return Number(this.find(file, new RegExp(`\\b${name}\\s*(?:int32|int)?\\s*(?::?=|:)\\s*(\\d+)`)));
  }

  /** Fails unless the file still says this. */
  expect(file: string, expression: RegExp): void {
    this.find(file, new RegExp(`(${expression.source})`, expression.flags));
  }
}
