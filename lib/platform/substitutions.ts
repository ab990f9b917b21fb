import { appOf, namesOf } from '../../core/config/names';
import { dnsSuffixOf, partitionOf } from '../../core/facts/regions';
import type { ClusterConfig } from '../../core/config/schema';
import { imageTagFor } from './charts';

/** What the configuration does not say: known only once the foundation is deployed. May be tokens at synthesis. */
export interface Deployed {
  /** AWS account ID. */
  account: string;
  /** The address that the ingress node carries. */
  elasticIp: string;
}

/** Name of the ConfigMap in flux-system that holds the substitutions. */
export const VALUES_NAME = 'cluster-values';

/**
 * Every `${variable}` of the platform tree, and nothing else: what of `cluster.yaml` reaches the cluster. Values are put into
 * YAML unquoted and must not be empty there: an empty one would become null.
 */
export function substitutions(config: ClusterConfig, { account, elasticIp }: Deployed) {
  const { name, region, kubernetes, app, platform, gpu } = config;
  const names = namesOf(name);
  const minor = kubernetes.version.split('.').slice(0, 2).join('.');
  const { host: domain, certificates, hasWaitingPage } = appOf(config);
  return {
    cluster_name: name,
    region,
    pod_cidr: kubernetes.podCidr,
    calico_dataplane: kubernetes.proxyMode === 'nftables' ? 'Nftables' : 'Iptables',
    elastic_ip: elasticIp,
    app_domain: domain,
    // The ingress, and CloudFront before it: each writes down whom it serves. In quotes, which an environment wants.
    app_proxies: hasWaitingPage ? '"2"' : '"1"',
    app_email: app.email ?? `hostmaster@${domain}`,
    certificate_issuer: certificates === 'letsencrypt' ? 'letsencrypt-production' : certificates,
    cloud_controller_tag: imageTagFor('aws-cloud-controller-manager', minor),
    cluster_autoscaler_tag: imageTagFor('cluster-autoscaler', minor),
    gpu_plugin_config: gpu.slices > 1 ? 'time-sliced' : 'exclusive',
    // The device plugin refuses to slice by less than two, also in the configuration that it does not use.
    gpu_slices: String(Math.max(2, gpu.slices)),
    interruption_queue_url: `https://sqs.${region}.${dnsSuffixOf(region)}/${account}/${names.interruptionQueue}`,
    topic_arn: `arn:${partitionOf(region)}:sns:${region}:${account}:${names.notificationTopic}`,
    source_kind: platform.source === 'git' ? 'GitRepository' : 'ExternalArtifact',
  } satisfies Record<string, string>;
}

/** The values by name, as the ConfigMap holds them. */
export type Substitutions = ReturnType<typeof substitutions>;
