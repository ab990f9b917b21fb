import type { ClusterConfig } from '../../core/config/schema';
import { imageTagFor } from './charts';
import { releasesOf } from './check/flux';
import { imagesOf } from './check/workloads';
import { readFacts } from './facts/schema';
import { substitute } from './substitute';
import { substitutions } from './substitutions';
import { overlays, readTree } from './tree';

/** Stands in for what only a deployed cluster has, and no image's name depends on; the address is of a range for documentation. */
const SAMPLE = { account: '123456789012', elasticIp: '203.0.113.7' };

/**
 * Every image that the layers of this configuration run, with its registry and tag: of our own objects, of the charts as rendered,
 * and of what operators make of both. A seat keeps them in the bucket (userdata/lib/image-store.sh). What Flux itself runs it asks
 * of the cluster, and what Kubernetes runs, of kubeadm. An overlay that is only in the user's own repository counts as the default.
 */
export function platformImages(config: ClusterConfig): string[] {
  const { overlay, examples } = config.platform;
  const { layers, bootstrap } = readTree({ overlay: overlays().includes(overlay) ? overlay : 'default', examples });
  const values = substitutions(config, SAMPLE);
  const manifests = [...bootstrap, ...layers.flatMap((layer) => layer.manifests)];
  const facts = readFacts();
  const minor = config.kubernetes.version.split('.').slice(0, 2).join('.');
  return imagesOf(
    manifests.map((manifest) => substitute(manifest, values)),
    releasesOf(manifests).flatMap(({ metadata }) => facts[metadata.name] ?? []),
    (chart) => imageTagFor(chart, minor),
  );
}
