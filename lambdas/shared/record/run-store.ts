import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { quantile, type TimedRun } from '../../../core/record/estimate';
import { type Workflow, workflow } from '../../../core/record/contracts';

/** How long a run is remembered (seconds). */
const RUN_SECONDS = 365 * 24 * 3600;
/** Runs that say how long a workflow usually takes. */
const RECENT = 10;
/** States kept of a run; a workflow has about twenty. Keeps an item far below DynamoDB's 400 KB. */
const STATES = 60;

const timedState = z.object({
  name: z.string(),
  seconds: z.number(),
  /** When it was entered, in seconds from the run's start; missing in records of earlier versions. */
  at: z.number().optional(),
});

const runRecord = z.object({
  workflow,
  /** UTC ISO time. */
  startedAt: z.string(),
  seconds: z.number(),
  states: z.array(timedState),
  requestedBy: z.string(),
  outcome: z.enum(['succeeded', 'degraded']),
});
/** A workflow that ended well, and how long it took, state by state. */
export type RunRecord = z.infer<typeof runRecord>;

const recentRuns = z.object({ runs: z.array(runRecord.pick({ startedAt: true, seconds: true, states: true })) });

/** How long a workflow usually takes (s): the median of its last runs, as a whole and by state. */
export interface UsualDurations {
  seconds: number;
  states: Record<string, number>;
}

/** The table's records of past runs. Every method is safe to repeat. */
export class RunStore {
  constructor(
    private readonly client: DynamoDBDocumentClient,
    private readonly table: string,
    private readonly now: () => Date = () => new Date(),
  ) {}

  /** Keeps a run for a year, and one that tells how long the next takes also among the last ones of its workflow: those are one item, so that reading is cheap. */
  async record({ states, ...rest }: RunRecord, isUsual: boolean): Promise<void> {
    const run = { ...rest, states: states.slice(0, STATES) };
    const { startedAt, seconds } = run;
    const expiresAt = Math.floor(this.now().getTime() / 1000) + RUN_SECONDS;
    await this.put({ id: `run#${run.workflow}#${startedAt}`, ...run, expiresAt });
    if (!isUsual) return;
    const others = (await this.recent(run.workflow)).filter((one) => one.startedAt !== startedAt);
    const runs = [...others, { startedAt, seconds, states: run.states }].slice(-RECENT);
    await this.put({ id: `runs#${run.workflow}`, runs, expiresAt });
  }

  /** Undefined if it never ended well. */
  async usual(of: Workflow): Promise<UsualDurations | undefined> {
    return usualOf(await this.recent(of));
  }

  /** The last runs that ended well, oldest first. */
  async recent(of: Workflow): Promise<z.infer<typeof recentRuns>['runs']> {
    const { Item } = await this.client.send(new GetCommand({ TableName: this.table, Key: { id: `runs#${of}` } }));
    return recentRuns.parse(Item ?? { runs: [] }).runs;
  }

  private async put(Item: Record<string, unknown>): Promise<void> {
    await this.client.send(new PutCommand({ TableName: this.table, Item }));
  }
}

/** How long a workflow usually takes, by runs that ended well; undefined without one. */
export function usualOf(runs: readonly TimedRun[]): UsualDurations | undefined {
  if (runs.length === 0) return undefined;
  const byState = Map.groupBy(
    runs.flatMap(({ states }) => states),
    ({ name }) => name,
  );
  return {
    seconds: quantile(
      runs.map(({ seconds }) => seconds),
      0.5,
    ),
    states: Object.fromEntries(
      [...byState].map(([name, all]) => [
        name,
        quantile(
          all.map(({ seconds }) => seconds),
          0.5,
        ),
      ]),
    ),
  };
}
