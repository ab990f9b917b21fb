import type { Life } from './life';
import { resizeSeat } from './seats';

/** Longest wait for what the cluster rolls out by itself. */
const SETTLE_SECONDS = 300;

/**
 * The configuration names the next minor: nodes take it at their next boot, and what all nodes share follows.
 * @throws LifeBroken a workflow ended otherwise than it should
 */
export async function upgrade(life: Life, deploy: () => Promise<void>): Promise<void> {
  const { session } = life;
  life.heading('upgrade');
  await deploy();
  const { version } = session.config.kubernetes;
  const { seats } = session.config.controlPlane;
  if (session.platform) {
    await life.workflow('sleep');
    await life.workflow('wake');
  } else {
    // All at once, as a sleep and a wake do it.
    for (let seat = 0; seat < seats; seat++) await resizeSeat(life, seat, 0);
    for (let seat = 0; seat < seats; seat++) await resizeSeat(life, seat, 1);
  }
  await life.checkWhole(`the upgrade to ${version}`, 0);
  await checkVersions(life, `v${version}`);
}

interface Versioned {
  metadata: { name: string };
  status: { nodeInfo: { kubeletVersion: string } };
}
interface WithImages {
  metadata: { name: string };
  spec: { containers: { image: string }[] };
}

/** Kubelets, control plane, kube-proxy and kubeadm's own ConfigMap are of the version. */
async function checkVersions(life: Life, version: string): Promise<void> {
  const { cluster, recorder } = life;
  const nodes = await cluster.list<Versioned>(['nodes']);
  const kubelets = nodes.map(({ metadata: { name }, status }) => `${name} ${status.nodeInfo.kubeletVersion}`);
  recorder.check(
    `kubelets are ${version}`,
    kubelets.every((one) => one.endsWith(` ${version}`)),
    kubelets.join(', '),
  );
  const ours = /kube-(apiserver|controller-manager|scheduler|proxy):/;
  let images: string[] = [];
  const followed = await cluster.within(SETTLE_SECONDS, async () => {
    const pods = await cluster.list<WithImages>(['pods', '--namespace', 'kube-system']);
    images = pods.flatMap(({ spec }) => spec.containers.map(({ image }) => image)).filter((image) => ours.test(image));
    return images.length > 0 && images.every((image) => image.endsWith(`:${version}`));
  });
  recorder.check(`control plane and kube-proxy are ${version}`, followed, [...new Set(images)].join(', '));
  const shared = await cluster.kubectl([
    'get',
    'configmap',
    'kubeadm-config',
    '--namespace',
    'kube-system',
    '--output',
    'yaml',
  ]);
  recorder.check(`kubeadm-config is of ${version}`, shared.includes(`kubernetesVersion: ${version}`), shared);
}
