import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type * as z from 'zod';
import { autoScaling } from '../shared/clients';
import { leased } from '../shared/contracts';
import { runCommandDeps } from '../shared/deps';
import { describeGroupsOf } from '../shared/groups';
import { mintToken } from '../shared/join-tokens';
import type { RunCommandDeps } from '../shared/run-command';
import { step } from '../shared/step';
import { env } from './env';

const input = leased.pick({ execution: true });

interface Deps extends RunCommandDeps {
  autoScaling: AutoScalingClient;
}

/**
 * Has tokens written for the nodes that sleep had stopped: they come back without a launch, so no join-node mints for
 * them, and after a long sleep their old credentials are worth nothing.
 */
export const mintJoinTokens =
  ({ autoScaling, ...deps }: Deps) =>
  async ({ execution }: z.output<typeof input>): Promise<{ pools: string[] }> => {
    const groups = await describeGroupsOf(autoScaling, deps.cluster, 'pool');
    const pools = groups.flatMap(({ pool, sleep, instances }) =>
      pool !== undefined && sleep === 'stop' && instances.length > 0 ? [pool] : [],
    );
    // All are begun before the first that is not done is reported.
    const minted = await Promise.allSettled(pools.map((pool) => mintToken(deps, execution, pool)));
    const [late] = minted.filter((result) => result.status === 'rejected');
    if (late) throw late.reason;
    return { pools };
  };

export const handler = step(
  {
    name: 'mint-join-tokens',
    input,
    env,
    deps: (env) => ({ ...runCommandDeps(env), autoScaling: autoScaling() }),
  },
  mintJoinTokens,
);
