import { execa } from 'execa';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PAUSE_IMAGE } from '../../lib/node/install';
import { SCRIPTS } from './paths';

/** One file of an image: copied from this machine, written as it stands here, or a symbolic link. */
export type ImageFile = { target: string } & ({ source: string } | { text: string } | { link: string });

/** An image that `images.py` makes. */
export interface ImageSpecification {
  reference: string;
  entrypoint?: string[];
  /** User and group that it runs as, as numbers (`65534:65534`); root unless it is said. */
  user?: string;
  files: ImageFile[];
}

/** What the pause image's program does, as a shell does it. */
const PAUSE = "trap 'exit 0' TERM INT; /bin/busybox sleep 2147483647 & wait";

/** Programs that kube-proxy runs, with what they load. */
const PACKET_FILTERS = ['/usr/sbin/xtables-nft-multi', '/usr/sbin/nft', '/usr/sbin/conntrack'];
const XTABLES = ['iptables', 'ip6tables', 'iptables-nft', 'ip6tables-nft'].flatMap((name) => [
  name,
  `${name}-save`,
  `${name}-restore`,
]);

/**
 * Images of the control plane and of what runs on every node, out of built programs.
 * @param programs path of each program by its name
 * @param references kubeadm's names of the images (see {@link kubeadmImages})
 * @param rootfs user land that the packet filters come from
 */
export async function nodeImages(
  programs: Readonly<Record<string, string>>,
  references: Readonly<Record<string, string>>,
  rootfs: string,
): Promise<ImageSpecification[]> {
  const program = (name: string, target: string): ImageFile => ({ source: required(programs, name), target });
  const busybox = { source: path.join(rootfs, 'usr/bin/busybox'), target: '/bin/busybox' };
  const controlPlane = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((name) => ({
    reference: required(references, name),
    files: [program(name, `/usr/local/bin/${name}`)],
  }));
  return [
    ...controlPlane,
    {
      reference: required(references, 'etcd'),
      files: ['etcd', 'etcdctl', 'etcdutl'].map((name) => program(name, `/usr/local/bin/${name}`)),
    },
    { reference: required(references, 'coredns'), entrypoint: ['/coredns'], files: [program('coredns', '/coredns')] },
    // The kernel keeps a pod's namespaces for as long as anything sleeps in them; it must end when it is asked to.
    { reference: PAUSE_IMAGE, entrypoint: ['/bin/busybox', 'sh', '-c', PAUSE], files: [busybox] },
    {
      reference: required(references, 'kube-proxy'),
      files: [
        program('kube-proxy', '/usr/local/lib/kube-proxy'),
        { text: readFileSync(path.join(SCRIPTS, 'kube-proxy.sh'), 'utf8'), target: '/usr/local/bin/kube-proxy' },
        busybox,
        ...['sh', 'sed'].map((name) => ({ link: '/bin/busybox', target: `/bin/${name}` })),
        ...XTABLES.map((name) => ({ link: '/usr/sbin/xtables-nft-multi', target: `/usr/sbin/${name}` })),
        // Extensions need libraries of their own: what chooses among several API servers does.
        ...(await withLibraries(rootfs, [...PACKET_FILTERS, ...extensionsOf(rootfs)])),
      ],
    },
    { reference: 'docker.io/library/busybox:lab', files: busyboxFiles(busybox) },
  ];
}

/** AWS's cloud controller, which finds AWS under its own names and trusts what answers there. */
export function cloudImages(programs: Readonly<Record<string, string>>, certificate: string): ImageSpecification[] {
  const name = 'aws-cloud-controller-manager';
  return [
    {
      reference: `registry.k8s.io/provider-aws/cloud-controller-manager:lab`,
      entrypoint: [`/bin/${name}`],
      files: [
        { source: required(programs, name), target: `/bin/${name}` },
        { source: certificate, target: '/etc/ssl/certs/ca-certificates.crt' },
      ],
    },
  ];
}

function busyboxFiles(busybox: ImageFile): ImageFile[] {
  const applets = ['cat', 'cp', 'date', 'echo', 'env', 'httpd', 'ls', 'mkdir', 'nslookup', 'sh', 'sleep', 'wget'];
  return [busybox, ...applets.map((name) => ({ link: '/bin/busybox', target: `/bin/${name}` }))];
}

async function withLibraries(rootfs: string, files: readonly string[]): Promise<ImageFile[]> {
  const { stdout } = await execa('chroot', [rootfs, 'ldd', ...files]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file);
  return [...new Set([...files, ...libraries])].map((file) => ({ source: path.join(rootfs, file), target: file }));
}

function extensionsOf(rootfs: string): string[] {
  const folder = '/usr/lib/x86_64-linux-gnu/xtables';
  if (!existsSync(path.join(rootfs, folder))) return [];
  return readdirSync(path.join(rootfs, folder)).map((name) => `${folder}/${name}`);
}

function required(table: Readonly<Record<string, string>>, name: string): string {
  const found = table[name];
  if (found === undefined) throw new Error(`The images of the lab lack ${name}`);
  return found;
}
