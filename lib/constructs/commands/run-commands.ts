import * as ssm from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { namesOf } from '../../../core/config/names';

interface Parameter {
  description: string;
  default?: string;
  /** What Systems Manager lets through: values reach a shell, so nothing that a shell would read goes in. */
  allowedPattern: string;
}

interface Command {
  description: string;
  parameters: Readonly<Record<string, Parameter>>;
}

const SECONDS = '^[1-9][0-9]{0,4}$';

/** What workflows run on nodes: each is a script of the node bundle, `/opt/drowse/commands/<name>.sh`. */
export const COMMANDS = {
  'mint-join-token': {
    description: 'Mint short-lived join tokens, each kept where only its instance reads it',
    parameters: {
      Pool: { description: 'Name of the pool', allowedPattern: '^[a-z]([a-z0-9-]*[a-z0-9])?$' },
      InstanceIds: {
        description: 'The instances that join, with commas in between',
        allowedPattern: '^i-[0-9a-f]{8,17}(,i-[0-9a-f]{8,17}){0,24}$',
      },
    },
  },
  'drain-nodes': {
    description: 'Evict the pods of every pool node, budgets honoured',
    parameters: {
      PerNodeSeconds: { description: 'Longest wait for one node, in seconds', allowedPattern: SECONDS, default: '120' },
    },
  },
  'uncordon-nodes': { description: 'Give back the nodes that were drained for a sleep', parameters: {} },
  'snapshot-etcd': {
    description: 'Snapshot etcd and the authorities into the bucket, and check what was written',
    parameters: {
      Reason: { description: 'Why: part of the name', allowedPattern: '^(sleep|schedule|manual)$', default: 'manual' },
    },
  },
  'restore-etcd': {
    description: 'Rebuild the blank volume of a seat from a snapshot, or only try whether it could be',
    parameters: {
      Key: { description: 'The snapshot in the bucket', allowedPattern: '^snapshots/[A-Za-z0-9._/-]+/etcd\\.db$' },
      DryRun: { description: 'true: change nothing', allowedPattern: '^(true|false)$', default: 'true' },
    },
  },
  'measure-activity': {
    description: 'Find out how much the cluster is used: requests, GPUs, Jobs, pods',
    parameters: {
      WindowMinutes: { description: 'How far to look back, in minutes', allowedPattern: '^[1-9][0-9]{0,2}$' },
      PodLabels: {
        description: 'Labels (key=value, with commas in between) of the pods that count as use',
        allowedPattern: '^[A-Za-z0-9./_=,-]{1,1500}$',
        default: 'none',
      },
    },
  },
  'delete-stale-nodes': {
    description: 'Delete the Node objects and volume attachments of instances that are gone',
    parameters: {},
  },
  'issue-kubeconfig': { description: 'Make new credentials for operators, which hold for hours', parameters: {} },
  'issue-certificate': {
    description: 'Sign the certificate of one person, by name and groups',
    parameters: {
      User: { description: 'Who it is for', allowedPattern: '^[A-Za-z0-9_+=,.@:/-]{1,64}$' },
      Groups: {
        description: 'Groups of Kubernetes, with commas in between',
        allowedPattern: '^[A-Za-z0-9][A-Za-z0-9:._/-]{0,63}(,[A-Za-z0-9][A-Za-z0-9:._/-]{0,63}){0,7}$',
      },
      Request: {
        description: 'Certificate request (PKCS #10, DER) in base64',
        allowedPattern: '^[A-Za-z0-9+/]{100,1000}={0,2}$',
      },
    },
  },
  'smoke-test': {
    description: 'Check that the cluster works: quorum, nodes, DNS, GPUs, a pod',
    parameters: {
      Checks: { description: 'all, or gpu: nvidia-smi alone', allowedPattern: '^(all|gpu)$', default: 'all' },
    },
  },
  'collect-diagnostics': { description: 'Pack logs and states of a node into the bucket', parameters: {} },
  'install-network': { description: 'Install the network plugin and Flux on a new cluster', parameters: {} },
  'reconcile-platform': {
    description: 'Bring the platform to what its tree says, and wait for it',
    parameters: {
      Without: {
        description: 'Nodes that are not there: nobody waits for what needs them',
        allowedPattern: '^(none|gpu|workers)$',
        default: 'none',
      },
    },
  },
} satisfies Readonly<Record<string, Command>>;
export type CommandName = keyof typeof COMMANDS;

/** The Systems Manager documents through which workflows run scripts on nodes: nothing but these names and values. */
export class RunCommands extends Construct {
  constructor(scope: Construct, id: string, { cluster }: { cluster: string }) {
    super(scope, id);
    for (const [name, command] of Object.entries<Command>(COMMANDS)) {
      new ssm.CfnDocument(this, name, {
        name: namesOf(cluster).document(name),
        documentType: 'Command',
        documentFormat: 'JSON',
        // The documents are named by the handlers: a change must not replace them.
        updateMethod: 'NewVersion',
        content: documentOf(name, command),
      });
    }
  }
}

function documentOf(name: string, { description, parameters }: Command) {
  const options = Object.keys(parameters).map((parameter) => ` --${kebab(parameter)} '{{ ${parameter} }}'`);
  return {
    schemaVersion: '2.2',
    description,
    parameters: {
      ExecutionTimeout: {
        type: 'String',
        description: 'Longest run of the script, in seconds',
        default: '600',
        allowedPattern: SECONDS,
      },
      ...Object.fromEntries(
        Object.entries(parameters).map(([parameter, definition]) => [parameter, { type: 'String', ...definition }]),
      ),
    },
    mainSteps: [
      {
        action: 'aws:runShellScript',
        name: 'run',
        inputs: {
          timeoutSeconds: '{{ ExecutionTimeout }}',
          runCommand: [`exec /opt/drowse/commands/${name}.sh${options.join('')}`],
        },
      },
    ],
  };
}

function kebab(name: string): string {
  return name.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}
