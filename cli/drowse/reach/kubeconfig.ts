import { namesOf } from '../../../core/config/names';
import type { Target } from '../target';
import type { Credentials } from './credentials';

/** One entry of each of a kubeconfig's lists. */
export interface Entries {
  clusters: { name: string; cluster: Record<string, string> };
  users: { name: string; user: Record<string, string> };
  contexts: { name: string; context: { cluster: string; user: string } };
}

/** Name by which the entries of a cluster are known as ours in a person's file. */
export function entryName({ cluster, region }: Pick<Target, 'cluster' | 'region'>): string {
  return `drowse/${region}/${cluster}`;
}

/**
 * What a kubeconfig holds of a cluster. The server's certificate is of the cluster's fixed name, so that any address leads to it.
 * @param server `https://…:6443`
 */
export function entriesOf(
  target: Target,
  { ca, certificate, key }: Credentials,
  server: string,
  context: string,
): Entries {
  const name = entryName(target);
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return {
    clusters: {
      name,
      cluster: {
        server,
        'tls-server-name': namesOf(target.cluster).endpoint,
        'certificate-authority-data': encode(ca),
      },
    },
    users: { name, user: { 'client-certificate-data': encode(certificate), 'client-key-data': encode(key) } },
    contexts: { name: context, context: { cluster: name, user: name } },
  };
}

/** A kubeconfig of one cluster alone. */
export function kubeconfigOf({ clusters, users, contexts }: Entries): object {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [clusters],
    users: [users],
    contexts: [contexts],
    'current-context': contexts.name,
  };
}
