import type { FastifyReply, FastifyRequest } from 'fastify';
import { JOB_HEADER, NOTICE_HEADER } from '../contract';
import { MAX_PHOTO_BYTES } from '../limits';
import type { Env } from './env';
import type { Job, Jobs } from './jobs';
import { Line } from './line';
import type { Metrics, Step } from './metrics';
import { notReady, type Painter } from './painter';
import { decode, encode, inspect, paintingSize, type Encoded } from './photo';
import {
  BoundaryMissing,
  ClientGone,
  LengthMissing,
  NotAnUpload,
  NotReady,
  PhotoEmpty,
  PhotoMissing,
  PhotoTooLarge,
} from './problems';
import { clientOf } from './visitor';

/** Photos decoded at the same time: one for each core but the one that JavaScript needs would be more than the GPU eats. */
const READERS = 2;
/** An upload that says it is longer than this is not even read. */
const HOPELESS_BYTES = 4 * MAX_PHOTO_BYTES;
/** RFC 2046, section 5.1.1: the parameter that a form cannot be read without. */
const BOUNDARY = /;\s*boundary=(?:"[^"]+"|[^\s;"]+)/i;
const JOB_ID = /^[\w-]{8,64}$/;

/** What transforming needs. */
export interface TransformDeps {
  env: Pick<Env, 'MAX_SIDE'>;
  painter: Painter;
  jobs: Jobs;
  metrics: Metrics;
  /** True once the server is about to end. */
  isClosing: () => boolean;
}

/** Makes the handler of `POST /api/transform`: a photo in a form goes in, the painting comes out. */
export function makeTransform({ env, painter, jobs, metrics, isClosing }: TransformDeps) {
  const readers = new Line(READERS);
  const brush = new Line(1);

  return async function transform(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const clock = new Clock(metrics);
    const gone = new AbortController();
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    if (isClosing()) throw new NotReady('The server is being restarted.', 'Try again in a few seconds.');
    if (!painter.status.ready) throw notReady(painter.status);
    const job = jobs.begin(clientOf(request), jobId(request));
    try {
      const file = await clock.time('receive', () => receive(request, reply));
      jobs.received(job);
      const { encoded, animated } = await paint(file, job, clock, gone.signal);
      if (animated) reply.header(NOTICE_HEADER, 'This is an animation: only its first frame was painted.');
      return await reply
        .headers({ 'server-timing': clock.header(), 'cache-control': 'no-store' })
        .type(encoded.type)
        .send(encoded.data);
    } catch (error) {
      throw gone.signal.aborted ? new ClientGone() : error;
    } finally {
      jobs.end(job);
    }
  };

  async function paint(
    file: Buffer,
    job: Job,
    clock: Clock,
    gone: AbortSignal,
  ): Promise<{ encoded: Encoded; animated: boolean }> {
    const read = await clock.time('read', () =>
      readers.run(async () => {
        const photo = await inspect(file);
        const fixed = painter.status.ready ? painter.status.fixed : undefined;
        return {
          animated: photo.animated,
          picture: await decode(photo, paintingSize(photo.size, env.MAX_SIDE, fixed)),
        };
      }, gone),
    );
    job.stage = 'waiting';
    const waitingSince = performance.now();
    const painting = await brush.run(async () => {
      if (gone.aborted) throw new ClientGone();
      clock.took('wait', performance.now() - waitingSince);
      job.stage = 'painting';
      job.paintingSince = performance.now();
      const done = await painter.paint(read.picture);
      jobs.painted(performance.now() - job.paintingSince);
      return done;
    }, gone);
    clock.took('inference', painting.inferenceMs);
    job.stage = 'finishing';
    return { encoded: await clock.time('write', () => encode(painting.picture)), animated: read.animated };
  }
}

/** Takes the photo out of the form. */
async function receive(request: FastifyRequest, reply: FastifyReply): Promise<Buffer> {
  if (!request.isMultipart()) throw new NotAnUpload();
  if (!BOUNDARY.test(request.headers['content-type'] ?? '')) throw new BoundaryMissing();
  const length = Number(request.headers['content-length']);
  if (Number.isNaN(length)) throw new LengthMissing();
  if (length > HOPELESS_BYTES) {
    reply.header('connection', 'close');
    throw new PhotoTooLarge();
  }
  const part = await request.file();
  if (!part) throw new PhotoMissing();
  const chunks: Buffer[] = [];
  for await (const chunk of part.file) chunks.push(chunk as Buffer);
  if (part.file.truncated) throw new PhotoTooLarge();
  const file = Buffer.concat(chunks);
  if (file.length === 0) throw new PhotoEmpty();
  return file;
}

/** The name that the client gave its upload; anything odd is no name. */
function jobId(request: FastifyRequest): string | undefined {
  const id = request.headers[JOB_HEADER];
  return typeof id === 'string' && JOB_ID.test(id) ? id : undefined;
}

/** Measures the steps of one photo's way. */
class Clock {
  private readonly startedAt = performance.now();
  private readonly parts: string[] = [];

  constructor(private readonly metrics: Metrics) {}

  async time<T>(step: Step, task: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const result = await task();
    this.took(step, performance.now() - startedAt);
    return result;
  }

  took(step: Step, ms: number): void {
    this.metrics.took(step, ms);
    this.parts.push(`${step};dur=${ms.toFixed(1)}`);
  }

  /** The durations so far as the value of a Server-Timing header, in milliseconds. */
  header(): string {
    return [...this.parts, `total;dur=${(performance.now() - this.startedAt).toFixed(1)}`].join(', ');
  }
}
