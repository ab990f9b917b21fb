import { type AutoScalingClient, ResumeProcessesCommand } from '@aws-sdk/client-auto-scaling';
import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Group } from './groups';

/** So many nodes of a group in a row that do not join are no accident. */
export const MOST_FAILURES = 5;
/** Within this time (ms): five nodes that each take their twenty minutes still count. */
const WINDOW_MS = 2 * 3600_000;

/** What is kept of a group whose nodes fail: why the last one did, and under each instance's ID when it was given up. */
const breakerRecord = z.looseObject({ cause: z.string() });

/**
 * Counts the launches of a group that were given up one after the other: a group replaces what fails for ever, and each
 * try is billed. One item a group; every method is one request, and safe to repeat.
 */
export class LaunchBreaker {
  constructor(
    private readonly client: DynamoDBDocumentClient,
    private readonly table: string,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Counts a failed launch, once. @returns how many there were within the window, since one went well */
  async count(group: string, instanceId: string, cause: string): Promise<number> {
    const now = this.now();
    const { Attributes } = await this.client.send(
      new UpdateCommand({
        TableName: this.table,
        Key: this.key(group),
        UpdateExpression: 'SET #instance = if_not_exists(#instance, :at), #cause = :cause, #expiresAt = :expiresAt',
        ExpressionAttributeNames: { '#instance': instanceId, '#cause': 'cause', '#expiresAt': 'expiresAt' },
        ExpressionAttributeValues: {
          ':at': now.toISOString(),
          ':cause': cause,
          ':expiresAt': Math.floor((now.getTime() + WINDOW_MS) / 1000),
        },
        ReturnValues: 'ALL_NEW',
      }),
    );
    const failures = Object.entries(Attributes ?? {}).filter(([name]) => name.startsWith('i-'));
    return failures.filter(([, at]) => now.getTime() - Date.parse(String(at)) < WINDOW_MS).length;
  }

  /** Why the last launch of the group failed; undefined if the last went well. */
  async cause(group: string): Promise<string | undefined> {
    const { Item } = await this.client.send(new GetCommand({ TableName: this.table, Key: this.key(group) }));
    return Item && breakerRecord.parse(Item).cause;
  }

  /** Begins anew: a node has joined, or somebody tries again. */
  async reset(group: string): Promise<void> {
    await this.client.send(new DeleteCommand({ TableName: this.table, Key: this.key(group) }));
  }

  private key(group: string): { id: string } {
    return { id: `breaker#${group}` };
  }
}

/** Lets a group launch again whose launches were held: whoever starts it wants to see it tried anew. */
export async function resumeLaunches(
  { autoScaling, breaker }: { autoScaling: AutoScalingClient; breaker: LaunchBreaker },
  { name, suspended }: Group,
): Promise<void> {
  if (!suspended.includes('Launch')) return;
  await breaker.reset(name);
  await autoScaling.send(new ResumeProcessesCommand({ AutoScalingGroupName: name, ScalingProcesses: ['Launch'] }));
}
