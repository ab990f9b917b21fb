import { namesOf, TAG } from '../lib/config/names';
import type { Ec2, SimInstance } from './aws/ec2';
import type { S3 } from './aws/s3';
import type { DocumentScript, Ssm } from './aws/ssm';
import { etcdDocuments } from './etcd-documents';

/** What the cluster's scripts would find and change, as far as the workflows can tell. */
export interface InCluster {
  /** Names of the Node objects. */
  nodes: Set<string>;
  platform: { installs: number; at: string | undefined };
  /** Folders of the sets in the bucket, oldest first. */
  snapshots: string[];
  /** How much it is used, as measure-activity finds out; null for what it can't. */
  activity: Record<'requests' | 'gpuPercent' | 'jobs' | 'pods', number | null>;
}

/** What of the platform needs which nodes. */
const LAYERS = { ingress: 'none', 'cert-manager': 'workers', monitoring: 'workers', app: 'gpu' };

/** What gets ready without the nodes that are not there, and what is left out. */
function layersWithout(missing: string): { ready: string[]; leftOut: string[] } {
  const isLeftOut = (needs: string) => needs !== 'none' && (needs === missing || missing === 'workers');
  const names = (leftOut: boolean) =>
    Object.entries(LAYERS)
      .filter(([, needs]) => isLeftOut(needs) === leftOut)
      .map(([name]) => name);
  return { ready: names(false), leftOut: names(true) };
}

/** Answers for each of our documents; seconds are what the real scripts take on a small cluster. */
export function addDocuments(ssm: Ssm, ec2: Ec2, s3: S3, cluster: string, inside: InCluster): void {
  const names = namesOf(cluster);
  const poolNodes = (): SimInstance[] => ec2.in('running').filter(({ tags }) => tags[TAG.role] === 'pool');
  const now = (): string => new Date().toISOString();
  const scripts: Record<string, DocumentScript> = {
    'mint-join-token': ({ Pool = '' }) => {
      const parameter = names.joinParameter(Pool);
      const expiresAt = new Date(Date.now() + 1_800_000).toISOString();
      const effect = () => ssm.parameters.set(parameter, JSON.stringify({ expiresAt }));
      return { seconds: 1, result: { ok: true, parameter, expiresAt }, effect };
    },
    'drain-nodes': () => ({ seconds: 30, result: { ok: true, drained: poolNodes().map(({ id }) => id), stuck: [] } }),
    ...etcdDocuments({ ec2, s3, cluster, inside }),
    'smoke-test': () => ({
      seconds: 20,
      result: { ok: true, checks: [{ name: 'nodes-ready', ok: true, detail: `${String(inside.nodes.size)} nodes` }] },
    }),
    'delete-stale-nodes': () => {
      const live = new Set(ec2.in('running').map(({ id }) => id));
      const nodes = [...inside.nodes].filter((name) => !live.has(name));
      return {
        seconds: 2,
        result: { ok: true, nodes, volumeAttachments: 0 },
        effect: () => nodes.forEach((n) => inside.nodes.delete(n)),
      };
    },
    'measure-activity': () => ({ seconds: 3, result: { ok: true, ...inside.activity, at: now() } }),
    'install-network': () => ({ seconds: 25, result: { ok: true, ready: ['calico', 'flux'] } }),
    'reconcile-platform': ({ Without = 'none' }) => ({
      seconds: inside.platform.installs === 0 ? 120 : 45,
      result: { ok: true, ...layersWithout(Without), at: now() },
      effect: () => {
        inside.platform.installs += 1;
        inside.platform.at = now();
      },
    }),
  };
  for (const [command, script] of Object.entries(scripts)) ssm.documents.set(names.document(command), script);
}
