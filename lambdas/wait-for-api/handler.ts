import type { SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { ssm } from '../shared/clients/clients';
import { type GroupDeps, groupDeps } from '../shared/step/deps';
import { ApiNotReady, LaunchRefused, NodeFailed } from '../shared/step/errors';
import { describeNodes, listNodes, LIVE_STATES, readySeats } from '../shared/ec2/instances';
import { FAILED } from '../../core/record/phases';
import { findReachable } from '../shared/commands/run-command';
import { findRefusedSeats } from '../shared/ec2/short-pools';
import { step } from '../shared/step/step';
import { env } from './env';

/** Wake and bootstrap wait here, which start the seats; and join-node, which does not. */
const input = z.object({ execution: z.string(), lease: z.string().optional(), startedAt: z.iso.datetime().optional() });

interface Deps extends GroupDeps {
  ssm: SSMClient;
}

/**
 * Waits until a seat says that the API answers, and commands reach it: most of what follows is one. Each seat is a new
 * instance after a sleep, so what it says is never from before.
 * @throws ApiNotReady until then
 * @throws NodeFailed every seat there is has given up
 * @throws LaunchRefused AWS will never launch so many of the seats that the others could have a quorum
 */
export const waitForApi =
  (deps: Deps) =>
  async ({ lease, startedAt }: z.output<typeof input>): Promise<{ seat: string }> => {
    const { cluster, ec2, ssm } = deps;
    const nodes = await describeNodes(ec2, cluster, LIVE_STATES);
    const ready = readySeats(nodes).map(({ id }) => id);
    const [seat] = ready.length > 0 ? await findReachable(ssm, ready) : [];
    if (seat !== undefined) return { seat };
    const seats = nodes.filter(({ role }) => role === 'seat');
    const refused = await findRefusals(deps, lease === undefined ? undefined : startedAt);
    if (seats.length > 0 && seats.every(({ phase }) => phase.startsWith(FAILED))) {
      throw new NodeFailed([`Seats failed: ${listNodes(seats)}`, ...refused].join('; '));
    }
    const there = seats.length === 0 ? 'No control-plane seat has an instance yet' : `Seats: ${listNodes(seats)}`;
    const agent = ready.length > 0 ? ['the agent of Systems Manager has not registered yet'] : [];
    throw new ApiNotReady([there, ...agent, ...refused].join('; '));
  };

/** Seats that AWS refuses to launch, in words; kept for whoever asks how the workflow goes that wants them. */
async function findRefusals(deps: GroupDeps, startedAt: string | undefined): Promise<string[]> {
  const since = startedAt === undefined ? undefined : Date.parse(startedAt);
  const { refused, hopeless } = await findRefusedSeats(deps, since);
  const told = refused.map(({ pool, reason }) => `${pool}: ${reason}`);
  if (since !== undefined && refused.length > 0) await deps.store.recordShortages('seatShortages', refused);
  if (hopeless) throw new LaunchRefused(told.join('; '));
  return told;
}

export const handler = step(
  { name: 'wait-for-api', input, env, deps: (env) => ({ ...groupDeps(env), ssm: ssm() }) },
  waitForApi,
);
