import * as z from 'zod';
import type { Manifest } from '../manifest';
import { unknownFields } from './unknown-fields';

/** What a class of @kubernetes-models offers: the schema of its project's definition, compiled into `validate`. */
interface PackagedKind {
  apiVersion: string;
  kind: string;
  prototype: { validate(): void };
}

/** The packages are ES modules only, so they are loaded when they are needed. */
async function loadPackaged(): Promise<PackagedKind[]> {
  const modules = await Promise.all([
    import('@kubernetes-models/flux-cd/source.toolkit.fluxcd.io/v1/ExternalArtifact'),
    import('@kubernetes-models/flux-cd/source.toolkit.fluxcd.io/v1/GitRepository'),
    import('@kubernetes-models/flux-cd/source.toolkit.fluxcd.io/v1/HelmChart'),
    import('@kubernetes-models/flux-cd/source.toolkit.fluxcd.io/v1/HelmRepository'),
    import('@kubernetes-models/flux-cd/source.toolkit.fluxcd.io/v1/OCIRepository'),
    import('@kubernetes-models/flux-cd/kustomize.toolkit.fluxcd.io/v1/Kustomization'),
    import('@kubernetes-models/flux-cd/helm.toolkit.fluxcd.io/v2/HelmRelease'),
    import('@kubernetes-models/cert-manager/cert-manager.io/v1/Certificate'),
    import('@kubernetes-models/cert-manager/cert-manager.io/v1/ClusterIssuer'),
    import('@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PodMonitor'),
    import('@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/ServiceMonitor'),
    import('@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1/PrometheusRule'),
    import('@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject'),
  ]);
  return modules.flatMap((module) => Object.values(module) as unknown as PackagedKind[]);
}

const container = z.strictObject({
  name: z.string(),
  resources: z.strictObject({ requests: z.strictObject({ cpu: z.string(), memory: z.string() }) }),
});
const deployment = z.strictObject({
  spec: z.strictObject({ template: z.strictObject({ spec: z.strictObject({ containers: z.array(container) }) }) }),
});
const metadata = z.looseObject({ name: z.string() });

/**
 * No package carries the definitions of these two, so here are the fields that we use, and no others.
 * Sources: docs.tigera.io/calico/3.32/reference/installation/api and keda.sh/http-add-on/1.0/reference/interceptorroute.
 */
const WRITTEN: Readonly<Record<string, z.ZodType>> = {
  'operator.tigera.io/v1 Installation': z.strictObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata,
    spec: z.strictObject({
      variant: z.literal('Calico'),
      calicoNetwork: z.strictObject({
        linuxDataplane: z.enum(['Iptables', 'Nftables']),
        bgp: z.enum(['Enabled', 'Disabled']),
        hostPorts: z.enum(['Enabled', 'Disabled']),
        ipPools: z.array(
          z.strictObject({
            name: z.string(),
            cidr: z.cidrv4(),
            blockSize: z.int().min(20).max(32),
            encapsulation: z.enum(['IPIPCrossSubnet', 'IPIP', 'VXLAN', 'VXLANCrossSubnet', 'None']),
            natOutgoing: z.enum(['Enabled', 'Disabled']),
            nodeSelector: z.string(),
          }),
        ),
        nodeAddressAutodetectionV4: z.strictObject({ kubernetes: z.literal('NodeInternalIP') }),
      }),
      kubeletVolumePluginPath: z.string(),
      controlPlaneReplicas: z.int().positive(),
      nodeUpdateStrategy: z.strictObject({
        type: z.enum(['RollingUpdate', 'OnDelete']),
        rollingUpdate: z.strictObject({ maxUnavailable: z.int() }),
      }),
      typhaAffinity: z.strictObject({ nodeAffinity: z.looseObject({}) }),
      calicoNodeDaemonSet: deployment,
      typhaDeployment: deployment,
      calicoKubeControllersDeployment: deployment,
    }),
  }),
  'http.keda.sh/v1beta1 InterceptorRoute': z.strictObject({
    apiVersion: z.string(),
    kind: z.string(),
    metadata,
    spec: z.strictObject({
      target: z.strictObject({ service: z.string(), port: z.int() }),
      rules: z.array(z.strictObject({ hosts: z.array(z.string()) })),
      scalingMetric: z.strictObject({ concurrency: z.strictObject({ targetValue: z.int().positive() }) }),
      coldStart: z.strictObject({
        placeholder: z.strictObject({
          response: z.strictObject({
            statusCode: z.int().min(200).max(599),
            headers: z.record(z.string(), z.string()),
            body: z.string(),
          }),
        }),
      }),
    }),
  }),
};

/** Knows every kind of custom resource that the tree uses. */
export class CustomSchemas {
  private constructor(private readonly packaged: readonly PackagedKind[]) {}

  static async load(): Promise<CustomSchemas> {
    return new CustomSchemas(await loadPackaged());
  }

  /** What is wrong with a custom resource; a kind that we have no schema of is wrong. */
  validate(manifest: Manifest): string[] {
    const key = `${manifest.apiVersion} ${manifest.kind}`;
    const written = WRITTEN[key];
    if (written) {
      const { error } = written.safeParse(manifest);
      return error ? error.issues.map(({ path, message }) => `/${path.join('/')} ${message}`) : [];
    }
    const packaged = this.packaged.find(({ apiVersion, kind }) => `${apiVersion} ${kind}` === key);
    if (!packaged) return [`no schema of ${key}`];
    // As a method of whatever is checked, so that no copy is made of it.
    const validate = (data: unknown): string[] => {
      try {
        packaged.prototype.validate.call(data);
        return [];
      } catch (error) {
        return [(error as Error).message.replaceAll('data/', '/')];
      }
    };
    return [...validate(manifest), ...unknownFields(manifest, validate).map((field) => `${field}: no such field`)];
  }
}
