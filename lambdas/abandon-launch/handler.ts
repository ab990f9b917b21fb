import { SuspendProcessesCommand } from '@aws-sdk/client-auto-scaling';
import type * as z from 'zod';
import { type LaunchBreaker, MOST_FAILURES } from '../shared/ec2/breaker';
import type { LaunchFailure } from '../shared/record/cluster-store';
import { errorInWords } from '../../core/decisions/error-words';
import { failure, launch } from '../../core/record/contracts';
import { type GroupDeps, groupDeps, launchBreaker, notifyDeps } from '../shared/step/deps';
import { readFailure } from '../shared/news/failures';
import { describeGroups } from '../shared/ec2/groups';
import { describeNode } from '../shared/ec2/instances';
import { notify, type NotifyDeps } from '../shared/news/notify';
import { completeLaunch } from '../shared/ec2/scale';
import { step } from '../shared/step/step';
import { env } from './env';

const input = launch.extend({ failure });

interface Deps extends GroupDeps {
  breaker: LaunchBreaker;
  notify: NotifyDeps;
}

/**
 * Gives up a launch, so that the group ends the instance and tries another, and keeps why: the instance and what it
 * said of itself are gone soon after. Its log tail stays in the bucket under `logs/<ARN of the instance>`. When too many fail in a
 * row, the group is kept from launching more: each try is billed, and a person must look.
 */
export const abandonLaunch =
  (deps: Deps) =>
  async ({ execution, instanceId, group, hook, token, metadata, failure }: z.output<typeof input>) => {
    const { error, cause } = readFailure(failure);
    const node = await describeNode(deps.ec2, deps.cluster, instanceId);
    const phase = node?.phase ?? 'gone';
    const failed = { execution, instanceId, group, pool: metadata.pool, phase, error, cause };
    await deps.store.recordLaunchFailure(failed);
    await holdIfTooMany(deps, failed);
    await completeLaunch(deps.autoScaling, { group, hook, token, instanceId }, 'ABANDON');
    return { Error: error, Cause: `${instanceId}: ${cause}` };
  };

/** Told before it is done: a call that dies in between is repeated, and then finds the record. */
async function holdIfTooMany(deps: Deps, failed: LaunchFailure): Promise<void> {
  const { group, pool, instanceId } = failed;
  const count = await deps.breaker.count(group, instanceId, describe(failed));
  if (count < MOST_FAILURES) return;
  const found = (await describeGroups(deps.autoScaling, deps.cluster)).find(({ name }) => name === group);
  if (!found || found.suspended.includes('Launch')) return;
  const runbook = 'docs/runbook.md#launchesheld';
  await deps.store.recordEvent(`${group}-${instanceId}`, { what: 'launches-held', ...failed, runbook });
  // Wakes that look-after starts let the group try again: people hear of it once for what they asked for.
  const { wanted } = await deps.store.read();
  await notify(deps.notify, `held#${group}#${wanted?.since ?? instanceId}`, {
    subject: `${deps.cluster}: ${pool === undefined ? group : `pool ${pool}`} launches no more nodes`,
    text: [
      `${count} nodes of group ${group} failed to join, one after the other. The last: ${describe(failed)}.`,
      `The group is kept from launching more, since each try is billed. The next wake tries again.`,
      `What to do: ${runbook}\nLog of the node: logs/…/${instanceId} in the bucket\nExecution: ${failed.execution}`,
    ].join('\n\n'),
  });
  await deps.autoScaling.send(
    new SuspendProcessesCommand({ AutoScalingGroupName: group, ScalingProcesses: ['Launch'] }),
  );
}

/** In words of ours alone: it is told to people. The record has the error's own message. */
function describe({ instanceId, phase, error }: LaunchFailure): string {
  return `${instanceId} at ${phase}: ${errorInWords(error)}`;
}

export const handler = step(
  {
    name: 'abandon-launch',
    input,
    env,
    deps: (env) => ({ ...groupDeps(env), breaker: launchBreaker(env), notify: notifyDeps(env) }),
  },
  abandonLaunch,
);
