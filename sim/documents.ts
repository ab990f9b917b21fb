import { namesOf, TAG } from '../core/config/names';
import type { ClusterConfig } from '../core/config/schema';
import { overlays, readTree, type Tree } from '../lib/platform/tree';
import type { Ec2, SimInstance } from './aws/ec2';
import type { S3 } from './aws/s3';
import type { CommandAnswer, DocumentScript, Ssm } from './aws/ssm';
import type { Etcd } from './etcd';
import { etcdDocuments } from './etcd-documents';
import type { InCluster } from './in-cluster';

/** Seconds of reconcile-platform where Flux has all charts: measured with the real script on a settled cluster of 1.36.2. */
const RECONCILE_SECONDS = 8;
/** The same where every chart is fetched and every image pulled for the first time. An estimate. */
const RECONCILE_FIRST_SECONDS = 120;

/** What gets ready of the tree's layers without the nodes that are not there, and what is left out. */
function layersWithout(platform: ClusterConfig['platform'], missing: string): { ready: string[]; leftOut: string[] } {
  const { kustomizations, layers } = treeOf(platform);
  const left = new Set<string>();
  const isLeftOut = (name: string, needs = '') =>
    (missing !== 'none' && needs !== '' && (needs === missing || missing === 'workers')) ||
    layers.some((layer) => layer.name === name && layer.dependsOn.some((other) => left.has(other)));
  let size: number;
  do {
    ({ size } = left);
    for (const { metadata } of kustomizations)
      if (isLeftOut(metadata.name, metadata.labels?.['drowse.dev/needs'])) left.add(metadata.name);
  } while (left.size > size);
  const names = layers.map(({ name }) => name).sort();
  return { ready: names.filter((name) => !left.has(name)), leftOut: names.filter((name) => left.has(name)) };
}

/** The tree does not change while a process runs, and building it takes longer than a simulated life. */
const trees = new Map<string, Tree>();

/** The tree of a configuration; an overlay that is only in the user's own repository is taken for the default. */
function treeOf({ overlay, examples }: ClusterConfig['platform']): Tree {
  const shipped = overlays().includes(overlay) ? overlay : 'default';
  const key = [shipped, ...examples].join(' ');
  const tree = trees.get(key) ?? readTree({ overlay: shipped, examples });
  trees.set(key, tree);
  return tree;
}

interface World {
  ssm: Ssm;
  ec2: Ec2;
  s3: S3;
  etcd: Etcd;
  inside: InCluster;
}

/** As long as a script asks a silent API: `require_api` in userdata/lib/command.sh. */
const NO_API: CommandAnswer = {
  seconds: 15,
  result: { ok: false, error: 'ApiNotReady', message: 'the API server does not answer: etcd has no quorum' },
};
/** Commands that are of use where the API does not answer. */
const WITHOUT_API = new Set(['restore-etcd', 'collect-diagnostics']);

/** Answers for each of our documents; seconds are what the real scripts take on a small cluster. */
export function addDocuments({ ssm, ec2, s3, etcd, inside }: World, config: ClusterConfig): void {
  const cluster = config.name;
  const names = namesOf(cluster);
  const poolNodes = (): SimInstance[] => ec2.in('running').filter(({ tags }) => tags[TAG.role] === 'pool');
  const now = (): string => new Date().toISOString();
  const scripts: Record<string, DocumentScript> = {
    'mint-join-token': ({ Pool = '', InstanceIds = '' }) => {
      const parameters = InstanceIds.split(',').map((id) => names.joinParameter(Pool, id));
      const expiresAt = new Date(Date.now() + 1_800_000).toISOString();
      const effect = () =>
        parameters.forEach((parameter) => ssm.parameters.set(parameter, JSON.stringify({ expiresAt })));
      return { seconds: 1, result: { ok: true, parameters, expiresAt }, effect };
    },
    'drain-nodes': () => {
      const drained = poolNodes().map(({ id }) => id);
      // All are cordoned before the first is drained.
      for (const id of drained) inside.cordoned.add(id);
      return { seconds: 30, result: { ok: true, drained, stuck: [] } };
    },
    'uncordon-nodes': () => ({ seconds: 2, result: { ok: true }, effect: () => inside.cordoned.clear() }),
    ...etcdDocuments({ ec2, s3, cluster, inside, etcd }),
    'issue-certificate': () => ({
      seconds: 1,
      // Nobody in the twin reads them.
      result: { ok: true, certificate: 'PEM', ca: 'PEM', expiresAt: new Date(Date.now() + 43_200_000).toISOString() },
    }),
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
      seconds: inside.platform.installs === 0 ? RECONCILE_FIRST_SECONDS : RECONCILE_SECONDS,
      result: { ok: true, ...layersWithout(config.platform, Without), at: now() },
      effect: () => {
        inside.platform.installs += 1;
        inside.cordoned.clear();
        inside.platform.at = now();
      },
    }),
  };
  for (const [command, script] of Object.entries(scripts)) {
    ssm.documents.set(names.document(command), (parameters, instanceId) =>
      WITHOUT_API.has(command) || etcd.hasQuorum() ? script(parameters, instanceId) : NO_API,
    );
  }
}
