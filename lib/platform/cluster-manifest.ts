import type { ClusterConfig } from '../config/schema';
import { substitutions, VALUES_NAME, type Deployed } from './substitutions';

export interface Deployment extends Deployed {
  /** Name of the cluster's bucket. */
  bucketName: string;
}

/** Name of the source and of the root Kustomization, in flux-system. */
export const PLATFORM_NAME = 'platform';
const NAMESPACE = 'flux-system';

/**
 * What tells Flux about this cluster: the substitutions, where the tree is, and which overlay to apply. Uploaded as
 * `platform/bootstrap/cluster.json`, and applied by a seat at bootstrap and at every wake, so that a changed
 * `cluster.yaml` is in force one deploy and one reconcile later. Values may be tokens at synthesis.
 */
export function clusterManifest(config: ClusterConfig, deployment: Deployment) {
  const { overlay } = config.platform;
  const values = substitutions(config, deployment);
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: VALUES_NAME, namespace: NAMESPACE }, data: values },
      source(config, deployment.bucketName),
      {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata: { name: PLATFORM_NAME, namespace: NAMESPACE },
        spec: {
          interval: '10m',
          retryInterval: '30s',
          timeout: '2m',
          path: `./platform/clusters/${overlay}`,
          prune: true,
          sourceRef: { kind: values.source_kind, name: PLATFORM_NAME },
          postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: VALUES_NAME }] },
        },
      },
    ],
  };
}

function source({ platform, region }: ClusterConfig, bucketName: string) {
  const metadata = { name: PLATFORM_NAME, namespace: NAMESPACE };
  if (platform.source === 'git' && platform.git !== undefined) {
    const { url, branch, credentials } = platform.git;
    return {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata,
      spec: {
        interval: '5m',
        timeout: '60s',
        url,
        ref: { branch },
        // The app's sources and everything else that may lie beside the tree are of no use to Flux.
        ignore: '/*\n!/platform',
        ...(credentials && { secretRef: { name: 'git-credentials' } }),
      },
    };
  }
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'Bucket',
    metadata,
    spec: {
      // The bucket changes with a deploy, and a seat asks for a reconcile then: this is only the fallback.
      interval: '10m',
      timeout: '60s',
      // The seat's role, from the metadata service: source-controller is on its host network.
      provider: 'aws',
      bucketName,
      endpoint: `s3.${region}.amazonaws.com`,
      region,
      prefix: 'platform/',
    },
  };
}
