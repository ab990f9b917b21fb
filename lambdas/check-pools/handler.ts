import * as z from 'zod';
import { recovery, type Recovery, unleased } from '../../core/record/contracts';
import { notifyDeps, poolDeps } from '../shared/step/deps';
import { inWords, notify, type NotifyDeps } from '../shared/news/notify';
import { findRefusedSeats, findShortPools, type PoolDeps } from '../shared/ec2/short-pools';
import { step } from '../shared/step/step';
import { env } from './env';

const input = unleased.extend({ startedAt: z.iso.datetime(), recovery });

/** Longest wait between two looks (s). The group itself tries all the time; this only sees that it has succeeded. */
const LONGEST_WAIT = 15 * 60;
/** After this nobody looks any more (ms). AWS itself gives up on a group whose launches fail for a day. */
const GIVE_UP_MS = 12 * 3600_000;

interface Deps extends PoolDeps {
  notify: NotifyDeps;
}

/**
 * Looks whether the pools without which a wake ended are up by now. It holds no lease, so that it never turns anybody
 * away; when another workflow has taken the cluster elsewhere, or time is up, it is over.
 */
export const checkPools =
  (deps: Deps) =>
  async ({ execution, startedAt, recovery }: z.output<typeof input>): Promise<Recovery> => {
    const { cluster, store, now = Date.now } = deps;
    const waitSeconds = Math.min(2 * recovery.waitSeconds, LONGEST_WAIT);
    const sofar = now() - Date.parse(startedAt);
    const late = sofar > GIVE_UP_MS;
    const { state, degraded = [] } = await store.read();
    // The wake that started this one may not have ended yet.
    if (state === 'waking') return { next: late ? 'over' : 'wait', waitSeconds };
    if (state !== 'awake-degraded' || degraded.length === 0) return { next: 'over', waitSeconds };
    const { refused } = await findRefusedSeats(deps);
    const seats = refused.map(({ pool, reason }) => ({ pool, told: `${pool}: ${reason}` }));
    const short = [...(await findShortPools(deps)), ...seats];
    if (short.length === 0) return { next: 'up', waitSeconds };
    if (!late) return { next: 'wait', waitSeconds };
    await notify(deps.notify, `${execution}#given-up`, {
      subject: `${cluster} stays without ${short.map(({ pool }) => pool).join(', ')}`,
      text: [
        `After ${inWords(sofar)} the cluster is still not complete, and nobody looks any more:`,
        ...short.map(({ told }) => told),
        'The groups keep trying for as long as AWS lets them. What to do: docs/runbook.md#awake-degraded',
      ].join('\n\n'),
    });
    return { next: 'over', waitSeconds };
  };

export const handler = step(
  {
    name: 'check-pools',
    input,
    env,
    deps: (env) => ({ ...poolDeps(env), notify: notifyDeps(env) }),
  },
  checkPools,
);
