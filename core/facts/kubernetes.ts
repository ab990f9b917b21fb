import facts from './kubernetes.json';

const RELEASES = facts.releases as Readonly<Record<string, readonly number[]>>;

/** Minors that the table knows. */
export const KUBERNETES_RELEASED: readonly string[] = Object.keys(RELEASES);

/** A month (ms): Kubernetes releases about one patch of each minor a month. */
const MONTH_MS = 30 * 24 * 3_600_000;

/**
 * Whether a version exists: it is in the table, or a later patch that may have come out since the table was made, one a
 * month at most.
 * @returns undefined if it does or may, else the newest that is known of its minor
 */
export function unreleased(version: string, now: Date): string | undefined {
  const [, minor = '', patch = ''] = /^(\d+\.\d+)\.(\d+)$/.exec(version) ?? [];
  const known = RELEASES[minor] ?? [];
  const newest = known.at(-1) ?? 0;
  const since = Math.max(0, Math.floor((now.getTime() - Date.parse(facts.date)) / MONTH_MS));
  const exists = known.includes(Number(patch)) || (Number(patch) > newest && Number(patch) <= newest + since);
  return exists ? undefined : `${minor}.${String(newest)}`;
}

/** When the table was made (YYYY-MM-DD). */
export const KUBERNETES_DATE = facts.date;

/** Whether a label is one of Kubernetes's own (`kubernetes.io`, `k8s.io` and their subdomains). */
export function isKubernetesLabel(key: string): boolean {
  const namespace = namespaceOf(key);
  return namespace !== undefined && ['kubernetes.io', 'k8s.io'].some((domain) => isWithin(namespace, domain));
}

/** Namespaces in which a kubelet may set any label on its own node. */
export const KUBELET_LABEL_NAMESPACES: readonly string[] = facts.kubeletLabelNamespaces;

/** Whether a kubelet may set a label on its own node, and leaves its value to whoever configures it. */
export function isKubeletLabel(key: string): boolean {
  const namespace = namespaceOf(key);
  if (facts.kubeletLabels.includes(key)) return false;
  return namespace !== undefined && KUBELET_LABEL_NAMESPACES.some((domain) => isWithin(namespace, domain));
}

function namespaceOf(key: string): string | undefined {
  return key.includes('/') ? key.split('/')[0] : undefined;
}

function isWithin(namespace: string, domain: string): boolean {
  return namespace === domain || namespace.endsWith(`.${domain}`);
}
