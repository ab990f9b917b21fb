import { readFileSync } from 'node:fs';
import path from 'node:path';
import { KUBERNETES_MINORS } from '../../lib/config/schema';
import { readChartFacts, readCharts } from '../../lib/platform/charts';
import { PRIVILEGED } from '../../lib/platform/check';
import { containersOf, privilegesOf } from '../../lib/platform/check/workloads';
import { at, groupOf, list, nameOf, parseYaml } from '../../lib/platform/manifest';
import { allManifests, overlays, readTree } from '../../lib/platform/tree';
import { find } from './support';

const tree = readTree();
const manifests = allManifests({ ...tree, examples: {} });
const facts = readChartFacts();
const releases = new Set(
  manifests
    .filter(({ kind }) => kind === 'HelmRelease')
    .map((release) => String(at(release, 'spec', 'chartRef', 'name'))),
);
const workloads = Object.entries(facts)
  .filter(([chart]) => releases.has(chart))
  .flatMap(([, { workloads: all }]) => all);
const keyOf = ({ kind, namespace, name }: { kind: string; namespace: string; name: string }) =>
  `${kind} ${namespace}/${name}`;
const checks = tree.layers.flatMap(({ healthChecks }) => healthChecks);

describe('health checks', () => {
  it('watch every workload of every chart: a release’s own word is older than the last sleep', () => {
    expect(workloads.map(keyOf).filter((key) => !checks.includes(key))).toEqual([]);
  });

  it('watch nothing that no chart and no layer makes', () => {
    const made = [...workloads.map(keyOf), ...manifests.map(nameOf)];
    expect(checks.filter((check) => !made.includes(check))).toEqual([]);
  });

  it('watch every release', () => {
    const names = manifests.filter(({ kind }) => kind === 'HelmRelease').map(nameOf);
    expect(names.filter((name) => !checks.includes(name))).toEqual([]);
  });
});

describe('layers', () => {
  it('each have a source, substitutions, a bound and retries', () => {
    for (const kustomization of tree.kustomizations) {
      expect(kustomization.spec).toMatchObject({
        interval: '10m',
        retryInterval: '30s',
        timeout: '2m',
        prune: true,
        sourceRef: { kind: '${source_kind}', name: 'platform' },
        postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'cluster-values' }] },
      });
      expect(kustomization.metadata.labels?.['drowse.dev/layer']).toMatch(/^(base|controllers|configs|apps)$/);
    }
  });

  it('install controllers before configs and configs before apps', () => {
    const dependencies = Object.fromEntries(tree.layers.map(({ name, dependsOn }) => [name, dependsOn]));
    const before = (name: string): string[] => (dependencies[name] ?? []).flatMap((each) => [each, ...before(each)]);
    expect(before('apps')).toEqual(
      expect.arrayContaining([
        'base',
        'network',
        'network-config',
        'nodes',
        'ingress',
        'certificates',
        'issuers',
        'gpu',
      ]),
    );
    expect(before('issuers')).toContain('certificates');
    expect(before('observability')).toContain('monitoring');
    expect(before('network')).toEqual(['base']);
    // The cloud controller makes nodes schedulable: it must not wait for what needs a schedulable node.
    expect(before('nodes')).toEqual(['base']);
  });

  it('say that they need workers exactly where a chart’s pods fit nowhere else', () => {
    const onWorkers = workloads.filter(({ kind, on }) => kind !== 'DaemonSet' && on === 'worker').map(keyOf);
    const needy = tree.layers.filter(({ healthChecks }) => healthChecks.some((check) => onWorkers.includes(check)));
    const labelled = tree.kustomizations
      .filter(({ metadata }) => metadata.labels?.['drowse.dev/needs'] === 'workers')
      .map(({ metadata }) => metadata.name);
    expect(labelled).toEqual(needy.map(({ name }) => name));
    expect(labelled.length).toBeGreaterThan(2);
  });

  it('say that they need GPUs exactly where their own pods ask for them', () => {
    const asksForGpus = ({ manifests: objects }: (typeof tree.layers)[number]) =>
      objects
        .flatMap(containersOf)
        .some((container) => at(container, 'resources', 'limits', 'nvidia.com/gpu') !== undefined);
    const labelled = tree.kustomizations
      .filter(({ metadata }) => metadata.labels?.['drowse.dev/needs'] === 'gpu')
      .map(({ metadata }) => metadata.name);
    expect(labelled).toEqual(tree.layers.filter(asksForGpus).map(({ name }) => name));
    expect(labelled).toEqual(['apps']);
  });

  it('bring namespaces, runtime class, priority classes and the pinned charts first', () => {
    const base = tree.layers.find(({ name }) => name === 'base')!;
    const kinds = new Set(base.manifests.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual([
      'HelmChart',
      'HelmRepository',
      'Namespace',
      'OCIRepository',
      'PriorityClass',
      'RuntimeClass',
    ]);
  });
});

