import {
  type CloudFormationClient,
  ContinueUpdateRollbackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
  UpdateTerminationProtectionCommand,
} from '@aws-sdk/client-cloudformation';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed } from '../../cli/terminal/errors';

/** What a stack needs before it can be deployed. */
export type Mend = 'nothing' | 'wait' | 'delete' | 'continue-rollback';

/**
 * What a stack in this state needs before it can be deployed. A stack whose creation has failed holds nothing that
 * counts, and neither does one whose deletion has: what must be kept outlives them and is taken over again.
 * @param status of CloudFormation; undefined if there is no such stack
 */
export function mendOf(status: string | undefined): Mend {
  if (status === undefined || status === 'REVIEW_IN_PROGRESS') return 'nothing';
  if (status.endsWith('_IN_PROGRESS')) return 'wait';
  if (status === 'UPDATE_ROLLBACK_FAILED') return 'continue-rollback';
  const failed = ['CREATE_FAILED', 'ROLLBACK_COMPLETE', 'ROLLBACK_FAILED', 'DELETE_FAILED', 'IMPORT_ROLLBACK_FAILED'];
  return failed.includes(status) ? 'delete' : 'nothing';
}

/** Longest wait for CloudFormation, and between two looks (ms). */
const PATIENCE_MS = 30 * 60_000;
const LOOK_MS = 2_000;

/** The state of a stack; undefined if it does not exist (any more). */
export async function stackStatus(client: CloudFormationClient, StackName: string): Promise<string | undefined> {
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    const status = Stacks[0]?.StackStatus;
    return status === 'DELETE_COMPLETE' ? undefined : status;
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationError') return undefined;
    throw error;
  }
}

/**
 * Brings a stack into a state from which it can be deployed; does nothing to one that is.
 * @param say tells the person what is done
 * @throws CommandFailed naming what stands in the way of its deletion, or that CloudFormation takes too long
 */
export async function mendStack(
  client: CloudFormationClient,
  name: string,
  say: (line: string) => void,
): Promise<void> {
  // A wait may end in a state that needs more.
  for (;;) {
    const status = await stackStatus(client, name);
    const mend = mendOf(status);
    if (mend === 'nothing') return;
    say(
      `Stack ${name} is ${status ?? ''}: ${{ wait: 'waiting', delete: 'deleting it', 'continue-rollback': 'rolling it back' }[mend]} …`,
    );
    if (mend === 'delete') await deleteStack(client, name);
    else {
      if (mend === 'continue-rollback') await client.send(new ContinueUpdateRollbackCommand({ StackName: name }));
      await settled(client, name);
    }
  }
}

/** Deletes a stack, protected or not, and waits for its end. @throws CommandFailed if something stands in the way */
export async function deleteStack(client: CloudFormationClient, StackName: string): Promise<void> {
  await client.send(new UpdateTerminationProtectionCommand({ StackName, EnableTerminationProtection: false }));
  await client.send(new DeleteStackCommand({ StackName }));
  const status = await settled(client, StackName);
  if (status === undefined) return;
  throw new CommandFailed(
    `Stack ${StackName} could not be deleted (${status})`,
    'Remove what the lines below name, then run the command again.',
    await describeFailures(client, StackName),
  );
}

/** What failed in a stack, newest first, in CloudFormation's words. */
async function describeFailures(client: CloudFormationClient, StackName: string): Promise<string> {
  const { StackEvents = [] } = await client.send(new DescribeStackEventsCommand({ StackName }));
  return StackEvents.filter(({ ResourceStatus = '' }) => ResourceStatus.endsWith('_FAILED'))
    .slice(0, 5)
    .map(({ LogicalResourceId = '', ResourceStatusReason = '' }) => `${LogicalResourceId}: ${ResourceStatusReason}`)
    .join('\n');
}

/** The state of a stack once CloudFormation has come to an end with it. */
async function settled(client: CloudFormationClient, name: string): Promise<string | undefined> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    await sleep(LOOK_MS);
    const status = await stackStatus(client, name);
    if (status === undefined || mendOf(status) !== 'wait') return status;
    if (Date.now() > until) {
      throw new CommandFailed(
        `Stack ${name} is still ${status} after ${String(PATIENCE_MS / 60_000)} minutes`,
        'Look at its events in the CloudFormation console, then run the command again.',
      );
    }
  }
}
