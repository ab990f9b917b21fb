import type { Progress } from '../contract';
import type { Client } from './visitor';
import { QueueFull, TooManyOfYours } from './problems';

/** Before the first painting there is nothing to estimate from: what a T4 takes for 1024 × 768, with its surroundings. */
const FIRST_GUESS_MS = 500;
/** Weight of the newest painting in the running mean. */
const NEWEST = 0.3;

/** One photo in the server. */
export interface Job {
  client: Client;
  stage: 'receiving' | 'reading' | 'waiting' | 'painting' | 'finishing';
  /** `performance.now()` at which the painting began. */
  paintingSince?: number;
}

/** All photos in the server: how many there may be, where each one is, and how long it will take. */
export class Jobs {
  private readonly all = new Set<Job>();
  private readonly named = new Map<string, Job>();
  private meanMs = FIRST_GUESS_MS;

  constructor(private readonly limits: { photos: number; uploads: number; ofOne: number }) {}

  /** Photos in the server whose painting has not begun, uploads not counted. */
  get waiting(): number {
    return this.count((job) => job.stage === 'reading' || job.stage === 'waiting');
  }

  /** Photos in the server, uploads counted. */
  get size(): number {
    return this.all.size;
  }

  /**
   * Takes in an upload.
   * @param client whoever sends it; the same one by its address or by its cookie
   * @param id by which its client asks for the progress
   * @throws TooManyOfYours, QueueFull
   */
  begin(client: Client, id: string | undefined): Job {
    if (this.count((job) => isSame(job.client, client)) >= this.limits.ofOne)
      throw new TooManyOfYours(this.limits.ofOne);
    if (this.uploads >= this.limits.uploads || this.photos >= this.limits.photos) throw this.full();
    const job: Job = { client, stage: 'receiving' };
    this.all.add(job);
    if (id !== undefined && !this.named.has(id)) this.named.set(id, job);
    return job;
  }

  /**
   * An upload has arrived, and becomes a photo to paint. Slow senders hold no place among those until now.
   * @throws QueueFull
   */
  received(job: Job): void {
    if (this.photos >= this.limits.photos) throw this.full();
    job.stage = 'reading';
  }

  /** The painting of a job took this long. */
  painted(ms: number): void {
    this.meanMs += NEWEST * (ms - this.meanMs);
  }

  /** The job is over, one way or the other. */
  end(job: Job): void {
    this.all.delete(job);
    for (const [id, named] of this.named) if (named === job) this.named.delete(id);
  }

  /** Where the job of that id is; undefined if there is none. */
  progress(id: string): Progress | undefined {
    const job = this.named.get(id);
    if (!job) return undefined;
    switch (job.stage) {
      case 'receiving':
      case 'reading':
      case 'finishing':
        return { stage: job.stage };
      case 'waiting':
        return { stage: 'waiting', ahead: this.ahead(job), expectedMs: Math.round(this.waitMs(job)) };
      case 'painting':
        return { stage: 'painting', sinceMs: Math.round(since(job)), expectedMs: Math.round(this.meanMs) };
    }
  }

  private get uploads(): number {
    return this.count((job) => job.stage === 'receiving');
  }

  private get photos(): number {
    return this.count((job) => job.stage !== 'receiving');
  }

  /** Jobs are painted in the order of their coming, but for the few that are being read. */
  private ahead(job: Job): number {
    let ahead = 0;
    for (const other of this.all) {
      if (other === job) break;
      if (other.stage === 'waiting') ahead += 1;
    }
    return ahead + this.count((other) => other.stage === 'painting');
  }

  private waitMs(job: Job): number {
    const painting = [...this.all].find((other) => other.stage === 'painting');
    const rest = painting ? Math.max(0, this.meanMs - since(painting)) : 0;
    return rest + Math.max(0, this.ahead(job) - (painting ? 1 : 0)) * this.meanMs;
  }

  private count(wanted: (job: Job) => boolean): number {
    let count = 0;
    for (const job of this.all) if (wanted(job)) count += 1;
    return count;
  }

  private full(): QueueFull {
    return new QueueFull(this.meanMs * Math.max(1, this.photos / 2));
  }
}

function since(job: Job): number {
  return performance.now() - (job.paintingSince ?? performance.now());
}

function isSame(one: Client, other: Client): boolean {
  return one.address === other.address || (one.visitor !== undefined && one.visitor === other.visitor);
}
