import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import type * as z from 'zod';
import { autoScaling } from '../shared/clients/clients';
import { leased } from '../../core/record/contracts';
import { runCommandDeps } from '../shared/step/deps';
import { describeGroupsOf } from '../shared/ec2/groups';
import { mintTokens, TOKENS_AT_ONCE } from '../shared/commands/join-tokens';
import type { RunCommandDeps } from '../shared/commands/run-command';
import { step } from '../shared/step/step';
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
    const stopped = groups.flatMap(({ pool, sleep, instances }) =>
      pool !== undefined && sleep === 'stop' && instances.length > 0
        ? [{ pool, instanceIds: instances.map(({ id }) => id).sort() }]
        : [],
    );
    const commands = stopped.flatMap(({ pool, instanceIds }) =>
      batches(instanceIds).map((batch, index) => ({
        key: `${pool}#${String(index)}`,
        tokens: { pool, instanceIds: batch },
      })),
    );
    // All are begun before the first that is not done is reported.
    const minted = await Promise.allSettled(
      commands.map(({ key, tokens }) => mintTokens(deps, execution, tokens, key)),
    );
    const [late] = minted.filter((result) => result.status === 'rejected');
    if (late) throw late.reason;
    return { pools: stopped.map(({ pool }) => pool) };
  };

function batches(instanceIds: readonly string[]): string[][] {
  const count = Math.ceil(instanceIds.length / TOKENS_AT_ONCE);
  return Array.from({ length: count }, (_, index) =>
    instanceIds.slice(index * TOKENS_AT_ONCE, (index + 1) * TOKENS_AT_ONCE),
  );
}

export const handler = step(
  {
    name: 'mint-join-tokens',
    input,
    env,
    deps: (env) => ({ ...runCommandDeps(env), autoScaling: autoScaling() }),
  },
  mintJoinTokens,
);
