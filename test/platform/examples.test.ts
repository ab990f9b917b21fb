import { mebibytes, milliCpu } from '../../lib/platform/check/capacity';
import { containersOf } from '../../lib/platform/check/workloads';
import { at, list, type Manifest } from '../../lib/platform/manifest';
import { readTree } from '../../lib/platform/tree';
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

describe('the GPU smoke test', () => {
  it('asks for one GPU through the RuntimeClass, on a tainted node too', () => {
    const job = find(example('gpu-smoke-test'), 'Job', 'gpu-smoke-test');
    expect(at(job, 'spec', 'template', 'spec')).toMatchObject({
      runtimeClassName: 'nvidia',
      restartPolicy: 'Never',
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
    });
    const [container] = containersOf(job);
    expect(at(container, 'resources', 'limits', 'nvidia.com/gpu')).toBe('1');
    expect(container!.command).toEqual([
      'nvidia-smi',
      '--query-gpu=name,driver_version,memory.total',
      '--format=csv,noheader',
    ]);
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
  for (const manifest of example(name)) {
    for (const container of containersOf(manifest)) {
      expect(at(container, 'securityContext')).toMatchObject({
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
    }
  }
});
