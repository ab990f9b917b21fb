import type { ClusterConfig } from '../../core/config/schema';
import { nodeInstall } from '../node';
import { readCharts } from './charts';
import { platformImages } from './images';

/** Names of registries that are no hosts. */
const HOSTS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };

/**
 * Addresses that answer as long as nodes get their packages, and the platform its charts and images: one of each host. A wake asks
 * registries only for what the bucket does not have (docs/adr/a-wake-asks-no-registry.md); nodes ask for packages at each launch.
 */
export function platformSources(config: ClusterConfig): string[] {
  const { kubernetes, containerd, nvidiaToolkit } = nodeInstall(config.kubernetes.version);
  const gpus = config.pools.some(({ gpu }) => gpu) ? [nvidiaToolkit] : [];
  const packages = [kubernetes, containerd, ...gpus].map(({ repository }) => repository.keyUrl);
  const origins = Object.values(readCharts()).map(({ origin }) => origin.split(' ')[0] ?? '');
  const indexes = origins.filter((origin) => origin.startsWith('https://')).map((origin) => `${origin}/index.yaml`);
  const registries = [
    ...origins.filter((origin) => origin.startsWith('oci://')).map((origin) => new URL(origin).host),
    ...platformImages(config).map((image) => image.split('/')[0] ?? ''),
  ].map((name) => `https://${HOSTS[name] ?? name}/v2/`);
  const byHost = new Map([...packages, ...registries, ...indexes].toReversed().map((url) => [new URL(url).host, url]));
  return [...byHost.values()].sort();
}
