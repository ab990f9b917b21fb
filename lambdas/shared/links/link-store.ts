import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { type Link, linkRecord, type LinkRecord } from '../../../core/links/link';

/** Links that there may be at a time: all are one item, so that one read answers for any. */
const MOST = 100;
/** How long a link that ended is still listed (ms). */
const REMEMBERED_MS = 30 * 86_400_000;
/** What a link may ask for in a minute: a look counts one. Two pages that poll take forty. */
const MINUTE_BUDGET = 90;
/** What a change counts: fifteen a minute at most. */
export const CHANGE = 6;
export const LOOK = 1;

/** There are so many links already. */
export class TooManyLinks extends Error {
  override readonly name = 'TooManyLinks';
}

const links = z.record(z.string(), linkRecord.optional().catch(undefined));

/** The links of a cluster. A secret that is signed counts only as long as its link is here, and not revoked. */
export class LinkStore {
  constructor(
    private readonly client: DynamoDBDocumentClient,
    private readonly table: string,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async read(): Promise<Map<string, LinkRecord>> {
    const { Item = {} } = await this.client.send(
      new GetCommand({ TableName: this.table, Key: { id: 'links' }, ConsistentRead: true }),
    );
    const { id: _, ...rest } = Item;
    return new Map(Object.entries(links.parse(rest)).flatMap(([id, link]) => (link ? [[id, link]] : [])));
  }

  /** @throws TooManyLinks */
  async create({ id, ...link }: Link, by: string): Promise<void> {
    const known = await this.read();
    const now = this.now();
    const ended = [...known].filter(([, one]) => {
      return Date.parse(one.revokedAt ?? one.expiresAt) < now.getTime() - REMEMBERED_MS;
    });
    if (known.size - ended.length >= MOST) {
      throw new TooManyLinks(`There are ${String(MOST)} links: revoke those that nobody needs, or revoke all`);
    }
    const record: LinkRecord = { ...link, rights: [...link.rights], createdAt: now.toISOString(), createdBy: by };
    const remove = ended.map((_, index) => `#old${String(index)}`);
    await this.client.send(
      new UpdateCommand({
        TableName: this.table,
        Key: { id: 'links' },
        UpdateExpression: `SET #link = :link${remove.length > 0 ? ` REMOVE ${remove.join(', ')}` : ''}`,
        ExpressionAttributeNames: {
          '#link': id,
          ...Object.fromEntries(ended.map(([old], index) => [`#old${String(index)}`, old])),
        },
        ExpressionAttributeValues: { ':link': record },
      }),
    );
  }

  /** False if there is no such link. Revoked once more, it stays as it was. */
  async revoke(id: string, by: string): Promise<boolean> {
    const link = (await this.read()).get(id);
    if (link === undefined) return false;
    if (link.revokedAt !== undefined) return true;
    return this.update(
      { id: 'links' },
      'SET #link.#revokedAt = :at, #link.#revokedBy = :by',
      'attribute_exists(#link)',
      {
        names: { '#link': id, '#revokedAt': 'revokedAt', '#revokedBy': 'revokedBy' },
        values: { ':at': this.now().toISOString(), ':by': by },
      },
    );
  }

  /** Counts a request of a link; false if it has had enough in this minute. */
  async spend(id: string, weight: number): Promise<boolean> {
    const key = { id: `link#${id}` };
    const seconds = Math.floor(this.now().getTime() / 1000);
    const minute = Math.floor(seconds / 60);
    const names = { '#minute': 'minute', '#used': 'used' };
    const within = await this.update(key, 'SET #used = #used + :weight', '#minute = :minute AND #used <= :rest', {
      names,
      values: { ':weight': weight, ':minute': minute, ':rest': MINUTE_BUDGET - weight },
    });
    if (within) return true;
    return this.update(
      key,
      'SET #minute = :minute, #used = :weight, #expiresAt = :expiresAt',
      'attribute_not_exists(#minute) OR #minute < :minute',
      {
        names: { ...names, '#expiresAt': 'expiresAt' },
        values: { ':weight': weight, ':minute': minute, ':expiresAt': seconds + 3600 },
      },
    );
  }

  private async update(
    Key: { id: string },
    UpdateExpression: string,
    ConditionExpression: string,
    { names, values }: { names: Record<string, string>; values: Record<string, unknown> },
  ): Promise<boolean> {
    try {
      await this.client.send(
        new UpdateCommand({
          ...{ TableName: this.table, Key, UpdateExpression, ConditionExpression },
          ...{ ExpressionAttributeNames: names, ExpressionAttributeValues: values },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
