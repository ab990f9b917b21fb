import { leased, type DegradedPool } from '../../core/record/contracts';
import type * as z from 'zod';
import { poolDeps } from '../shared/step/deps';
import {
  findRefusedSeats,
  findShortPools,
  heldSince,
  type PoolDeps,
  recordLacks,
  requireIngress,
  type ShortPool,
} from '../shared/ec2/short-pools';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true, startedAt: true });

/** From the time that a workflow has the cluster until it goes on without the pools that AWS gives nothing (ms). */
const PATIENCE_MS = 5 * 60_000;
/** The same for a pool that has another market to try, and for one of which AWS says nothing at all. */
const LONG_PATIENCE_MS = 10 * 60_000;

/** A pool has fewer ready nodes than it should. */
export class NodesNotReady extends Error {
  override readonly name = 'NodesNotReady';
}

/** The pool that carries the Elastic IP does not launch any more, since too many of its nodes failed in a row. */
export class LaunchesHeld extends Error {
  override readonly name = 'LaunchesHeld';
}

/**
 * Waits until each pool has as many ready nodes as it should. Getting each of them in is join-node's business, which
 * also ends a node that fails, so that its group tries another. A refusal is named at once, and after a while (at once,
 * if no waiting cures it) the rest goes on without: the group keeps trying, and so does recover-pools. So it is with a
 * seat that AWS refuses while the others serve. Without the ingress there is no going on where nothing more can come.
 * @throws NodesNotReady until then
 * @throws LaunchesHeld nothing more will come of waiting for the ingress
 * @throws LaunchRefused AWS will never launch the ingress
 */
export const waitForNodes =
  (deps: PoolDeps) =>
  async ({ startedAt }: z.output<typeof input>): Promise<{ missing: number; degraded: DegradedPool[] }> => {
    const since = await heldSince(deps, startedAt);
    const short = await findShortPools(deps, since);
    const told = short.map((pool) => pool.told).join('; ');
    if (short.some(({ ingress, lack }) => ingress && lack?.held)) throw new LaunchesHeld(told);
    requireIngress(short);
    const waited = (deps.now ?? Date.now)() - since;
    if (!short.every((pool) => isHopeless(pool, waited))) {
      await recordLacks(deps, short);
      throw new NodesNotReady(`Pools not ready: ${told}`);
    }
    const { refused: seats } = await findRefusedSeats(deps);
    const degraded = [...short.map(({ pool, told }) => ({ pool, reason: told })), ...seats];
    return { missing: degraded.length, degraded };
  };

function isHopeless({ lack, silent }: ShortPool, waited: number): boolean {
  if (lack === undefined) return silent && waited > LONG_PATIENCE_MS;
  return lack.held || lack.final || waited > (lack.triesOn ? LONG_PATIENCE_MS : PATIENCE_MS);
}

export const handler = step(
  {
    name: 'wait-for-nodes',
    input,
    env,
    deps: poolDeps,
  },
  waitForNodes,
);
