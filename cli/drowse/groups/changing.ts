import type { Registry } from '../verb';
import type { AppVerbOptions } from '../verbs/app';
import type { DeployOptions } from '../verbs/deploy';
import type { DestroyOptions } from '../verbs/destroy';
import type { InitOptions } from '../verbs/init';
import type { WorkflowOptions } from '../verbs/wake-and-sleep';

/** Verbs that make a cluster, change it, and delete it. */
export function changing({ offline, verb, signal, end }: Registry): void {
  offline(
    'init',
    'Write a cluster.yaml: by flags, and on a terminal by questions for the rest',
    'init --my-ip --hours 08:00-19:00',
  )
    .option('--name <name>', 'name of the cluster')
    .option('--region <region>', 'AWS region')
    .option('--my-ip', 'open the Kubernetes API to the address that you have now, through a load balancer')
    .option('--tunnel', 'reach the Kubernetes API through Session Manager alone')
    .option('--hours <from-to>', 'when it is awake from Monday to Friday, for example 08:00-19:00')
    .option('--time-zone <zone>', 'of the hours, for example Europe/Berlin; this machine’s without it')
    .option('--always-on', 'no schedules')
    .option('--email <address>', 'who hears of sleeps, wakes and failures')
    .option('--domain <host>', 'host name of the app')
    .option('--yes', 'ask nothing')
    .option('--force', 'replace a file that is there')
    .action(async (options: InitOptions) => {
      end(await (await import('../verbs/init')).init(options, signal));
    });
  offline('deploy', 'Deploy the cluster of the configuration into your AWS account', 'deploy')
    .argument('[cdk...]', 'more options for the CDK CLI, after --')
    .option('--ask', 'show changes of rights first, and ask')
    .action(async (more: string[], options: DeployOptions) => {
      end(await (await import('../verbs/deploy')).deploy(more, options, signal));
    });
  offline('diff', 'Show what a deploy would change in your account', 'diff').action(async (options: DeployOptions) => {
    end(await (await import('../verbs/deploy')).diff(options, signal));
  });
  offline('destroy', 'Put the cluster to sleep and delete its stacks; what it holds stays', 'destroy')
    .option('--data', 'delete what it holds, too: Elastic IP, volumes, snapshots, bucket, table, parameters')
    .option('--confirm <name>', 'the cluster’s name, instead of being asked for it')
    .option('--force', 'do not put it to sleep first')
    .action(async (options: DestroyOptions) => {
      end(await (await import('../verbs/destroy')).destroy(options, signal));
    });
  verb('bootstrap', 'Make a deployed cluster for the first time, and follow the steps', 'bootstrap')
    .option('--no-follow', 'only start it')
    .action(async (options: WorkflowOptions) => {
      end(await (await import('../verbs/wake-and-sleep')).start('bootstrap', options, signal));
    });
  verb('platform', 'Bring what runs in the cluster to what its tree says, and follow that', 'platform')
    .option('--no-follow', 'only start it')
    .action(async (options: WorkflowOptions) => {
      end(await (await import('../verbs/wake-and-sleep')).start('install-platform', options, signal));
    });
  offline(
    'app',
    'Build the app’s image, push it, and have the cluster run it; goes back if that fails',
    'app --dry-run',
  )
    .option('--image <repository>', 'registry and repository to push to; app.image of the configuration without it')
    .option('--context <name>', 'context of the kubeconfig; the current one without it')
    .option('--timeout <seconds>', 'how long the new image may take to get ready', '600')
    .option('--dry-run', 'print each command instead of running it')
    .action(async (options: AppVerbOptions) => {
      end(await (await import('../verbs/app')).app(options));
    });
}
