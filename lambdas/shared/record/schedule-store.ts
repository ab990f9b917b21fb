import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import type { Overrides, ScheduledWorkflow, Skip } from '../../../core/schedule/events';
import { idleRecord, type IdleRecord } from '../../../core/schedule/idle';

/** How long it is remembered what became of an event, in seconds: longer than the longest keep-awake. */
const TRIGGER_SECONDS = 45 * 24 * 3600;
/** How long a skip is remembered, in seconds. */
const SKIP_SECONDS = 90 * 24 * 3600;
/** How long the idle detector's record outlives its last look, in seconds. */
const IDLE_SECONDS = 24 * 3600;

/** Who asked, and when (UTC ISO). */
const asked = z.object({ by: z.string(), at: z.string() });
const skipNext = asked.extend({
  /** Key of the event that was skipped; it is used up then. */
  event: z.string().optional(),
});

/** What people have asked for beside the schedule: one item. */
const overrideRecord = z.object({
  keepAwake: asked.extend({ until: z.string() }).optional(),
  skipSleep: skipNext.optional(),
  skipWake: skipNext.optional(),
  /** Until when the idle detector puts nothing to sleep. */
  postponed: asked.extend({ until: z.string() }).optional(),
});
export type OverrideRecord = z.infer<typeof overrideRecord>;

/** What became of an event of a schedule. */
const triggerRecord = z.object({
  /** ARN of the execution that it started, or was to start. */
  execution: z.string(),
  decision: z.enum(['started', 'skipped']),
  reason: z.enum(['holiday', 'keep-awake', 'skip-next', 'already', 'not-bootstrapped']).optional(),
});
export type TriggerRecord = z.infer<typeof triggerRecord>;

/** A start that did not take place, for the record. */
export interface SkipRecord extends Skip {
  workflow: ScheduledWorkflow;
  /** Name of the schedule, or what else wanted the start. */
  schedule: string;
  /** UTC ISO instant at which it was due. */
  due: string;
  execution: string;
}

