import { randomUUID } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import {
  type Care,
  type ClusterRecord,
  commandRecord,
  type CommandRecord,
  type FailureRecord,
  type Lease,
  type Progress,
  recordOf,
  type SnapshotFailure,
  type SnapshotRecord,
  type Wanted,
} from '../../../core/record/cluster-record';
import type { ClusterState, DegradedPool, GroupSize } from '../../../core/record/contracts';
import { LeaseLost } from '../step/errors';

/** Without progress for this long, a lease counts as stuck (ms). Every step of a workflow renews it. */
export const LEASE_MS = 15 * 60_000;
/** How long a failed launch is remembered (seconds). */
const LAUNCH_FAILURE_SECONDS = 90 * 24 * 3600;
/** How long what happened is remembered (seconds). */
const EVENT_SECONDS = 90 * 24 * 3600;
/** How long the record of a sent command is kept (seconds); an execution is over long before. */
const COMMAND_SECONDS = 24 * 3600;

/** Why a launch was given up. */
export interface LaunchFailure {
  execution: string;
  instanceId: string;
  group: string;
  pool: string | undefined;
  /** The last that the node said of itself. */
  phase: string;
  error: string;
  cause: string;
}

export interface LeaseRequest extends Pick<Lease, 'owner' | 'workflow' | 'requestedBy' | 'reason'> {
  /** What the workflow was asked for; left as it is if undefined. */
  wanted?: Wanted['state'] | undefined;
  /** State of the cluster from now on; left as it is if undefined. */
  state: ClusterState | undefined;
  /** Owner whose lease may be taken over, since its execution is over. */
  deadOwner?: string | undefined;
}

/** The cluster's table. Every method is one request, and safe to repeat. */
export class ClusterStore {
  private readonly key = { id: 'cluster' };

  constructor(
    private readonly client: DynamoDBDocumentClient,
    private readonly table: string,
    private readonly now: () => Date = () => new Date(),
  ) {}

  async read(): Promise<ClusterRecord> {
    const { Item } = await this.client.send(
      new GetCommand({ TableName: this.table, Key: this.key, ConsistentRead: true }),
    );
    return recordOf(Item);
  }

  /** Takes the lease if it is free, already the owner's, or held by the dead owner. False if somebody else holds it. */
  async acquireLease(request: LeaseRequest): Promise<boolean> {
    const { owner, workflow, requestedBy, reason, wanted, state, deadOwner } = request;
    const now = this.now();
    const newLease: Omit<Lease, keyof Progress> & Pick<Lease, 'owner'> = {
      owner,
      workflow,
      requestedBy,
      ...(reason !== undefined && { reason }),
      since: now.toISOString(),
    };
    const progress: Progress = { owner, until: this.later(now), step: 'acquire-lease' };
    const free = [
      'attribute_not_exists(#lease)',
      '#lease.#owner = :owner',
      ...(deadOwner ? ['#lease.#owner = :dead'] : []),
    ];
    const set = [
      '#lease = :lease',
      '#progress = :progress',
      ...(state
        ? [
            '#state = :state',
            '#since = :now',
            '#beforeState = if_not_exists(#state, :asleep)',
            '#beforeSince = if_not_exists(#since, :now)',
          ]
        : []),
      ...(wanted ? ['#wanted = :wanted'] : []),
    ];
    return this.update(set, [], free.join(' OR '), {
      ':lease': newLease,
      ':progress': progress,
      ':owner': owner,
      ...(wanted && { ':wanted': { state: wanted, since: newLease.since, by: requestedBy } satisfies Wanted }),
      ...(deadOwner && { ':dead': deadOwner }),
      ...(state && { ':state': state, ':now': now.toISOString(), ':asleep': 'asleep' }),
    });
  }

  /**
   * Writes only how far the holder has come, and asks only that for the owner: every step may do so, and none the lease itself.
   * @throws LeaseLost if another execution holds the lease
   */
  async renewLease(owner: string, step: string): Promise<void> {
    const renewed = await this.update(
      ['#progress.#until = :until', '#progress.#step = :step'],
      [],
      '#progress.#owner = :owner',
      { ':until': this.later(this.now()), ':step': step, ':owner': owner },
    );
    if (!renewed) throw new LeaseLost(`${owner} no longer holds the lease: another workflow took over before ${step}`);
  }

