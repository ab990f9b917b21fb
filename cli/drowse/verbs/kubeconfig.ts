import { stringify } from 'yaml';
import { API_PORT } from '../../../core/config/names';
import { EXIT } from '../../terminal/errors';
import { answer } from '../answers';
import { soonExpired } from '../reach/credentials';
import { findDoor, tunnelServer } from '../reach/door';
import { entriesOf, kubeconfigOf } from '../reach/kubeconfig';
import { kubeconfigFile, mergeInto } from '../reach/merge';
import { credentialsFor } from '../reach/personal';
import { count } from '../span';
import { type TargetOptions, targetOf } from '../target';

export interface KubeconfigOptions extends TargetOptions {
  stdout?: boolean;
  tunnel?: boolean;
  port: string;
  context?: string;
  use: boolean;
  administrator?: boolean;
}

/** Puts a context of the cluster into the person's kubeconfig, or prints a whole one. */
export async function kubeconfig(options: KubeconfigOptions): Promise<number> {
  const target = targetOf(options);
  const port = count('--port', options.port, 65_535);
  const [door, credentials] = await Promise.all([
    findDoor(target, options.tunnel === true),
    credentialsFor(target, { administrator: options.administrator === true }),
  ]);
  const server = door.through === 'tunnel' ? tunnelServer(port) : door.server;
  const context = options.context ?? target.cluster;
  const entries = entriesOf(target, credentials, server, context);
  const soon = soonExpired(credentials);
  if (soon !== undefined) console.error(soon);
  if (options.stdout) {
    const whole = kubeconfigOf(entries);
    console.log(options.json ? JSON.stringify(whole) : stringify(whole, { lineWidth: 0 }).trimEnd());
    return EXIT.done;
  }
  const file = kubeconfigFile();
  mergeInto(file, { entries, use: options.use });
  const { expires, person } = credentials;
  if (options.json) {
    answer('kubeconfig', { file, context, server, through: door.through, expires, ...person });
    return EXIT.done;
  }
  console.log(target.description);
  console.log(`Context ${context} in ${file} leads to ${server}, until ${expires}.`);
  if (person) console.log(`There you are ${person.user}, of ${person.groups.join(', ')}.`);
  if (door.through === 'tunnel') {
    const other = port === API_PORT ? '' : ` --port ${String(port)}`;
    console.log(
      `It needs the tunnel: drowse tunnel${other}, in another terminal. drowse kubectl -- get nodes does both.`,
    );
  }
  return EXIT.done;
}