describe('custom resources', () => {
  const providers: Record<string, string> = {
    'operator.tigera.io': 'network',
    'cert-manager.io': 'certificates',
    'monitoring.coreos.com': 'monitoring',
    'keda.sh': 'scaling',
  };

  it.each(overlays())('of overlay %s come after the layer that brings their definitions', (overlay) => {
    const { layers } = readTree(overlay);
    const before = (name: string): string[] =>
      layers.find((each) => each.name === name)!.dependsOn.flatMap((each) => [each, ...before(each)]);
    const early = layers.flatMap(({ name, manifests: objects }) =>
      objects
        .filter(({ apiVersion }) => {
          const provider = providers[groupOf(apiVersion)];
          return provider !== undefined && !before(name).includes(provider);
        })
        .map((object) => `${name}: ${nameOf(object)}`),
    );
    expect(early).toEqual([]);
  });
});

describe('privileges', () => {
  const privileged = manifests
    .filter(
      ({ kind, metadata }) =>
        kind === 'Namespace' && metadata.labels?.['pod-security.kubernetes.io/enforce'] === 'privileged',
    )
    .map(({ metadata }) => metadata.name);

  it('have a reason wherever a namespace allows them', () => {
    const reasons = [
      ...workloads.filter((workload) => workload.privileged !== undefined).map(({ namespace }) => namespace),
      ...Object.keys(PRIVILEGED).map((name) => name.split(/[ /]/)[1]),
    ];
    expect([...new Set(privileged)].filter((name) => !reasons.includes(name))).toEqual([]);
  });

  it('are refused wherever no workload needs them', () => {
    const made = ['kube-system', 'calico-system'];
    const needing = new Set(
      workloads.filter(({ privileged: why }) => why !== undefined).map(({ namespace }) => namespace),
    );
    expect([...needing].filter((name) => !made.includes(name) && !privileged.includes(name))).toEqual([]);
    const strict = manifests
      .filter(({ kind }) => kind === 'Namespace')
      .filter(({ metadata }) => !privileged.includes(metadata.name));
    expect(strict.length).toBeGreaterThan(3);
    for (const { metadata } of strict) {
      expect(metadata.labels?.['pod-security.kubernetes.io/enforce']).toMatch(/^(baseline|restricted)$/);
    }
  });

  it('list no pod that does without', () => {
    const ours = manifests.filter((manifest) => privilegesOf(manifest).length > 0).map(nameOf);
    expect(Object.keys(PRIVILEGED)).toEqual(ours);
  });

  it('never reach a port of a seat that is somebody else’s', () => {
    // Beside the charts': Flux (platform/flux), kubeadm's API server, controller manager, scheduler and etcd, kubelet, kube-proxy.
    const taken = [
      9090, 9281, 9282, 9283, 9291, 9292, 9293, 6443, 10257, 10259, 2379, 2380, 2381, 10248, 10249, 10250, 10256,
    ];
    const onSeats = workloads.filter(({ on }) => ['control-plane', 'every', 'either'].includes(on));
    const ports = [...taken, ...onSeats.flatMap(({ hostPorts }) => hostPorts)];
    expect(ports.filter((port, index) => ports.indexOf(port) !== index)).toEqual([]);
  });
});

describe('admission webhooks', () => {
  const release = (name: string) => find(manifests, 'HelmRelease', name);

  it('of cert-manager let objects through while none of its pods runs, and its pods still prefer the infra pool', () => {
    const patches = list(at(release('cert-manager'), 'spec', 'postRenderers')).flatMap((each) =>
      list(at(each, 'kustomize', 'patches')),
    );
    expect(patches.map((patch) => at(patch, 'target'))).toEqual([
      { kind: 'Deployment' },
      { kind: '(Validating|Mutating)WebhookConfiguration' },
    ]);
    expect(parseYaml(String(at(patches[1], 'patch')), 'patch')).toEqual([
      [{ op: 'replace', path: '/webhooks/0/failurePolicy', value: 'Ignore' }],
    ]);
  });

  it('of Prometheus’ operator are not installed, nor the downscaler’s; KEDA’s are left as lenient as they come', () => {
    const values = at(release('kube-prometheus-stack'), 'spec', 'values');
    expect(at(values, 'prometheusOperator', 'admissionWebhooks')).toEqual({ enabled: false });
    expect(Object.keys(at(release('keda'), 'spec', 'values') as object)).not.toContain('webhooks');
    expect(facts.keda!.source).toContain('failurePolicy is Ignore');
    expect(Object.keys(at(release('go-kube-downscaler'), 'spec', 'values') as object)).not.toContain(
      'webhookController',
    );
  });

  it('are none of ours', () => {
    expect(manifests.filter(({ kind }) => kind.endsWith('WebhookConfiguration'))).toEqual([]);
    expect(JSON.stringify(manifests)).not.toMatch(/"failurePolicy":"?Fail/);
  });
});

describe('network policies', () => {
  /** Namespaces whose pods are all on their host's network, which no policy reaches, or that bring policies of their own. */
  const WITHOUT: Record<string, string> = {
    'tigera-operator': 'its one pod is on the host network',
    'flux-system': 'Flux is on the host network, and brings policies of its own',
    'calico-system': 'Calico’s own namespace: its operator writes its policies',
  };
  const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy');

  it.each(manifests.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name))(
    'guard every pod of namespace %s',
    (namespace) => {
      const guards = policies.filter(({ metadata, spec }) => {
        const types = list(at(spec, 'policyTypes'));
        return metadata.namespace === namespace && types.includes('Ingress') && !at(spec, 'podSelector', 'matchLabels');
      });
      expect([namespace, guards.length > 0]).toEqual([namespace, !(namespace in WITHOUT)]);
    },
  );
});