  /** UTC ISO time until which a lease holds that makes progress now. */
  private later(now: Date): string {
    return new Date(now.getTime() + LEASE_MS).toISOString();
  }

  /** Ends a workflow well: new state, lease free, old failure forgotten. @throws LeaseLost */
  async recordSuccess(
    owner: string,
    state: ClusterState | undefined,
    {
      restored,
      degraded,
      unreachable,
    }: { restored: boolean; degraded: DegradedPool[]; unreachable?: string | undefined },
  ): Promise<void> {
    const kept = { degraded: degraded.length > 0 ? degraded : undefined, unreachable };
    const set = Object.entries(kept).filter(([, value]) => value !== undefined);
    // A workflow that leaves the state as it is has no word on what the cluster lacks.
    const gone = Object.entries(kept).filter(([, value]) => value === undefined && state !== undefined);
    const done = await this.release(owner, state, {
      ok: true,
      set: set.map(([name]) => `#${name} = :${name}`),
      remove: [
        '#failure',
        ...(restored ? ['#sizes'] : []),
        // What was drained is gone, or was given back.
        ...(state === undefined ? [] : ['#drainedAt']),
        ...gone.map(([name]) => `#${name}`),
      ],
      values: Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
    });
    if (!done) throw new LeaseLost(`${owner} no longer holds the lease: its success was not recorded`);
  }

  /** Ends a workflow badly: new state, the failure, lease free. False if the lease was no longer the owner's. */
  async recordFailure(
    owner: string,
    state: ClusterState | undefined,
    failure: Omit<FailureRecord, 'at'>,
  ): Promise<boolean> {
    const values = { ':failure': { ...failure, at: this.now().toISOString() } };
    return this.release(owner, state, { ok: false, set: ['#failure = :failure'], remove: [], values });
  }

  /** Gives the lease back; true also if this owner has done so before. */
  private async release(
    owner: string,
    state: ClusterState | undefined,
    { ok, set, remove, values }: { ok: boolean; set: string[]; remove: string[]; values: Record<string, unknown> },
  ): Promise<boolean> {
    const at = this.now().toISOString();
    const given = { ':owner': owner, ':last': { execution: owner, ok, at }, ...values };
    const freed = ['#lease', '#progress', '#shortages', '#seatShortages', '#beforeState', '#beforeSince', ...remove];
    const give = (since: string[], condition: string, more: object) =>
      this.update(
        ['#last = :last', ...set, ...(state ? ['#state = :state', ...since] : [])],
        freed,
        `#lease.#owner = :owner${condition}`,
        { ...given, ...(state && { ':state': state }), ...more },
      );
    // A sleep of a cluster that was asleep changes nothing about since when it is.
    const released =
      (ok && state !== undefined && (await give(['#since = #beforeSince'], ' AND #beforeState = :state', {}))) ||
      (await give(['#since = :now'], '', state === undefined ? {} : { ':now': at }));
    return released || (await this.read()).last?.execution === owner;
  }

  /** Keeps the sizes of pools, unless a sleep that died halfway has kept them before. */
  async recordSizes(sizes: Record<string, GroupSize>): Promise<void> {
    await this.update(['#sizes = :sizes'], [], 'attribute_not_exists(#sizes)', { ':sizes': sizes });
  }

  /**
   * Keeps what look-after has tried, if nothing has changed since it looked. False if somebody else has: then what it has
   * seen is no reason to act any more.
   */
  async recordCare(care: Care, seen: { state: ClusterState; owner: string | undefined }): Promise<boolean> {
    const by = randomUUID();
    const condition = [
      // The SDK repeats a call whose answer it has lost: that one finds what it wrote itself.
      care.version === 1
        ? '(attribute_not_exists(#care) OR #care.#by = :by)'
        : '(#care.#version = :before OR #care.#by = :by)',
      seen.owner === undefined ? 'attribute_not_exists(#progress)' : '#progress.#owner = :owner',
      '#state = :state',
    ];
    return this.update(['#care = :care'], [], condition.join(' AND '), {
      ':care': { ...care, by },
      ':by': by,
      ':state': seen.state,
      ...(care.version > 1 && { ':before': care.version - 1 }),
      ...(seen.owner !== undefined && { ':owner': seen.owner }),
    });
  }

