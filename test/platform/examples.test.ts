import { mebibytes, milliCpu } from '../../lib/platform/check/capacity';
import { containersOf } from '../../lib/platform/check/workloads';
import path from 'node:path';
import { at, list, readYaml, toManifest, type Manifest } from '../../lib/platform/manifest';
import { exampleNames, overlays, readTree } from '../../lib/platform/tree';
import { find } from './support';

const { examples } = readTree();
const example = (name: string): Manifest[] => examples[name]!;

/** The Deployment that an autoscaler of an example acts on. */
function targetOf(manifests: Manifest[], autoscaler: Manifest): Manifest {
  return find(manifests, 'Deployment', String(at(autoscaler, 'spec', 'scaleTargetRef', 'name')));
}

describe('HPA on CPU', () => {
  const manifests = example('hpa-cpu');
  const hpa = find(manifests, 'HorizontalPodAutoscaler', 'consumer');

  it('has CPU requests to take its share of, and leaves the number of pods to the autoscaler', () => {
    const deployment = targetOf(manifests, hpa);
    expect(at(deployment, 'spec', 'replicas')).toBeUndefined();
    expect(at(containersOf(deployment)[0], 'resources', 'requests', 'cpu')).toBe('200m');
    expect(hpa.spec).toMatchObject({ minReplicas: 1, maxReplicas: 10 });
  });
});

describe('executors by queue length', () => {
  const manifests = example('queue-executor');
  const scaled = find(manifests, 'ScaledObject', 'executor');
  const executor = targetOf(manifests, scaled);

  it('go from 0 to 50, one for every two jobs, as in the seed', () => {
    expect(scaled.spec).toMatchObject({ minReplicaCount: 0, maxReplicaCount: 50 });
    expect(list(at(scaled, 'spec', 'triggers'))).toEqual([
      {
        type: 'redis',
        metadata: { address: 'queue.example-queue.svc.cluster.local:6379', listName: 'jobs', listLength: '2' },
      },
    ]);
    expect(find(manifests, 'Service', 'queue').metadata.namespace).toBe('example-queue');
  });

  it('run on the tainted executor pool with the seed’s requests', () => {
    expect(at(executor, 'spec', 'template', 'spec')).toMatchObject({
      nodeSelector: { 'workload-type': 'executor' },
      tolerations: [{ key: 'workload-type', operator: 'Equal', value: 'executor', effect: 'NoSchedule' }],
    });
    expect(at(containersOf(executor)[0], 'resources', 'requests')).toEqual({ cpu: '2', memory: '4Gi' });
  });

  it('all fit into the namespace’s quota', () => {
    const quota = at(find(manifests, 'ResourceQuota', 'share'), 'spec', 'hard');
    const requests = at(containersOf(executor)[0], 'resources', 'requests');
    expect(50 * milliCpu(at(requests, 'cpu'))).toBeLessThan(milliCpu(at(quota, 'requests.cpu')));
    expect(50 * mebibytes(at(requests, 'memory'))).toBeLessThan(mebibytes(at(quota, 'requests.memory')));
  });

  it('let KEDA and nobody else from outside look at the queue', () => {
    const policy = find(manifests, 'NetworkPolicy', 'allow-keda');
    expect(JSON.stringify(policy.spec)).toContain('"kubernetes.io/metadata.name":"keda"');
    expect(find(manifests, 'NetworkPolicy', 'default-deny').spec).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
  });
});

describe('the load', () => {
  const cronJob = find(example('hpa-cpu'), 'CronJob', 'load');

  it('runs only when somebody makes a Job of it, and ends by itself', () => {
    expect(cronJob.spec).toMatchObject({ suspend: true, jobTemplate: { spec: { activeDeadlineSeconds: 600 } } });
  });

  it('asks the service that the autoscaler watches, from its own namespace', () => {
    const service = find(example('hpa-cpu'), 'Service', 'consumer');
    expect(cronJob.metadata.namespace).toBe(service.metadata.namespace);
    expect(JSON.stringify(cronJob.spec)).toContain(`http://${service.metadata.name}/ConsumeCPU`);
  });
});

describe('a downscaled deployment', () => {
  it('comes back: its number of pods is the downscaler’s, and Flux does not write it', () => {
    const office = find(example('downscaled'), 'Deployment', 'office');
    expect(office.metadata.annotations).toMatchObject({
      'downscaler/uptime': 'Mon-Fri 07:00-19:00 Europe/Berlin',
      'downscaler/downtime-replicas': '0',
    });
    expect(at(office, 'spec', 'replicas')).toBeUndefined();
  });
});

