import type * as z from 'zod';
import { leased } from '../../core/record/contracts';
import { poolDeps } from '../shared/step/deps';
import { findShortPools, heldSince, recordLacks, type PoolDeps, requireIngress } from '../shared/ec2/short-pools';
import { step } from '../shared/step/step';
import { env } from './env';

const input = leased.pick({ execution: true, startedAt: true });

/** From the time that a workflow has the cluster until this step leaves the rest to wait-for-nodes (ms). */
const LONGEST_MS = 60_000;

/** AWS has not answered every launch yet. */
export class LaunchesPending extends Error {
  override readonly name = 'LaunchesPending';
}

/**
 * Looks at the pools' first launches while the control plane still boots: a refusal is on record before anybody
 * waits for nodes, and a pool that falls back to on-demand does so a minute earlier. It is over as soon as AWS has
 * answered every launch.
 * @throws LaunchesPending until then
 * @throws LaunchRefused AWS will never launch the pool that carries the Elastic IP
 */
export const seekCapacity =
  (deps: PoolDeps) =>
  async ({ startedAt }: z.output<typeof input>): Promise<void> => {
    const since = await heldSince(deps, startedAt);
    const short = await findShortPools(deps, since);
    await recordLacks(deps, short);
    requireIngress(short);
    const pending = short.filter(({ launched, lack }) => !launched && (lack === undefined || lack.triesOn));
    if (pending.length === 0) return;
    if ((deps.now ?? Date.now)() - since < LONGEST_MS)
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