  /** Keeps that nodes may be cordoned from now on. */
  async recordDrain(): Promise<void> {
    await this.update(['#drainedAt = :now'], [], undefined, { ':now': this.now().toISOString() });
  }

  /** Forgets a drain whose nodes were given back; not a later one. */
  async forgetDrain(drainedAt: string): Promise<void> {
    await this.update([], ['#drainedAt'], '#drainedAt = :at', { ':at': drainedAt });
  }

  async recordDeletedLoadBalancer(arn: string): Promise<void> {
    await this.update(['#deletedLoadBalancer = :arn'], [], undefined, { ':arn': arn });
  }

  async recordWarnings(warnings: readonly string[]): Promise<void> {
    await this.update(['#warnings = :warnings'], [], undefined, { ':warnings': warnings });
  }

  /** Keeps until when the certificate holds that the ingress serves (UTC ISO). */
  async recordCertificate(until: string): Promise<void> {
    await this.update(['#certificateUntil = :until'], [], undefined, { ':until': until });
  }

  /** Keeps which pools, or seats, AWS gives no instances for now, while a workflow waits for them. */
  async recordShortages(of: 'shortages' | 'seatShortages', shortages: readonly DegradedPool[]): Promise<void> {
    await this.update([`#${of} = :shortages`], [], undefined, { ':shortages': shortages });
  }

  /** Keeps that a group buys on demand from now on: what AWS refused before, it refused to spot. */
  async recordFallback(group: string): Promise<void> {
    const at = this.now();
    await this.client.send(
      new UpdateCommand({
        TableName: this.table,
        Key: { id: `fallback#${group}` },
        UpdateExpression: 'SET #at = :at, #expiresAt = :expiresAt',
        ExpressionAttributeNames: { '#at': 'at', '#expiresAt': 'expiresAt' },
        ExpressionAttributeValues: {
          ':at': at.toISOString(),
          ':expiresAt': Math.floor(at.getTime() / 1000) + EVENT_SECONDS,
        },
      }),
    );
  }

  /** When a group was made to buy on demand (epoch ms); undefined if nobody knows. */
  async readFallback(group: string): Promise<number | undefined> {
    const { Item } = await this.client.send(
      new GetCommand({ TableName: this.table, Key: { id: `fallback#${group}` }, ConsistentRead: true }),
    );
    return Item && Date.parse(String(Item.at));
  }

  /**
   * The pools that a wake did without are up: awake, unless the app cannot be seen.
   * @param by ARN of the execution that says so
   * @returns `held` if a workflow has the cluster just now, `elsewhere` if one has brought it into another state
   */
  async recordRecovery(by: string, unreachable: string | undefined): Promise<'recorded' | 'held' | 'elsewhere'> {
    const here = '#state = :degraded AND attribute_exists(#degraded)';
    const values = { ':degraded': 'awake-degraded', ':by': by };
    const done =
      unreachable === undefined
        ? await this.update(
            ['#state = :awake', '#since = :now', '#recoveredBy = :by'],
            ['#degraded', '#unreachable'],
            `${here} AND attribute_not_exists(#progress)`,
            { ...values, ':awake': 'awake', ':now': this.now().toISOString() },
          )
        : await this.update(
            ['#unreachable = :unreachable', '#recoveredBy = :by'],
            ['#degraded'],
            `${here} AND attribute_not_exists(#progress)`,
            { ...values, ':unreachable': unreachable },
          );
    if (done) return 'recorded';
    const { state, degraded, recoveredBy } = await this.read();
    // A repeated call finds what the one before has done.
    if (recoveredBy === by && degraded === undefined) return 'recorded';
    return state === 'awake-degraded' && degraded !== undefined ? 'held' : 'elsewhere';
  }

