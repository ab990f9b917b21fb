import { readFileSync } from 'node:fs';
import path from 'node:path';
import { KUBERNETES_MINORS } from '../../core/config/schema';
import { readCharts } from '../../lib/platform/charts';
import { nodesOf } from '../../lib/platform/check/nodes';
import { PRIVILEGED, privilegedAmong } from '../../lib/platform/check/privileges';
import { keyOf, whyNever } from '../../lib/platform/check/scheduler';
import { containersOf } from '../../lib/platform/check/workloads';
import { readFacts } from '../../lib/platform/facts/schema';
import { at, groupOf, list, nameOf, parseYaml, type Manifest } from '../../lib/platform/manifest';
import { allManifests, FROM_CHART, overlays, readTree } from '../../lib/platform/tree';
import { configOf, example, find } from './support';

const tree = readTree();
const manifests = allManifests({ ...tree, examples: {} });
const facts = readFacts();
const used = manifests.filter(({ kind }) => kind === 'HelmRelease').map(({ metadata }) => facts[metadata.name]!);
const workloads = used.flatMap(({ workloads: all }) => all);
/** Every kind of node that the shipped configurations have. */
const nodes = ['', ...['infra-app-gpu', 'high-availability'].map(example)].flatMap((text) =>
  nodesOf(configOf(text), () => undefined, [], 1),
);
/** Workloads that some node takes: charts bring some for Windows, and for a way to share GPUs that we do without. */
const running = workloads.filter((workload) => nodes.some((node) => whyNever(node, workload) === undefined));
const checks = tree.layers.flatMap(({ healthChecks }) => healthChecks);