describe('AWS-aware controllers', () => {
  it.each(['aws-ebs-csi-driver', 'cluster-autoscaler', 'aws-node-termination-handler'])(
    '%s runs on a seat’s host network, where the metadata service answers',
    (name) => {
      const release = manifests.find(({ kind, metadata }) => kind === 'HelmRelease' && metadata.name === name);
      const patch = String(at(release, 'spec', 'postRenderers', 0, 'kustomize', 'patches', 0, 'patch'));
      expect(patch).toMatch(/hostNetwork: true/);
      expect(patch).toMatch(/node-role.kubernetes.io\/control-plane: ""/);
    },
  );

  it('do not cost Headlamp its modesty: nobody but Flux is cluster-admin', () => {
    const admins = manifests.filter(
      ({ kind, roleRef }) => kind === 'ClusterRoleBinding' && at(roleRef, 'name') === 'cluster-admin',
    );
    expect(admins.map(nameOf)).toEqual(['ClusterRoleBinding flux-installer']);
    const headlamp = manifests.find(({ kind, metadata }) => kind === 'HelmRelease' && metadata.name === 'headlamp');
    expect(at(headlamp, 'spec', 'values', 'clusterRoleBinding', 'create')).toBe(false);
  });
});

describe('charts', () => {
  const docs = readFileSync(path.join(__dirname, '..', '..', 'docs', 'platform.md'), 'utf8');

  it('stand in docs/platform.md with their versions', () => {
    const rows = docs.split('\n').map((row) => row.split('|').map((cell) => cell.trim()));
    for (const { name, version, testedOn, testedSource, tags } of Object.values(readCharts())) {
      const row = rows.find((cells) => cells[1] === name);
      const images = Object.entries(tags).map(([minor, tag]) => `${minor}: ${tag}`);
      const tested = [testedOn.join(' '), testedSource];
      expect(row?.slice(2, -1)).toEqual([version, expect.any(String), ...tested, images.join(', ')]);
    }
    const flux = rows.find((cells) => cells[1] === 'Flux');
    const installer = manifests.find(({ kind }) => kind === 'Job')!;
    expect(containersOf(installer).map(({ image }) => image)).toEqual([`ghcr.io/fluxcd/flux-cli:${flux![2]!}`]);
  });

  it('say where their Kubernetes minors are from', () => {
    for (const { name, testedOn, testedSource } of Object.values(readCharts())) {
      expect([name, testedSource]).toEqual([name, expect.stringMatching(/^\w/)]);
      // What nothing was found of was tested on nothing that we know of.
      expect([name, /^(nothing|image)/.test(testedSource)]).toEqual([name, testedOn.length === 0]);
      expect(testedOn.filter((minor) => !/^1\.\d\d$/.test(minor))).toEqual([]);
    }
  });

  it.each(KUBERNETES_MINORS)('that their projects do not test on %s are named', (minor) => {
    const untested = Object.values(readCharts()).filter(
      ({ testedOn }) => testedOn.length > 0 && !testedOn.includes(minor),
    );
    expect(docs).toContain(`\n- ${minor}: ${untested.map(({ name }) => name).join(', ') || 'none'}\n`);
  });

  it('are all used, and all known', () => {
    const used = new Set(
      allManifests(tree)
        .filter(({ kind }) => kind === 'HelmRelease')
        .map((release) => String(at(release, 'spec', 'chartRef', 'name'))),
    );
    expect(Object.keys(readCharts()).sort()).toEqual([...used].sort());
    expect(Object.keys(facts).sort()).toEqual([...used].sort());
  });

  it('have exact versions', () => {
    for (const { version, origin } of Object.values(readCharts())) {
      expect(version).toMatch(/^v?\d+\.\d+\.\d+$/);
      expect(origin).toMatch(/^(oci|https):\/\//);
    }
  });
});
