import { randomUUID } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';

/** So long (ms) nobody else sends what somebody has begun to send: longer than SNS is waited for. */
const HOLD_MS = 60_000;
/** How long it is remembered that news was sent (ms): longer than anything repeats itself. */
const REMEMBERED_MS = 8 * 24 * 3600_000;

/** What a person should hear of; plain text, since most will read it as an e-mail. */
export interface Notification {
  subject: string;
  text: string;
}

const pendingNews = z.object({ subject: z.string(), text: z.string(), heldUntil: z.string(), by: z.string() });
const sentNews = z.object({ sentAt: z.string() });
/** One attribute for each piece of news, named by its ID. */
const outboxItem = z.record(z.string(), z.union([pendingNews, sentNews, z.string()]));

/**
 * News on its way to people: one item of the cluster's table. News is written here before it is sent, and marked once it is,
 * so that a function that dies in between loses none, and a step that is repeated tells none twice. What was not sent,
 * look-after sends. Every method is one request, and safe to repeat.
 */
export class Outbox {
  private readonly key = { id: 'outbox' };

  constructor(
    private readonly client: DynamoDBDocumentClient,
    private readonly table: string,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /**
   * Writes news down for the caller to send. False if it was sent before, or somebody else is about to.
   * @param id what happened, the same for every attempt to tell of it
   */
  async take(id: string, { subject, text }: Notification): Promise<boolean> {
    const now = this.now();
    const by = randomUUID();
    const heldUntil = new Date(now.getTime() + HOLD_MS).toISOString();
    try {
      await this.update({
        UpdateExpression: 'SET #news = :news',
        // The SDK repeats a call whose answer it has lost: whoever wrote it down has it.
        ConditionExpression: 'attribute_not_exists(#news) OR #news.#heldUntil < :now OR #news.#by = :by',
        ExpressionAttributeNames: { '#news': id, '#heldUntil': 'heldUntil', '#by': 'by' },
        ExpressionAttributeValues: { ':news': { subject, text, heldUntil, by }, ':now': now.toISOString(), ':by': by },
      });
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  /** Marks news as sent: its text is forgotten, that it was sent is not. */
  async markSent(id: string): Promise<void> {
    await this.update({
      UpdateExpression: 'SET #news = :sent',
      ExpressionAttributeNames: { '#news': id },
      ExpressionAttributeValues: { ':sent': { sentAt: this.now().toISOString() } },
    });
  }

  /** News that is written down, not sent, and that nobody is about to send; and what nobody needs to remember any more. */
  async look(): Promise<{ unsent: ({ id: string } & Notification)[]; outdated: string[] }> {
    const { Item = {} } = await this.client.send(
      new GetCommand({ TableName: this.table, Key: this.key, ConsistentRead: true }),
    );
    const now = this.now();
    const forgetBefore = new Date(now.getTime() - REMEMBERED_MS).toISOString();
    const unsent: ({ id: string } & Notification)[] = [];
    const outdated: string[] = [];
    for (const [id, news] of Object.entries(outboxItem.parse(Item))) {
      if (typeof news === 'string') continue; // The item's own key.
      if ('sentAt' in news) {
        if (news.sentAt < forgetBefore) outdated.push(id);
      } else if (news.heldUntil < now.toISOString()) unsent.push({ id, subject: news.subject, text: news.text });
    }
    return { unsent, outdated };
  }

  /** Forgets that news was sent. */
  async forget(ids: readonly string[]): Promise<void> {
    await this.update({
      UpdateExpression: `REMOVE ${ids.map((_, index) => `#news${String(index)}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(ids.map((id, index) => [`#news${String(index)}`, id])),
    });
  }

  private async update(
    input: Omit<ConstructorParameters<typeof UpdateCommand>[0], 'TableName' | 'Key'>,
  ): Promise<void> {
    await this.client.send(new UpdateCommand({ TableName: this.table, Key: this.key, ...input }));
  }
}
