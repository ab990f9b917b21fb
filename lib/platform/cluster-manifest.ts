import type { ClusterConfig } from '../../core/config/schema';
import { substitutions, VALUES_NAME, type Deployed } from './substitutions';
import { exampleComponent } from './tree';

/** Name of the source and of the root Kustomization, in flux-system. */
export const PLATFORM_NAME = 'platform';
const NAMESPACE = 'flux-system';
const SIGNERS_NAME = 'git-signers';

/**
 * What tells Flux about this cluster: the substitutions, where the tree is, and which overlay to apply. A seat applies it at
 * bootstrap and at every wake, so that a changed `cluster.yaml` is in force one deploy and one reconcile later. Values may be
 * tokens at synthesis.
 */
export function clusterManifest(config: ClusterConfig, deployed: Deployed) {
  const { overlay, examples } = config.platform;
  const values = substitutions(config, deployed);
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: VALUES_NAME, namespace: NAMESPACE }, data: values },
      source(config),
      {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata: { name: PLATFORM_NAME, namespace: NAMESPACE },
        spec: {
          interval: '10m',
          retryInterval: '30s',
          timeout: '2m',
          path: `./platform/clusters/${overlay}`,
          components: examples.map(exampleComponent),
          prune: true,
          sourceRef: { kind: values.source_kind, name: PLATFORM_NAME },
          postBuild: { substituteFrom: [{ kind: 'ConfigMap', name: VALUES_NAME }] },
        },
      },
    ],
  };
}

function source({ platform }: ClusterConfig) {
  const metadata = { name: PLATFORM_NAME, namespace: NAMESPACE };
  if (platform.source === 'git' && platform.git !== undefined) {
    const { url, branch, credentials, signingKeys } = platform.git;
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
        // What no signer has signed is not applied: Flux keeps the last commit that was.
        ...(signingKeys.length > 0 && { verify: { mode: 'HEAD', secretRef: { name: SIGNERS_NAME } } }),
      },
    };
  }
  // A seat fetches the tree, checks it, and says in the status where it lies and which digest it must have
  // (userdata/lib/platform-tree.sh; docs/adr/platform-tree-by-digest.md).
  return { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'ExternalArtifact', metadata, spec: {} };
}

/** Public keys of those whose commits Flux applies, as the Secret that it reads them from. */
export function signersSecret(keys: readonly string[]) {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: SIGNERS_NAME, namespace: NAMESPACE },
    stringData: Object.fromEntries(keys.map((key, index) => [`signer-${String(index)}.asc`, key])),
  };
}

/** Value of the parameter by which a deployment says what seats apply: nodes cannot write it. May hold tokens at synthesis. */
export function platformParameter(config: ClusterConfig, deployed: Deployed, treeSha256: string) {
  return { tree: treeSha256, cluster: clusterManifest(config, deployed) };
}
