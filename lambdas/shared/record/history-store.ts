import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { monthBefore, monthOf, pastRun, type PastRun } from '../../../core/record/past-run';
import { logger } from '../clients/logger';

/** How long a month is remembered, from its first run (seconds). */
const MONTH_SECONDS = 400 * 24 * 3600;
/** The longest word that is kept of whoever asked and of what failed: keeps a month of a thousand runs within one item. */
const TEXT = 160;

const month = z.object({ runs: z.record(z.string(), pastRun.optional().catch(undefined)) });

/** What became of the workflows: one item for each month, an attribute for each run. Every method is safe to repeat. */
export class HistoryStore {
  constructor(
    private readonly client: DynamoDBDocumentClient,
    private readonly table: string,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Keeps a run. The cluster's own record is written by then: what cannot be kept here is logged, and fails nothing. */
  async record(run: PastRun): Promise<void> {
    const { startedAt, workflow } = run;
    try {
      await this.client.send(
        new UpdateCommand({
          TableName: this.table,
          Key: { id: `month#${monthOf(startedAt)}` },
          UpdateExpression: 'SET #run = :run, #expiresAt = if_not_exists(#expiresAt, :expiresAt)',
          ExpressionAttributeNames: { '#run': `${startedAt} ${workflow}`, '#expiresAt': 'expiresAt' },
          ExpressionAttributeValues: {
            ':run': shortened(run),
            ':expiresAt': Math.floor(this.now().getTime() / 1000) + MONTH_SECONDS,
          },
        }),
      );
    } catch (error) {
      logger.error('Run not kept', { run, error: error as Error });
    }
  }

  /** The runs of this month and of the one before, newest first. */
  async recent(): Promise<PastRun[]> {
    const now = monthOf(this.now().toISOString());
    const months = await Promise.all([monthBefore(now), now].map((one) => this.read(one)));
    return months.flat().sort((a, b) => b.startedAt.localeCompare(a.startedAt));
  }

  private async read(of: string): Promise<PastRun[]> {
    const { Item = {} } = await this.client.send(new GetCommand({ TableName: this.table, Key: { id: `month#${of}` } }));
    const { id: _, expiresAt: __, ...runs } = Item;
    return Object.values(month.parse({ runs }).runs).filter((run) => run !== undefined);
  }
}

function shortened(run: PastRun): PastRun {
  return Object.fromEntries(
    Object.entries(run).flatMap(([field, text]) => (text === undefined ? [] : [[field, text.slice(0, TEXT)]])),
  ) as PastRun;
}
