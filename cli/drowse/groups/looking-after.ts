import type { TargetOptions } from '../target';
import type { GpuTestOptions } from '../verbs/gpu-test';
import type { Registry } from '../verb';
import type { DiagnosticsOptions } from '../verbs/diagnostics';
import type { RestoreOptions, SnapshotOptions } from '../verbs/snapshots';

/** Verbs for when something is wrong, and for making sure that nothing is. */
export function lookingAfter({ verb, program, signal, end }: Registry): void {
  verb('doctor', 'Look at all that the next wake needs, and at this machine, and say what is wrong', 'doctor').action(
    async (options: TargetOptions) => {
      end(await (await import('../verbs/doctor')).doctor(options, signal));
    },
  );
  verb('snapshot', 'Save etcd to the bucket now, or list what is there', 'snapshot')
    .option('--list', 'list the snapshots in the bucket, newest first')
    .option('--no-follow', 'only start it')
    .action(async (options: SnapshotOptions) => {
      end(await (await import('../verbs/snapshots')).snapshot(options, signal));
    });
  verb('restore', 'Rehearse a restore of etcd; with --confirm rebuild a lost state volume', 'restore')
    .option('--seat <number>', 'the seat whose volume is to be rebuilt, or on which to rehearse', '0')
    .option('--key <key>', 'a snapshot of snapshot --list', 'latest')
    .option('--confirm <name>', 'the cluster’s name: restore, and do not only rehearse')
    .option('--no-follow', 'only start it')
    .action(async (options: RestoreOptions) => {
      end(await (await import('../verbs/snapshots')).restore(options, signal));
    });
  verb('gpu-test', 'Run nvidia-smi in a Job on a free GPU, and print it', 'gpu-test')
    .option('--all', 'check the rest of the cluster as well: quorum, nodes, DNS, a pod')
    .action(async (options: GpuTestOptions) => {
      end(await (await import('../verbs/gpu-test')).gpuTest(options, signal));
    });
  verb('diagnostics', 'Pack logs and states of nodes, and bring them home', 'diagnostics seat-0')
    .argument('[node]', 'a node (i-…, seat-0, a pool); all of them without it')
    .option('--output <folder>', 'where to put them; a new folder here without it')
    .action(async (node: string | undefined, options: DiagnosticsOptions) => {
      end(await (await import('../verbs/diagnostics')).diagnostics(node, options, signal));
    });
  program
    .command('completion')
    .helpGroup('Look after it:')
    .description('Print what makes your shell complete verbs and options')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', '\nExample:\n  $ drowse completion bash >> ~/.bashrc')
    .action(async (shell: string) => {
      end((await import('../verbs/completion')).completion(shell, program));
    });
}
