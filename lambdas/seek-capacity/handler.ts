import type * as z from 'zod';
import { leased } from '../shared/contracts';
import { poolDeps } from '../shared/deps';
import { findShortPools, recordLacks, type PoolDeps, waitedSoFar } from '../shared/short-pools';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.pick({ execution: true, startedAt: true });

/** From the time that a workflow has the cluster until this step leaves the rest to wait-for-nodes (ms). */
const LONGEST_MS = 60_000;

/** AWS has not answered every launch yet. */
export class LaunchesPending extends Error {
  override readonly name = 'LaunchesPending';
}

/**
 * Looks at the pools' first launches while the control plane still boots: a lack of capacity is on record before anybody
 * waits for nodes, and a pool that falls back to on-demand does so a minute earlier. It is over as soon as AWS has
 * answered every launch; nothing that it finds ends a workflow.
 * @throws LaunchesPending until then
 */
export const seekCapacity =
  (deps: PoolDeps) =>
  async ({ startedAt }: z.output<typeof input>): Promise<void> => {
    const short = await findShortPools(deps);
    await recordLacks(deps, short);
    const pending = short.filter(({ launched, lack }) => !launched && (lack === undefined || lack.triesOn));
    if (pending.length === 0) return;
    if ((await waitedSoFar(deps, startedAt)) < LONGEST_MS)
      throw new LaunchesPending(pending.map(({ told }) => told).join('; '));
  };

export const handler = step(
  {
    name: 'seek-capacity',
    input,
    env,
    deps: poolDeps,
  },
  seekCapacity,
);
