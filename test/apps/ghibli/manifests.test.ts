import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { envSchema } from '../../../apps/ghibli/server/env';
import { kustomizeBuild } from '../../../lib/platform/kustomize';
import type { Manifest } from '../../../lib/platform/manifest';

const APP = path.resolve(__dirname, '../../../platform/apps/ghibli');

const deploymentShape = z.object({
  spec: z.object({
    replicas: z.int().optional(),
    strategy: z.object({ type: z.string() }),
    template: z.object({
      spec: z.looseObject({
        runtimeClassName: z.string(),
        hostNetwork: z.boolean().optional(),
        terminationGracePeriodSeconds: z.int(),
        containers: z.tuple([
          z.object({
            image: z.string(),
            ports: z.array(z.object({ containerPort: z.int() })),
            lifecycle: z.object({ preStop: z.object({ sleep: z.object({ seconds: z.int() }) }) }),
            startupProbe: z.object({ httpGet: z.object({ path: z.string() }) }),
            readinessProbe: z.object({ httpGet: z.object({ path: z.string() }) }),
            livenessProbe: z.object({ httpGet: z.object({ path: z.string() }) }),
            resources: z.object({
              requests: z.record(z.string(), z.string()),
              limits: z.record(z.string(), z.string()),
            }),
            securityContext: z.object({
              readOnlyRootFilesystem: z.literal(true),
              allowPrivilegeEscalation: z.literal(false),
            }),
          }),
        ]),
      }),
    }),
  }),
});

const ingressShape = z.object({
  metadata: z.object({ annotations: z.record(z.string(), z.string()) }),
  spec: z.object({
    tls: z.array(z.object({ hosts: z.array(z.string()) })),
    rules: z.tuple([
      z.object({ host: z.string(), http: z.object({ paths: z.array(z.object({ path: z.string() })) }) }),
    ]),
  }),
});

const ruleShape = z.object({ alert: z.string(), expr: z.string(), annotations: z.object({ runbook: z.string() }) });

function find(manifests: readonly Manifest[], kind: string, name = 'ghibli'): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  if (!found) throw new Error(`There is no ${kind} ${name}`);
  return found;
}

function deploymentOf(manifests: readonly Manifest[]) {
  return deploymentShape.parse(find(manifests, 'Deployment')).spec;
}

/** The app with options taken in. */
function withOptions(...options: string[]): Manifest[] {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'drowse-options-'));
  const relative = (target: string) => path.relative(folder, path.join(APP, target));
  writeFileSync(
    path.join(folder, 'kustomization.yaml'),
    JSON.stringify({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: [relative('.')],
      components: options.map((option) => relative(`options/${option}`)),
    }),
  );
  try {
    return kustomizeBuild(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the manifests', () => {
  const manifests = kustomizeBuild(APP);
  const { strategy, template } = deploymentOf(manifests);
  const [container] = template.spec.containers;

  it('run one painter on one GPU', () => {
    expect(template.spec.runtimeClassName).toBe('nvidia');
    expect(container.resources.requests['nvidia.com/gpu']).toBe('1');
    expect(container.resources.limits['nvidia.com/gpu']).toBe('1');
    expect(strategy.type).toBe('Recreate');
    expect(template.spec.hostNetwork).toBeUndefined();
  });

  it('ask the endpoints that the server has, on its port', () => {
    expect(container.ports.map(({ containerPort }) => containerPort)).toEqual([envSchema.parse({}).PORT]);
    expect(container.readinessProbe.httpGet.path).toBe('/readyz');
    expect([container.startupProbe, container.livenessProbe].map(({ httpGet }) => httpGet.path)).toEqual([
      '/healthz',
      '/healthz',
    ]);
    expect(find(manifests, 'Service')).toMatchObject({ spec: { ports: [{ port: 80, targetPort: 5000 }] } });
  });

  it('give a shutdown the time that it may take', () => {
    const { SHUTDOWN_SECONDS } = envSchema.parse({});
    const grace = template.spec.terminationGracePeriodSeconds;
    expect(grace).toBeGreaterThan(SHUTDOWN_SECONDS + container.lifecycle.preStop.sleep.seconds);
  });

  it('let photos of 10 MB in, and keep figures inside', () => {
    const { metadata, spec } = ingressShape.parse(find(manifests, 'Ingress'));
    expect(metadata.annotations['nginx.org/client-max-body-size']).toBe('11m');
    expect(spec.tls[0]?.hosts).toEqual(['${app_domain}']);
    expect(spec.rules[0].host).toBe('${app_domain}');
    const paths = spec.rules[0].http.paths.map((one) => one.path);
    expect(paths).toEqual(['/', '/assets', '/api', '/readyz', '/healthz']);
  });

  it('never stand in the way of a drain', () => {
    expect(find(manifests, 'PodDisruptionBudget')).toMatchObject({
      spec: { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
    });
  });

  it('raise alerts that the documentation explains, over figures that the server has', () => {
    const rules = z
      .object({ spec: z.object({ groups: z.tuple([z.object({ rules: z.array(ruleShape) })]) }) })
      .parse(find(manifests, 'PrometheusRule')).spec.groups[0].rules;
    const docs = readFileSync(path.join(APP, '../../../docs/app.md'), 'utf8');
    for (const { alert, expr, annotations } of rules) {
      expect(annotations.runbook).toBe(`docs/app.md#${alert.toLowerCase()}`);
      expect(docs).toContain(`\n### ${alert}\n`);
      expect(expr).toContain('ghibli_requests_total');
    }
  });

  it('are all in one namespace, closed but for what is opened', () => {
    expect(find(manifests, 'NetworkPolicy', 'default-deny').metadata.namespace).toBe('ghibli');
    const elsewhere = manifests.filter(({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== 'ghibli');
    expect(elsewhere).toEqual([]);
  });
});

describe('the options', () => {
  it('downscaled: hours on the deployment, and its size left to the downscaler', () => {
    const manifests = withOptions('downscaled');
    expect(find(manifests, 'Deployment').metadata.annotations).toMatchObject({ 'downscaler/downtime-replicas': '0' });
    expect(deploymentOf(manifests).replicas).toBeUndefined();
  });

  it('scaled: by a figure that the server has, and its size left to KEDA', () => {
    const manifests = withOptions('scaled');
    const [trigger] = z
      .object({ spec: z.object({ triggers: z.array(z.object({ metadata: z.object({ query: z.string() }) })) }) })
      .parse(find(manifests, 'ScaledObject')).spec.triggers;
    expect(trigger?.metadata.query).toContain('ghibli_queue_depth');
    expect(deploymentOf(manifests).replicas).toBeUndefined();
  });

  it('host network: off, unless it is taken in', () => {
    const manifests = withOptions('host-network');
    expect(deploymentOf(manifests).template.spec.hostNetwork).toBe(true);
    expect(find(manifests, 'Namespace').metadata.labels).toMatchObject({
      'pod-security.kubernetes.io/enforce': 'privileged',
    });
  });
});
