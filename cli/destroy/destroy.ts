import { createInterface } from 'node:readline/promises';
import { describeTarget, loadConfig } from '../../lib/config/load';
import { namesOf } from '../../core/config/names';
import { deleteStack, mendStack, stackStatus } from '../../lib/deploy/stack-states';
import { CommandFailed, EXIT } from '../terminal/errors';
import { connect } from './aws';
import { type Data, deleteData, describeData, findData } from './data';
import { endTheRest, findAwake, putToSleep } from './sleep';

export interface DestroyOptions {
  config?: string;
  /** Delete what it holds, too. */
  data?: boolean;
  /** The cluster's name, instead of being asked for it. */
  confirm?: string;
  /** Do not put it to sleep first. */
  force?: boolean;
}

/** What was deleted, and what is left. */
export interface Destroyed {
  cluster: string;
  /** What stays and what it costs, a line each. */
  left: string[];
}

/**
 * Deletes a cluster's stacks in a way that leaves nothing billed behind: asleep first, then what belongs to no stack, then
 * the stacks. What it holds stays in its foundation, for the next `make deploy`; with `--data` that goes too.
 */
export async function destroy(
  { config: file = process.env.DROWSE_CONFIG, data: withData = false, confirm, force = false }: DestroyOptions,
  say: (line: string) => void,
): Promise<Destroyed> {
  const config = loadConfig(file);
  const { name: cluster, region } = config;
  const names = namesOf(cluster);
  const aws = await connect(region);
  say(describeTarget(config, file, aws.account));
  if (withData) await askFor(cluster, await findData(aws, cluster), confirm, say);

  const { instances, loadBalancer } = await findAwake(aws, cluster);
  if (force) say('Not put to sleep, as you asked. What etcd holds is on the state volumes alone.');
  else if (instances.length > 0 || loadBalancer) {
    say(`Putting it to sleep (${String(instances.length)} instances) …`);
    if (!(await putToSleep(aws, cluster)))
      say('It has no workflow any more that could; its instances end with their groups.');
  }
  await endTheRest(aws, cluster);

  const { cloudFormation } = aws;
  const stacks = [
    names.operationsStack,
    names.clusterStack,
    names.auditStack,
    ...(withData ? [names.foundationStack] : []),
  ];
  for (const stack of stacks) {
    if ((await stackStatus(cloudFormation, stack)) === undefined) continue;
    await mendStack(cloudFormation, stack, say);
    if ((await stackStatus(cloudFormation, stack)) === undefined) continue;
    say(`Deleting stack ${stack} …`);
    await deleteStack(cloudFormation, stack);
  }
  if (withData) {
    say('Deleting what it held …');
    // What there was before has changed: a sleep keeps a last snapshot, for one.
    await deleteData(aws, await findData(aws, cluster));
  }
  return { cluster, left: describeData(await findData(aws, cluster)) };
}

/** @throws CommandFailed unless the person types the cluster's name */
async function askFor(
  cluster: string,
  data: Data,
  confirm: string | undefined,
  say: (line: string) => void,
): Promise<void> {
  say(['This deletes for good, and no snapshot brings it back:', ...describeData(data)].join('\n  '));
  const typed = confirm ?? (await ask(`Type the cluster's name to go on: `));
  if (typed !== cluster) {
    throw new CommandFailed(`"${typed}" is not "${cluster}"`, 'Nothing was deleted.', '', EXIT.wrongUse);
  }
}

async function ask(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await terminal.question(question)).trim();
  } finally {
    terminal.close();
  }
}
