import { leased, type DegradedPool } from '../shared/contracts';
import type * as z from 'zod';
import { poolDeps } from '../shared/deps';
import { findShortPools, recordLacks, type PoolDeps, type ShortPool, waitedSoFar } from '../shared/short-pools';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.pick({ execution: true, startedAt: true });

/** From the time that a workflow has the cluster until it goes on without the pools that AWS gives nothing (ms). */
const PATIENCE_MS = 5 * 60_000;
/** The same for a pool that has another market to try. */
const PATIENCE_WITH_FALLBACK_MS = 10 * 60_000;

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
 * also ends a node that fails, so that its group tries another. A lack of capacity is named at once, and after a while
 * the rest goes on without: the group keeps trying, and so does recover-pools. Without the ingress there is no going on.
 * @throws NodesNotReady until then
 * @throws LaunchesHeld nothing more will come of waiting for the ingress
 */
export const waitForNodes =
  (deps: PoolDeps) =>
  async ({ startedAt }: z.output<typeof input>): Promise<{ missing: number; degraded: DegradedPool[] }> => {
    const short = await findShortPools(deps);
    if (short.length === 0) return { missing: 0, degraded: [] };
    const told = short.map((pool) => pool.told).join('; ');
    if (short.some(({ ingress, lack }) => ingress && lack?.held)) throw new LaunchesHeld(told);
    const waited = await waitedSoFar(deps, startedAt);
    if (!short.every((pool) => isHopeless(pool, waited))) {
      await recordLacks(deps, short);
      throw new NodesNotReady(`Pools not ready: ${told}`);
    }
    return { missing: short.length, degraded: short.map((pool) => ({ pool: pool.pool, reason: pool.told })) };
  };

function isHopeless({ lack }: ShortPool, waited: number): boolean {
  if (lack === undefined) return false;
  return lack.held || waited > (lack.triesOn ? PATIENCE_WITH_FALLBACK_MS : PATIENCE_MS);
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
