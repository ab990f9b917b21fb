import { DescribeExecutionCommand, ExecutionDoesNotExist } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { LAUNCH_HOOK } from '../../core/config/names';
import { type Action, type Decision, type Seen, STOPPED } from '../../core/decisions/look-after';
import { type ClusterRecord, STATES_OF } from '../../core/record/cluster-record';
import { runOnSeat } from '../shared/commands/run-command';
import { giveElasticIp, readElasticIp } from '../shared/ec2/elastic-ip';
import { describeRunningCost } from '../shared/ec2/running-cost';
import { makeApiLoadBalancer, NO_BALANCER } from '../shared/ec2/make-load-balancer';
import { completeLaunch, endInstance } from '../shared/ec2/scale';
import { findFailedState, toRecord } from '../shared/news/failures';
import { notify } from '../shared/news/notify';
import { tellFailure } from '../shared/news/tell-failure';
import { CommandInProgress } from '../shared/step/errors';
import { startOnce } from '../shared/workflows/executions';
import type { CareDeps } from './deps';
import { describeGivenUp } from './news';

/** A reason is part of `requestedBy`, which stands in subjects and lists. */
const REASON_LENGTH = 120;

/** Does what was decided. Each act leads to the same, however often it is repeated. */
export async function act(deps: CareDeps, decision: Decision, seen: Seen, record: ClusterRecord): Promise<void> {
  const { action, tell, key } = decision;
  if (!tell) return carryOut(deps, action, decision.what, seen, record);
  const cost = await describeRunningCost(deps.ec2, deps.cluster, deps.prices);
  // The last try is part of the name: what comes back next week is told again.
  const id = `care#${key}#${seen.tries[key]?.at ?? ''}`;
  await notify(deps.notify, id, describeGivenUp(deps.cluster, decision, record, cost));
}

async function carryOut(
  deps: CareDeps,
  action: Action,
  what: string,
  { now }: Seen,
  record: ClusterRecord,
): Promise<void> {
  const { autoScaling, ec2, elasticIpId, machines, sfn } = deps;
  switch (action.do) {
    case 'record-ending':
      return recordEnding(deps, record);
    case 'start-missed': {
      const { workflow, schedule, at } = action.event;
      const request = { requestedBy: `catch-up:${schedule}`, scheduledAt: at };
      await startOnce(sfn, machines[workflow], `catch-up-${workflow}-${String(now)}`, request);
      return;
    }
    case 'start': {
      const request = { requestedBy: `look-after:${what}`.slice(0, REASON_LENGTH) };
      await startOnce(sfn, machines[action.workflow], `look-after-${action.workflow}-${String(now)}`, request);
      return;
    }
    case 'recover-pools':
      await startOnce(sfn, machines['recover-pools'], `look-after-${String(now)}`, { requestedBy: 'look-after' });
      return;
    case 'end-node':
      return endInstance(autoScaling, action.id);
    case 'answer-hook': {
      const { id: instanceId, group, result } = action;
      return completeLaunch(autoScaling, { group, hook: LAUNCH_HOOK, instanceId }, result);
    }
    case 'make-load-balancer':
      await makeApiLoadBalancer(deps);
      return deps.store.recordWarnings((record.warnings ?? []).filter((warning) => !warning.startsWith(NO_BALANCER)));
    case 'wait':
      return;
    case 'uncordon':
      return uncordon(deps, record);
    case 'give-address':
      await giveElasticIp(ec2, await readElasticIp(ec2, elasticIpId), action.id);
  }
}

/** Sends the command, and looks what became of it the next time. */
async function uncordon(deps: CareDeps, { drainedAt }: ClusterRecord): Promise<void> {
  if (drainedAt === undefined) return;
  try {
    const command = { execution: `look-after#${drainedAt}`, command: 'uncordon-nodes', parameters: {} };
    await runOnSeat(deps, { ...command, executionSeconds: 180, result: z.object({ ok: z.literal(true) }) });
    await deps.store.forgetDrain(drainedAt);
  } catch (error) {
    if (!(error instanceof CommandInProgress)) throw error;
  }
}

/**
 * Ends for a workflow what it could not end itself: it was stopped, or died before it could say so. Whoever tries twice to
 * tell of it, this step or the workflow's own last one, tells of it once.
 */
async function recordEnding(deps: CareDeps, { lease, wanted }: ClusterRecord): Promise<void> {
  if (!lease) return;
  const { owner: execution, workflow, requestedBy, reason, since: startedAt } = lease;
  const { error, cause } = await readEnding(deps, execution);
  const step = (await findState(deps, execution, error)) ?? pascalCase(lease.step);
  const { failed: state } = STATES_OF[workflow];
  const failure = toRecord(deps.cluster, { workflow, step, error, cause, execution });
  if (!(await deps.store.recordFailure(execution, state, failure))) return;
  await tellFailure(deps, { run: { startedAt, requestedBy, reason }, failure, state, wanted });
}

async function readEnding({ sfn }: CareDeps, executionArn: string): Promise<{ error: string; cause: string }> {
  try {
    const { status, error, cause } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (error !== undefined) return { error, cause: cause ?? '' };
    return status === 'TIMED_OUT'
      ? { error: 'States.Timeout', cause: 'The execution ran out of time' }
      : { error: STOPPED, cause: 'Somebody stopped the execution' };
  } catch (thrown) {
    if (thrown instanceof ExecutionDoesNotExist) {
      return { error: STOPPED, cause: 'Step Functions knows the execution no more' };
    }
    throw thrown;
  }
}

/** `DrainNodes` for `drain-nodes`: the state of a step. */
function pascalCase(step: string): string {
  return step.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** The history may be gone; the step that renewed the lease last is known all the same. */
async function findState({ sfn, cluster }: CareDeps, execution: string, error: string): Promise<string | undefined> {
  try {
    return await findFailedState(sfn, cluster, execution, error);
  } catch (thrown) {
    if (thrown instanceof ExecutionDoesNotExist) return undefined;
    throw thrown;
  }
}
