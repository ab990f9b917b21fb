import fastifyMultipart from '@fastify/multipart';
import fastifyStatic from '@fastify/static';
import Fastify, { LogController, type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { MAX_PHOTO_BYTES } from '../limits';
import type { Env } from './env';
import { Jobs } from './jobs';
import { makeMetrics } from './metrics';
import { notReady, type Painter } from './painter';
import { ClientProblem, NotAnUpload, NotFound, Unexpected } from './problems';
import { makeTransform } from './transform';
import { clientOf, newCookie } from './visitor';

/** The page needs nothing from anywhere else, and shows pictures that it made itself (blob:). */
const SECURITY_HEADERS = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};

const TRANSFORM = '/api/transform';

/** A year, in seconds: the names of these files change with what is in them. */
const FOR_EVER = 'public, max-age=31536000, immutable';
/** Longest time for a request to arrive, in milliseconds: 10 MB at 1 Mbit/s take 84 s. */
const REQUEST_TIMEOUT_MS = 120_000;

/** The parts that make a server. */
export interface AppDeps {
  env: Env;
  painter: Painter;
  /** Folder of the page's files. */
  publicFolder: string;
}

/** Makes the server, not listening yet. Closing it waits for the photos that are in it. */
export async function buildApp({ env, painter, publicFolder }: AppDeps): Promise<FastifyInstance> {
  const app = Fastify({
    logger: env.LOG_LEVEL === 'silent' ? false : { level: env.LOG_LEVEL },
    // One line of our own for each photo; probes would fill the log.
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: REQUEST_TIMEOUT_MS,
    bodyLimit: 1024,
    return503OnClosing: false,
    trustProxy: (_address, hop) => hop < env.TRUSTED_PROXIES,
    // An address that is no address (`/%zz`) is one that nothing has.
    frameworkErrors: (_error, _request, reply) => {
      void (reply as FastifyReply).code(404).headers(SECURITY_HEADERS).send(new NotFound().toJSON());
    },
  });
  const jobs = new Jobs({ photos: env.QUEUE_LIMIT, uploads: env.UPLOAD_LIMIT, ofOne: env.CLIENT_LIMIT });
  const metrics = makeMetrics(jobs, painter);
  let closing = false;
  app.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    done();
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (/^\/(\?|$)/.test(request.url) && clientOf(request).visitor === undefined)
      reply.header('set-cookie', newCookie(request));
    done();
  });
  app.addHook('onSend', (_request, reply, _payload, done) => {
    // A connection kept alive would hold up the end, long after its photo is finished.
    if (closing) reply.header('connection', 'close');
    done();
  });
  app.setErrorHandler<FastifyError | ClientProblem>((error, request, reply) => {
    const problem = asProblem(error, request.routeOptions.url === TRANSFORM);
    if (problem.status >= 500 && problem.status !== 503) request.log.error({ err: error }, 'Request failed');
    if (problem.retryAfter !== undefined) reply.header('retry-after', String(problem.retryAfter));
    return reply.code(problem.status).send(problem.toJSON());
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(new NotFound().toJSON()));

  await app.register(fastifyMultipart, {
    limits: { fileSize: MAX_PHOTO_BYTES, files: 1, fields: 4, parts: 5, fieldSize: 1024 },
    throwFileSizeLimit: false,
  });
  await app.register(fastifyStatic, {
    root: publicFolder,
    cacheControl: false,
    setHeaders: (reply, file) => {
      // With the page comes a cookie: a cache between that kept it would make many visitors one.
      void reply.header('cache-control', file.endsWith('.html') ? 'private, no-cache' : FOR_EVER);
    },
  });

  app.get('/healthz', (_request, reply) => {
    const { fault } = painter;
    return fault === undefined ? { ok: true } : reply.code(503).send({ ok: false, message: fault });
  });
  app.get('/readyz', (_request, reply) => {
    const { status } = painter;
    if (status.ready) return { ready: true, device: status.device, layout: status.layout };
    return reply.code(503).send({ ready: false, ...notReady(status).toJSON() });
  });
  app.get('/metrics', async (_request, reply) => {
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  app.get<{ Params: { id: string } }>('/api/progress/:id', (request, reply) => {
    reply.header('cache-control', 'no-store');
    return (
      jobs.progress(request.params.id) ??
      reply.code(404).send({ error: 'UnknownJob', message: 'There is no such photo here.', remedy: 'It may be done.' })
    );
  });
  app.post(TRANSFORM, {
    handler: makeTransform({ env, painter, jobs, metrics, isClosing: () => closing }),
    onRequest: (request, reply, done) => {
      // Not onResponse: that does not come for an answer that never got out, because its reader had gone.
      reply.raw.once('close', () => {
        const status = reply.raw.writableFinished ? reply.statusCode : 499;
        metrics.ended(status);
        const timing = reply.getHeader('server-timing');
        request.log.info({ status, ms: Math.round(reply.elapsedTime), timing }, 'Transform');
      });
      done();
    },
  });
  return app;
}

function asProblem(error: FastifyError | ClientProblem, isUpload: boolean): ClientProblem {
  if (error instanceof ClientProblem) return error;
  // A form that breaks off or breaks the rules of forms; elsewhere a path that leads nowhere.
  if (error.statusCode !== undefined && error.statusCode < 500) return isUpload ? new NotAnUpload() : new NotFound();
  return new Unexpected(error);
}