  async recordPlatform(): Promise<void> {
    await this.update(['#platformAt = :now'], [], undefined, { ':now': this.now().toISOString() });
  }

  async recordLaunchFailure(failure: LaunchFailure): Promise<void> {
    const at = this.now();
    const expiresAt = Math.floor(at.getTime() / 1000) + LAUNCH_FAILURE_SECONDS;
    const Item = { id: `launch#${failure.instanceId}`, ...failure, at: at.toISOString(), expiresAt };
    await this.client.send(new PutCommand({ TableName: this.table, Item }));
  }

  /** Keeps the newest snapshot; an older one, verified late, does not replace it. */
  async recordSnapshot({ key, at, bytes, sha256 }: SnapshotRecord): Promise<void> {
    await this.update(['#snapshot = :snapshot'], [], 'attribute_not_exists(#snapshot) OR #snapshot.#at <= :at', {
      ':snapshot': { key, at, bytes, sha256 },
      ':at': at,
    });
  }

  async forgetSnapshotFailure(): Promise<void> {
    await this.update([], ['#snapshotFailure'], undefined, {});
  }

  /** Keeps why there is no snapshot. */
  async recordSnapshotFailure(failure: Omit<SnapshotFailure, 'at'>): Promise<void> {
    const values = { ':failure': { ...failure, at: this.now().toISOString() } };
    await this.update(['#snapshotFailure = :failure'], [], undefined, values);
  }

  /** Keeps what happened to the cluster, once. False if this event was kept before. */
  async recordEvent(id: string, event: Readonly<Record<string, unknown>>): Promise<boolean> {
    const at = this.now();
    const expiresAt = Math.floor(at.getTime() / 1000) + EVENT_SECONDS;
    const Item = { at: at.toISOString(), ...event, id: `event#${id}`, expiresAt };
    try {
      await this.client.send(
        new PutCommand({ TableName: this.table, Item, ConditionExpression: 'attribute_not_exists(id)' }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  /** True if this instance's launch was given up. */
  async isAbandoned(instanceId: string): Promise<boolean> {
    const { Item } = await this.client.send(
      new GetCommand({ TableName: this.table, Key: { id: `launch#${instanceId}` }, ConsistentRead: true }),
    );
    return Item !== undefined;
  }

  async readCommand(key: string): Promise<CommandRecord | undefined> {
    const { Item } = await this.client.send(
      new GetCommand({ TableName: this.table, Key: { id: `command#${key}` }, ConsistentRead: true }),
    );
    return Item && commandRecord.parse(Item);
  }

  async recordCommand(key: string, record: CommandRecord): Promise<void> {
    const expiresAt = Math.floor(record.sentAt / 1000) + COMMAND_SECONDS;
    await this.client.send(
      new PutCommand({ TableName: this.table, Item: { id: `command#${key}`, ...record, expiresAt } }),
    );
  }

  async forgetCommand(key: string): Promise<void> {
    await this.client.send(new DeleteCommand({ TableName: this.table, Key: { id: `command#${key}` } }));
  }

  /** One update of the cluster's item; false if its condition does not hold. `#name` stands for attribute `name`. */
  private async update(
    set: readonly string[],
    remove: readonly string[],
    condition: string | undefined,
    values: Record<string, unknown>,
  ): Promise<boolean> {
    const expression = [set.length > 0 && `SET ${set.join(', ')}`, remove.length > 0 && `REMOVE ${remove.join(', ')}`]
      .filter(Boolean)
      .join(' ');
    const names = new Set(`${expression} ${condition ?? ''}`.match(/#\w+/g));
    try {
      await this.client.send(
        new UpdateCommand({
          TableName: this.table,
          Key: this.key,
          UpdateExpression: expression,
          ConditionExpression: condition,
          ExpressionAttributeNames: Object.fromEntries([...names].map((name) => [name, name.slice(1)])),
          // DynamoDB refuses an empty map.
          ExpressionAttributeValues: Object.keys(values).length > 0 ? values : undefined,
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }
}