describe('health checks', () => {
  it('watch every workload of every chart: a release’s own word is older than the last sleep', () => {
    expect(running.map(keyOf).filter((key) => !checks.includes(key))).toEqual([]);
    expect(running.length).toBeGreaterThan(workloads.length - 3);
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
  const isOfTree = ({ metadata }: Manifest) => metadata.labels?.[FROM_CHART] === undefined;

  it('each have a bound and retries', () => {
    for (const kustomization of tree.kustomizations) {
      expect(kustomization.spec).toMatchObject({ interval: '10m', retryInterval: '30s', timeout: '2m' });
      expect(kustomization.metadata.labels?.['drowse.dev/layer']).toMatch(/^(base|controllers|configs|apps)$/);
    }
  });

  it('of the tree have its source and substitutions, and lose what it lost', () => {
    for (const kustomization of tree.kustomizations.filter(isOfTree)) {
      expect(kustomization.spec).toMatchObject({
        prune: true,
        sourceRef: { kind: '${source_kind}', name: 'platform' },
        postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'cluster-values' }] },
      });
    }
  });

  it('of charts’ archives apply them as they are, wait until they are served, and never delete them', () => {
    const specs = tree.kustomizations.filter((layer) => !isOfTree(layer)).map(({ spec }) => spec);
    expect(specs).toEqual([
      {
        path: './crd.projectcalico.org.v1/templates',
        sourceRef: { kind: 'OCIRepository', name: 'calico-crds' },
        dependsOn: [{ name: 'base' }],
        prune: false,
        wait: true,
        interval: '10m',
        retryInterval: '30s',
        timeout: '2m',
      },
    ]);
  });

  it('find the folder in the archive: Helm names it after the chart', () => {
    const source = find(tree.layers.find(({ name }) => name === 'base')!.manifests, 'OCIRepository', 'calico-crds');
    const chart = String(at(source, 'spec', 'url'))
      .split('/')
      .at(-1);
    expect(tree.layers.find(({ name }) => name === 'calico-crds')).toMatchObject({
      path: `${chart!}/templates`,
      chart: 'calico-crds',
      manifests: [],
    });
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
    expect(before('network')).toEqual(['calico-crds', 'base']);
    // The cloud controller makes nodes schedulable: it must not wait for what needs a schedulable node.
    expect(before('nodes')).toEqual(['base']);
  });

  it('say that they need workers exactly where a chart’s pods fit nowhere else', () => {
    const seat = nodesOf(configOf(), () => undefined, []).find(({ name }) => name === 'seat 0')!;
    const onWorkers = workloads
      .filter((workload) => workload.kind !== 'DaemonSet' && whyNever(seat, workload) !== undefined)
      .map(keyOf);
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

  it('bring namespaces, runtime class, priority classes, people’s rights and the pinned charts first', () => {
    const base = tree.layers.find(({ name }) => name === 'base')!;
    const kinds = new Set(base.manifests.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual([
      'ClusterRoleBinding',
      'HelmChart',
      'HelmRepository',
      'Namespace',
      'OCIRepository',
      'PriorityClass',
      'RuntimeClass',
    ]);
  });
});

describe('admission policies', () => {
  const policies = manifests.filter(({ kind }) => kind === 'ValidatingAdmissionPolicy');
  const bindings = manifests.filter(({ kind }) => kind === 'ValidatingAdmissionPolicyBinding');

  it('are all bound, each with its action', () => {
    const actions = Object.fromEntries(
      bindings.map(({ spec }) => [String(at(spec, 'policyName')), at(spec, 'validationActions')]),
    );
    expect(actions).toEqual({
      'host-network-of-seats.drowse.dev': ['Deny'],
      'load-balancers.drowse.dev': ['Deny'],
      'ingress-annotations.drowse.dev': ['Warn'],
    });
    expect(policies.map(({ metadata }) => metadata.name).sort()).toEqual(Object.keys(actions).sort());
  });

  it('refuse only what the quota of app namespaces refuses, too', () => {
    const quota = find(tree.layers.find(({ name }) => name === 'apps')!.manifests, 'ResourceQuota', 'share');
    expect(at(quota, 'spec', 'hard', 'services.loadbalancers')).toBe('0');
  });
});

describe('custom resources', () => {
  const providers: Record<string, string> = {
    'operator.tigera.io': 'calico-crds',
    'cert-manager.io': 'certificates',
    'monitoring.coreos.com': 'monitoring',
    'keda.sh': 'scaling',
  };

  it.each(overlays())('of overlay %s come after the layer that brings their definitions', (overlay) => {
    const { layers } = readTree({ overlay, examples: [] });
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

  const needing = privilegedAmong(manifests, used);
  const namespaceOf = (name: string) => name.split(/[ /]/)[1]!;

  it('have a reason wherever a namespace allows them', () => {
    const reasons = [...needing.keys()].map(namespaceOf);
    expect(privileged.filter((name) => !reasons.includes(name))).toEqual([]);
  });

  it('are refused wherever no workload needs them', () => {
    const made = ['kube-system', 'calico-system'];
    const namespaces = new Set([...needing.keys()].map(namespaceOf));
    expect([...namespaces].filter((name) => !made.includes(name) && !privileged.includes(name))).toEqual([]);
    const strict = manifests
      .filter(({ kind }) => kind === 'Namespace')
      .filter(({ metadata }) => !privileged.includes(metadata.name));
    expect(strict.length).toBeGreaterThan(3);
    for (const { metadata } of strict) {
      expect(metadata.labels?.['pod-security.kubernetes.io/enforce']).toMatch(/^(baseline|restricted)$/);
    }
  });

  it('list no pod that does without', () => {
    expect(Object.keys(PRIVILEGED).sort()).toEqual([...needing.keys()].sort());
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

  it('let everything through while their pods do not run, as rendered', () => {
    const webhooks = Object.values(facts).flatMap((each) => each.webhooks);
    expect(webhooks.filter(({ failurePolicy }) => failurePolicy !== 'Ignore')).toEqual([]);
    expect([...new Set(webhooks.map(({ name }) => name))].sort()).toEqual(['cert-manager-webhook', 'keda-admission']);
  });

  it('are none of ours', () => {
    expect(manifests.filter(({ kind }) => kind.endsWith('WebhookConfiguration'))).toEqual([]);
    // Policies of the API server itself answer whenever it does.
    const others = manifests.filter(({ kind }) => kind !== 'ValidatingAdmissionPolicy');
    expect(JSON.stringify(others)).not.toMatch(/"failurePolicy":"?Fail/);
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

describe('disruption budgets', () => {
  it('let a drain take a pod from each, as rendered', () => {
    const budgets = Object.values(facts).flatMap((each) => each.disruptionBudgets);
    expect(budgets.length).toBeGreaterThan(1);
    expect(budgets.filter(({ allows }) => allows !== 'maxUnavailable: 1')).toEqual([]);
  });
});

describe('AWS-aware controllers', () => {
  it.each([
    'Deployment kube-system/ebs-csi-controller',
    'Deployment kube-system/cluster-autoscaler',
    'Deployment kube-system/aws-node-termination-handler',
    'DaemonSet kube-system/aws-cloud-controller-manager',
  ])('%s runs on a seat’s host network, where the metadata service answers', (key) => {
    const workload = workloads.find((each) => keyOf(each) === key)!;
    expect(workload.hostNetwork).toBe(true);
    expect(workload.nodeSelector).toHaveProperty(['node-role.kubernetes.io/control-plane']);
  });

  it('do not cost Headlamp its modesty: nobody but Flux and the group of operators is cluster-admin', () => {
    const admins = manifests.filter(
      ({ kind, roleRef }) => kind === 'ClusterRoleBinding' && at(roleRef, 'name') === 'cluster-admin',
    );
    expect(admins.map(nameOf)).toEqual(['ClusterRoleBinding flux-installer', 'ClusterRoleBinding drowse-operators']);
    const bound = manifests.find(({ metadata }) => metadata.name === 'drowse-operators');
    expect(at(bound, 'subjects')).toMatchObject([{ kind: 'Group', name: 'drowse:operators' }]);
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
    const names = new Set(
      allManifests(tree)
        .filter(({ kind }) => kind === 'HelmRelease')
        .map((release) => String(at(release, 'spec', 'chartRef', 'name'))),
    );
    const unpacked = tree.layers.flatMap(({ chart }) => chart ?? []);
    expect(Object.keys(readCharts()).sort()).toEqual([...names, ...unpacked].sort());
    expect(
      Object.values(facts)
        .map(({ chart }) => chart.name)
        .sort(),
    ).toEqual([...names].sort());
  });

  it('have exact versions', () => {
    for (const { version, origin } of Object.values(readCharts())) {
      expect(version).toMatch(/^v?\d+\.\d+\.\d+$/);
      expect(origin).toMatch(/^(oci|https):\/\//);
    }
  });
});
