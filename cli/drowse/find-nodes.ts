import { EC2Client } from '@aws-sdk/client-ec2';
import { describeNodes, LIVE_STATES, type NodeInstance } from '../../lambdas/shared/ec2/instances';
import { CommandFailed, EXIT } from '../terminal/errors';
import { ask } from './aws';
import type { Target } from './target';

/** `seat-0`, `seat 0`. */
const SEAT = /^seat[- ]?(\d)$/;

/**
 * Nodes by what people call them: an instance ID, `seat-0`, the name of a pool; all of them without a name.
 * @throws CommandFailed if there is none, with those that there are
 */
export async function findNodes(target: Target, name?: string): Promise<NodeInstance[]> {
  const all = await ask(target, () =>
    describeNodes(new EC2Client({ region: target.region }), target.cluster, LIVE_STATES),
  );
  const nodes = name === undefined ? all : all.filter((node) => isCalled(node, name));
  if (nodes.length > 0) return nodes;
  if (all.length === 0) {
    throw new CommandFailed(
      `${target.description}, has no node: it is asleep, or not deployed`,
      'drowse status says which; drowse wake wakes it.',
    );
  }
  throw new CommandFailed(
    `There is no node ${name ?? ''}`,
    `There are ${all.map(({ id, role, seat, pool }) => `${id} (${role === 'seat' ? `seat-${seat ?? '?'}` : (pool ?? '?')})`).join(', ')}.`,
    '',
    EXIT.wrongUse,
  );
}

/** A seat that answers, or else any that runs. @throws CommandFailed if there is none */
export async function findSeat(target: Target): Promise<NodeInstance> {
  const seats = (await findNodes(target)).filter(({ role, state }) => role === 'seat' && state === 'running');
  const seat = seats.find(({ phase }) => phase === 'ready') ?? seats[0];
  if (seat) return seat;
  throw new CommandFailed(
    `${target.description}, has no control-plane node that runs`,
    'drowse status says why; drowse wake wakes it.',
  );
}

function isCalled({ id, role, seat, pool }: NodeInstance, name: string): boolean {
  const [, index] = SEAT.exec(name) ?? [];
  return id === name || (role === 'seat' && index === seat && index !== undefined) || (pool ?? '') === name;
}