/** Schedules' part of the cluster's table. Every method is one request, and safe to repeat. */
export class ScheduleStore {
  constructor(
    private readonly client: DynamoDBDocumentClient,
    private readonly table: string,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async readOverrides(): Promise<OverrideRecord> {
    return overrideRecord.parse((await this.get('overrides')) ?? {});
  }

  async keepAwake(until: Date, by: string): Promise<void> {
    await this.update('overrides', 'SET #keepAwake = :value', {
      ':value': this.asked(by, { until: until.toISOString() }),
    });
  }

  /** Ends a keep-awake now, so that a sleep which it held back still takes place; false if there is none. */
  async endKeepAwake(): Promise<boolean> {
    return this.update(
      'overrides',
      'SET #keepAwake.#until = :now',
      { ':now': this.now().toISOString() },
      '#keepAwake.#until > :now',
    );
  }

  async skipNext(workflow: ScheduledWorkflow, by: string): Promise<void> {
    await this.update('overrides', `SET ${SKIP[workflow]} = :value`, { ':value': this.asked(by) });
  }

  async unskip(): Promise<void> {
    await this.update('overrides', `REMOVE ${SKIP.sleep}, ${SKIP.wake}`);
  }

  /** Uses a pending skip up for one event; false if there is none, or another event has used it. */
  async useSkip(workflow: ScheduledWorkflow, event: string): Promise<boolean> {
    const skip = SKIP[workflow];
    const free = `attribute_exists(${skip}) AND (attribute_not_exists(${skip}.#event) OR ${skip}.#event = :event)`;
    return this.update('overrides', `SET ${skip}.#event = :event`, { ':event': event }, free);
  }

  async postpone(until: Date, by: string): Promise<void> {
    await this.update('overrides', 'SET #postponed = :value', {
      ':value': this.asked(by, { until: until.toISOString() }),
    });
  }

  async readTrigger(event: string): Promise<TriggerRecord | undefined> {
    const item = await this.get(`trigger#${event}`);
    return item && triggerRecord.parse(item);
  }

  /**
   * Keeps what becomes of an event. False if another execution has it already: Scheduler delivers at least once.
   * @param instead true to take it over from another execution: the catch-up comes after one that failed
   */
  async recordTrigger(event: string, record: TriggerRecord, instead: boolean): Promise<boolean> {
    const mine = 'attribute_not_exists(#execution) OR #execution = :execution';
    return this.put(`trigger#${event}`, { ...record, at: this.now().toISOString() }, TRIGGER_SECONDS, {
      ...(!instead && { condition: mine, values: { ':execution': record.execution } }),
    });
  }

  async recordSkip(event: string, skip: SkipRecord): Promise<void> {
    await this.put(`skip#${event}`, { ...skip, at: this.now().toISOString() }, SKIP_SECONDS);
  }

  /**
   * Since when the schedules have been what they are (UTC ISO): an event from before a change was never to be triggered.
   * @param digest of the schedules
   */
  async scheduledSince(digest: string): Promise<string> {
    const known = (await this.get('schedules')) as { digest?: string; since?: string } | undefined;
    if (known?.digest === digest && known.since !== undefined) return known.since;
    const since = this.now().toISOString();
    await this.put('schedules', { digest, since });
    return since;
  }

  async readIdle(): Promise<IdleRecord | undefined> {
    const item = await this.get('idle');
    return item && idleRecord.parse(item);
  }

  /** Keeps how long the cluster has been idle; false if another look has been kept since `previous` was read. */
  async recordIdle(record: IdleRecord, previous: IdleRecord | undefined): Promise<boolean> {
    if (previous === undefined)
      return this.put('idle', record, IDLE_SECONDS, { condition: 'attribute_not_exists(#id)' });
    return this.put('idle', record, IDLE_SECONDS, { condition: '#look = :look', values: { ':look': previous.look } });
  }

  private asked(by: string, more: object = {}): object {
    return { by, at: this.now().toISOString(), ...more };
  }

  private async get(id: string): Promise<Record<string, unknown> | undefined> {
    const { Item } = await this.client.send(
      new GetCommand({ TableName: this.table, Key: { id }, ConsistentRead: true }),
    );
    return Item;
  }

  private async put(
    id: string,
    item: object,
    seconds?: number,
    { condition, values }: { condition?: string; values?: Record<string, unknown> } = {},
  ): Promise<boolean> {
    const expiresAt = seconds && Math.floor(this.now().getTime() / 1000) + seconds;
    return ifItHolds(
      this.client.send(
        new PutCommand({
          TableName: this.table,
          Item: { id, ...item, expiresAt },
          ...(condition !== undefined && {
            ConditionExpression: condition,
            ExpressionAttributeNames: namesIn(condition),
          }),
          ...(values && { ExpressionAttributeValues: values }),
        }),
      ),
    );
  }

  private async update(
    id: string,
    expression: string,
    values?: Record<string, unknown>,
    condition?: string,
  ): Promise<boolean> {
    return ifItHolds(
      this.client.send(
        new UpdateCommand({
          TableName: this.table,
          Key: { id },
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeNames: namesIn(`${expression} ${condition ?? ''}`),
          ...(values && { ExpressionAttributeValues: values }),
        }),
      ),
    );
  }
}

/** The overrides that hold at a time, as the pure function of the schedules takes them. */
export function overridesOf({ keepAwake, skipSleep, skipWake }: OverrideRecord): Overrides {
  const pending = (skip: OverrideRecord['skipSleep']) => skip !== undefined && skip.event === undefined;
  return { keepAwakeUntil: keepAwake?.until, skipNext: { sleep: pending(skipSleep), wake: pending(skipWake) } };
}

const SKIP: Readonly<Record<ScheduledWorkflow, string>> = { sleep: '#skipSleep', wake: '#skipWake' };

/** `#name` stands for attribute `name`. */
function namesIn(expression: string): Record<string, string> {
  return Object.fromEntries((expression.match(/#\w+/g) ?? []).map((name) => [name, name.slice(1)]));
}

/** True if a write took place, false if its condition did not hold. */
async function ifItHolds(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return false;
    throw error;
  }
}
