import type { TargetOptions } from '../target';
import type { Registry } from '../verb';
import type { KubeconfigOptions } from '../verbs/kubeconfig';
import type { KubectlOptions } from '../verbs/kubectl';
import type { TunnelOptions } from '../verbs/tunnel';

/** Port of this machine that a tunnel takes, if nobody says otherwise. */
const PORT = '6443';

/** Verbs that lead into the cluster. */
export function reaching({ verb, handOver, signal, end }: Registry): void {
  verb('kubeconfig', 'Put a context of the cluster into your kubeconfig, with a certificate of hours', 'kubeconfig')
    .option('--stdout', 'print a whole kubeconfig instead')
    .option('--context <name>', 'name of the context; the cluster’s without it')
    .option('--no-use', 'do not make it the current context, unless there is none')
    .option('--tunnel', 'through a tunnel, though there is a load balancer')
    .option('--administrator', 'as the shared administrator, though the configuration names people')
    .option('--port <number>', 'port of this machine that the tunnel takes', PORT)
    .action(async (options: KubeconfigOptions) => {
      end(await (await import('../verbs/kubeconfig')).kubeconfig(options));
    });
  verb('tunnel', 'Lead a port of this machine to the Kubernetes API, through Session Manager, until Ctrl-C', 'tunnel')
    .option('--port <number>', 'port of this machine', PORT)
    .action(async (options: TunnelOptions) => {
      end(await (await import('../verbs/tunnel')).tunnel(options, signal));
    });
  handOver(
    'kubectl',
    'Run kubectl on the cluster, through a tunnel where there is no other way',
    'kubectl -- get nodes',
  )
    .argument('<args...>', 'what kubectl is told')
    .option('--tunnel', 'through a tunnel, though there is a load balancer')
    .option('--administrator', 'as the shared administrator, though the configuration names people')
    .passThroughOptions()
    .action(async (args: string[], options: KubectlOptions) => {
      end(await (await import('../verbs/kubectl')).kubectl(args, options, signal));
    });
  handOver('shell', 'Open a shell on a node, through Session Manager', 'shell seat-0')
    .argument('<node>', 'i-…, seat-0, or a pool with one node')
    .action(async (node: string, options: TargetOptions) => {
      end(await (await import('../verbs/tunnel')).shell(node, options, signal));
    });
}