describe('dozing', () => {
  const manifests = example('doze');
  const route = find(manifests, 'InterceptorRoute', 'painter');
  const scaled = find(manifests, 'ScaledObject', 'painter');

  it('has nothing on the GPU until somebody asks', () => {
    expect(scaled.spec).toMatchObject({ minReplicaCount: 0, maxReplicaCount: 1 });
    const painter = targetOf(manifests, scaled);
    expect(at(painter, 'spec', 'replicas')).toBeUndefined();
    expect(at(containersOf(painter)[0], 'resources', 'limits', 'nvidia.com/gpu')).toBe('1');
    expect(at(scaled, 'spec', 'triggers', 0, 'metadata')).toEqual({
      interceptorRoute: route.metadata.name,
      scalerAddress: 'keda-add-ons-http-external-scaler.keda:9090',
    });
  });

  it('makes the route before the scaler that asks for it', () => {
    expect(manifests.indexOf(route)).toBeLessThan(manifests.indexOf(scaled));
  });

  it('answers meanwhile, with a page that asks again', () => {
    const response = at(route, 'spec', 'coldStart', 'placeholder', 'response');
    expect(response).toMatchObject({ statusCode: 503, headers: { Refresh: '10', 'Retry-After': '10' } });
    expect(at(response, 'body')).toMatch(/^<!doctype html>[\s\S]*waking up/);
  });

  it('leads from the ingress through the interceptor to the app', () => {
    const ingress = find(manifests, 'Ingress', 'painter');
    expect(ingress.metadata.namespace).toBe('keda');
    expect(at(ingress, 'spec', 'rules', 0, 'http', 'paths', 0, 'backend', 'service')).toEqual({
      name: 'keda-add-ons-http-interceptor-proxy',
      port: { number: 8080 },
    });
    expect(at(ingress, 'spec', 'rules', 0, 'host')).toBe(at(route, 'spec', 'rules', 0, 'hosts', 0));
    expect(find(manifests, 'Service', String(at(route, 'spec', 'target', 'service'))).metadata.namespace).toBe(
      'example-doze',
    );
  });
});

it.each(Object.keys(examples))('%s keeps its pods within Pod Security’s strictest level', (name) => {
  const namespaces = example(name).filter(({ kind }) => kind === 'Namespace');
  expect(namespaces).toHaveLength(1);
  expect(namespaces[0]!.metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
  expectRestricted(example(name));
});

describe('an example that is turned on', () => {
  const names = exampleNames();
  const tree = readTree({ overlay: 'default', examples: names });
  const layerOf = (name: string) => tree.layers.find((layer) => layer.name === `example-${name}`)!;

  it.each(names)('%s is a layer that Flux substitutes and prunes, and that no wake waits for', (name) => {
    const kustomization = find(tree.kustomizations, 'Kustomization', `example-${name}`);
    expect(kustomization.metadata).toMatchObject({
      namespace: 'flux-system',
      labels: { 'drowse.dev/example': 'true' },
    });
    expect(kustomization.metadata.labels).not.toHaveProperty('drowse.dev/layer');
    expect(kustomization.spec).toMatchObject({
      path: `./platform/examples/${name}`,
      prune: true,
      postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: 'cluster-values' }] },
      sourceRef: { name: 'platform' },
    });
    expect(layerOf(name).manifests).toEqual(examples[name]);
  });

  it.each(overlays().flatMap((overlay) => names.map((name) => [name, overlay] as const)))(
    '%s waits for layers that overlay %s has',
    (name, overlay) => {
      const { layers } = readTree({ overlay, examples: [name] });
      const layer = layers.find((one) => one.name === `example-${name}`)!;
      expect(layers.map((one) => one.name)).toEqual(expect.arrayContaining(layer.dependsOn));
    },
  );

  it('comes after what brings the definitions of its kinds', () => {
    const providers = { keda: 'scaling', http: 'scaling' };
    for (const name of names) {
      const kinds = layerOf(name).manifests.map(({ apiVersion }) => apiVersion);
      for (const [group, layer] of Object.entries(providers)) {
        if (kinds.some((kind) => kind.includes(group))) expect(layerOf(name).dependsOn).toContain(layer);
      }
    }
  });

  it('is no longer among those that are off', () => {
    expect(tree.examples).toEqual({});
    expect(Object.keys(readTree({ overlay: 'default', examples: ['doze'] }).examples)).not.toContain('doze');
  });
});

describe('the pods of the smoke test', () => {
  const MANIFESTS = path.join(__dirname, '..', '..', 'userdata', 'manifests', 'smoke-test');
  // The API server makes their names.
  const read = (file: string) => {
    const document = readYaml(path.join(MANIFESTS, `${file}.yaml`))[0] as { metadata: Partial<Manifest['metadata']> };
    return toManifest({ ...document, metadata: { name: file, ...document.metadata } }, file);
  };

  it('asks for one GPU through the RuntimeClass, on a tainted node too', () => {
    const job = read('nvidia-smi');
    expect(at(job, 'spec', 'template', 'spec')).toMatchObject({
      runtimeClassName: 'nvidia',
      restartPolicy: 'Never',
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
    });
    expect(at(containersOf(job)[0], 'resources', 'limits', 'nvidia.com/gpu')).toBe('1');
  });

  it.each(['nvidia-smi', 'pod-starts'])('%s goes by itself, and is within Pod Security’s strictest level', (name) => {
    const job = read(name);
    expect(read('namespace').metadata.labels?.['pod-security.kubernetes.io/enforce']).toBe('restricted');
    expect(job.metadata.namespace).toBe(read('namespace').metadata.name);
    expect(at(job, 'spec', 'activeDeadlineSeconds')).toEqual(expect.any(Number));
    expect(at(job, 'spec', 'ttlSecondsAfterFinished')).toEqual(expect.any(Number));
    expectRestricted([job]);
  });
});

function expectRestricted(manifests: readonly Manifest[]): void {
  for (const manifest of manifests) {
    for (const container of containersOf(manifest)) {
      expect(at(container, 'securityContext')).toMatchObject({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
    }
  }
}
