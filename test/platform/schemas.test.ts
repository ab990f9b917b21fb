import { at, type Manifest } from '../../lib/platform/manifest';
import type { Schemas } from '../../lib/platform/check/schemas';
import { changed, clusterObjects, configOf, find, loadSchemas } from './support';

let schemas: Schemas;
const objects = clusterObjects(configOf('platform: { overlay: default }'));

beforeAll(async () => {
  schemas = await loadSchemas();
});

/** What the schemas say of an object after a change at a path. */
function after(kind: string, name: string, path: (string | number)[], value: unknown): string[] {
  const manifest = changed(find(objects, kind, name), (copy) => {
    const parent = at(copy, ...path.slice(0, -1)) as Record<string | number, unknown>;
    if (value === undefined) Reflect.deleteProperty(parent, path.at(-1)!);
    else parent[path.at(-1)!] = value;
  });
  return schemas.validate(manifest);
}

it.each([
  ['Deployment', 'consumer', ['spec', 'replica'], 2, '1.35: /spec must NOT have additional properties (replica)'],
  [
    'Deployment',
    'consumer',
    ['spec', 'template', 'spec', 'containers', 0, 'ports', 0, 'containerPort'],
    'http',
    /1\.36: .*containerPort must be integer/,
  ],
  ['Deployment', 'consumer', ['spec', 'selector'], undefined, /must have required property 'selector'/],
  ['NetworkPolicy', 'headlamp', ['spec', 'policyType'], ['Ingress'], /additional properties \(policyType\)/],
  ['StorageClass', 'gp3', ['volumeBindingModes'], 'Immediate', /additional properties \(volumeBindingModes\)/],
  ['Kustomization', 'ingress', ['spec', 'depend'], [], 'spec.depend: no such field'],
  ['Kustomization', 'ingress', ['spec', 'path'], 7, /\/spec\/path must be string/],
  ['Kustomization', 'ingress', ['spec', 'sourceRef', 'kind'], 'S3', /sourceRef/],
  ['Kustomization', 'ingress', ['spec', 'healthChecks', 0, 'names'], 'x', 'spec.healthChecks.0.names: no such field'],
  ['HelmRelease', 'keda', ['spec', 'install', 'remediations'], {}, 'spec.install.remediations: no such field'],
  ['HelmRelease', 'keda', ['spec', 'interval'], undefined, /interval/],
  ['HelmChart', 'keda', ['spec', 'sourceRef'], undefined, /sourceRef/],
  ['OCIRepository', 'cert-manager', ['spec', 'ref', 'tags'], 'x', 'spec.ref.tags: no such field'],
  [
    'ClusterIssuer',
    'letsencrypt-production',
    ['spec', 'acme', 'solvers', 0, 'dns01', 'cloudfare'],
    {},
    /cloudfare: no such field/,
  ],
  ['ClusterIssuer', 'letsencrypt-staging', ['spec', 'acme', 'server'], undefined, /server/],
  ['PodMonitor', 'keda', ['spec', 'podMetricsEndpoints', 0, 'portNumbers'], 1, /portNumbers: no such field/],
  ['PrometheusRule', 'nodes', ['spec', 'groups', 0, 'rules', 0, 'expression'], 'up', /expression: no such field/],
  ['ScaledObject', 'executor', ['spec', 'maxReplicas'], 50, 'spec.maxReplicas: no such field'],
  ['Installation', 'default', ['spec', 'calicoNetwork', 'bgp'], 'off', /\/spec\/calicoNetwork\/bgp/],
  ['Installation', 'default', ['spec', 'calicoNetworks'], {}, /calicoNetworks/],
  ['InterceptorRoute', 'painter', ['spec', 'coldStart', 'placeholder', 'response', 'statusCode'], 5, /statusCode/],
] as [string, string, (string | number)[], unknown, string | RegExp][])(
  '%s %s: %j = %j is found',
  (kind, name, path, value, message) => {
    const problems = after(kind, name, path, value);
    expect(problems.length).toBeGreaterThan(0);
    if (typeof message === 'string') expect(problems).toContain(message);
    else expect(problems.join('\n')).toMatch(message);
  },
);

it('leaves maps with keys of the user’s and free-form values alone', () => {
  expect(after('HelmRelease', 'keda', ['spec', 'values', 'anything'], { at: ['all'] })).toEqual([]);
  expect(after('PodMonitor', 'keda', ['spec', 'selector', 'matchLabels', 'x'], 'y')).toEqual([]);
});

it('requires only the selector of an object of which Flux owns some fields only, but knows its fields', () => {
  expect(schemas.validate(find(objects, 'Deployment', 'coredns'))).toEqual([]);
  expect(after('Deployment', 'coredns', ['spec', 'replica'], 1)).not.toEqual([]);
  // Flux' typed Deployment has null in its place, and the API refuses that.
  expect(after('Deployment', 'coredns', ['spec', 'selector'], undefined)).toContain(
    "1.36: /spec must have required property 'selector'",
  );
});

it('accepts no kind that it does not know', () => {
  const unknown: Manifest = { apiVersion: 'example.org/v1', kind: 'Thing', metadata: { name: 'x' } };
  expect(schemas.validate(unknown)).toEqual(['no schema of example.org/v1 Thing']);
  expect(schemas.validate({ ...unknown, apiVersion: 'apps/v1beta1', kind: 'Deployment' })).toEqual([
    'Kubernetes 1.35 has no Deployment of apps/v1beta1',
    'Kubernetes 1.36 has no Deployment of apps/v1beta1',
    'Kubernetes 1.37 has no Deployment of apps/v1beta1',
  ]);
});
