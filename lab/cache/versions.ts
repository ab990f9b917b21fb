import { execa } from 'execa';
import { CommandFailed, tail } from '../../cli/terminal/errors';

/**
 * The images that kubeadm names for its version, as `{ 'kube-apiserver': 'registry.k8s.io/kube-apiserver:v1.36.3', … }`.
 * @throws CommandFailed kubeadm does not say
 */
export async function kubeadmImages(kubeadm: string, version: string): Promise<Record<string, string>> {
  const listed = await execa(kubeadm, ['config', 'images', 'list', '--kubernetes-version', `v${version}`], {
    reject: false,
    all: true,
  });
  if (listed.failed)
    throw new CommandFailed('kubeadm names no images', `Try it by hand: ${kubeadm}`, tail(listed.all ?? ''));
  const references = listed.stdout.split('\n').filter((line) => line !== '');
  return Object.fromEntries(references.map((reference) => [nameOf(reference), reference]));
}

/** `registry.k8s.io/coredns/coredns:v1` → `coredns`. */
function nameOf(reference: string): string {
  return /([^/:]+):[^/]+$/.exec(reference)?.[1] ?? reference;
}
