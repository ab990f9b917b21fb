import { HttpError, Router, UnauthorizedError } from '@aws-lambda-powertools/event-handler/http';
import type { RequestContext } from '@aws-lambda-powertools/event-handler/types';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { parseJson } from '../../../core/parse-json';
import { logger } from '../clients/logger';
import { check } from '../step/check';
import { InvalidEnvironment, InvalidInput } from '../step/errors';
import { withContext } from '../step/middleware';

/** A request, as the router hands it to a route. */
export interface ApiRequest extends Pick<RequestContext, 'req' | 'event'> {
  /** Who asks, for the record: `api:<identity>`. */
  caller: string;
  /** What stands for `{…}` in the route's path. */
  params?: Record<string, string>;
  /** What the front has read of the body already; the route reads it itself if it is undefined. */
  body?: unknown;
}

/** What a route answers; sent as JSON. */
export interface ApiAnswer {
  statusCode: number;
  body: object;
}

/** What answers a route. */
export type ApiRoute = (request: ApiRequest) => Promise<ApiAnswer>;

interface ApiOptions<Env extends z.ZodType, Deps> {
  /** The handler's folder, for example `get-status`. */
  name: string;
  env: Env;
  /** Makes what the routes work with, from the checked environment; called once per function instance. */
  deps: (env: z.output<Env>) => Deps;
}

type RouteKey = `${'GET' | 'PUT' | 'POST' | 'DELETE'} /${string}`;

/** One function instance's routes. */
interface Routed {
  routes: Readonly<Record<RouteKey, (request: RequestContext) => Promise<Response>>>;
  /** What is answered to a request that failed. */
  refuse: (error: Error, req: Request) => Response;
}

/**
 * A handler of the HTTP API: Powertools' router finds the route.
 * @param make one function instance, from the checked environment
 * @returns the handler; its `instance` makes one function instance from an environment, for tests and the twin
 */
export function routed<Env extends z.ZodType>(
  { name, env }: Pick<ApiOptions<Env, never>, 'name' | 'env'>,
  make: (env: z.output<Env>) => Routed,
) {
  const instance = (environment: NodeJS.ProcessEnv) => {
    const { routes, refuse } = make(check(env, environment, InvalidEnvironment, `environment of ${name}`));
    const router = new Router({ logger });
    for (const [route, run] of Object.entries(routes)) {
      const [method = '', path = ''] = route.split(' ');
      router.route(run, { method: method as 'GET', path: pathOf(path) });
    }
    router.errorHandler(Error, (error, { req }) => Promise.resolve(refuse(error, req)));
    return async (event: unknown, context: Context) => {
      logger.appendKeys({ cluster: environment.CLUSTER_NAME });
      return router.resolve(readable(event), context);
    };
  };
  let warm: ReturnType<typeof instance> | undefined;
  const handler = withContext((event, context) => (warm ??= instance(process.env))(event, context));
  return Object.assign(handler, { instance });
}

/**
 * A handler whose routes answer JSON: what a route throws becomes an answer with the error's name and message, never a stack trace.
 * @param routes by method and path, for example `PUT /keep-awake`, what makes the route from the dependencies
 */
export function api<Env extends z.ZodType, Deps extends object>(
  { name, env, deps }: ApiOptions<Env, Deps>,
  routes: Readonly<Record<RouteKey, (deps: Deps) => ApiRoute>>,
) {
  return routed({ name, env }, (checked) => {
    const made = deps(checked);
    const known = Object.entries(routes).map(([route, answer]) => {
      const run = answer(made);
      // Every route has an authorizer; a request that came past it is nobody's.
      const respond = async (request: RequestContext) =>
        toResponse(await run({ ...request, caller: callerOf(request) }));
      return [route, respond] as const;
    });
    return { routes: Object.fromEntries(known), refuse: tell };
  });
}

function tell(error: Error): Response {
  const answer = answerOf(error);
  if (answer.statusCode >= 500) logger.error('Request failed', error);
  return toResponse(answer);
}

/** The request's body as its schema types it, whatever its content type says. @throws InvalidInput that names each field */
export async function bodyOf<Body extends z.ZodType>({ req, body }: ApiRequest, schema: Body): Promise<z.output<Body>> {
  return check(schema, body ?? (await readJson(req)), InvalidInput, 'body of the request');
}

/** `/links/{id}` of API Gateway is `/links/:id` of the router. */
export function pathOf(path: string): `/${string}` {
  return path.replace(/\{(\w+)\}/g, ':$1') as `/${string}`;
}

/** The body of a request that may have none: an empty one then. @throws InvalidInput that names each field */
export async function optionalBodyOf<Body extends z.ZodType>(
  { req, body }: ApiRequest,
  schema: Body,
): Promise<z.output<Body>> {
  const text = body === undefined ? await req.text() : '';
  const given = body ?? (text.trim() === '' ? {} : parseJson(text));
  return check(schema, given, InvalidInput, 'body of the request');
}

async function readJson(req: Request): Promise<unknown> {
  return parseJson(await req.text());
}

/** The part of an HTTP API's event (payload format 2.0) that says who asks. */
const authorized = z.object({
  authorizer: z
    .object({
      iam: z.object({ userArn: z.string() }).optional(),
      jwt: z.object({ claims: z.record(z.string(), z.unknown()) }).optional(),
    })
    .optional(),
});

/** Who asked, as the API's authorizer says. @throws UnauthorizedError if no authorizer has said so */
export function callerOf({ event }: Pick<RequestContext, 'event'>): string {
  const { authorizer } = authorized.safeParse(event.requestContext).data ?? {};
  const { email, sub } = authorizer?.jwt?.claims ?? {};
  const who = [authorizer?.iam?.userArn, email, sub].find(
    (name): name is string => typeof name === 'string' && name !== '',
  );
  if (who === undefined) throw new UnauthorizedError('The request carries no identity: sign it with AWS credentials');
  return `api:${who}`;
}

/** An event of API Gateway, as the router can make a request of it: the standard knows none by GET that carries a body. */
export function readable(event: unknown): unknown {
  if (typeof event !== 'object' || event === null) return event;
  const { requestContext, headers = {} } = event as {
    requestContext?: { http?: { method?: string } };
    headers?: object;
  };
  const method = requestContext?.http?.method;
  // By which name it came is of no matter: whoever asks writes what he likes into it, and an emulator has names that are none.
  const {
    host: _,
    Host: __,
    'x-forwarded-proto': ___,
    'X-Forwarded-Proto': ____,
    ...rest
  } = headers as Record<string, unknown>;
  const bodiless = method === 'GET' || method === 'HEAD';
  return {
    ...event,
    headers: { ...rest, host: 'api.internal' },
    ...(bodiless && { body: undefined, isBase64Encoded: false }),
  };
}

/** What whoever asked is told of an error: never a stack trace, and nothing of what failed inside. */
export function answerOf(error: Error): ApiAnswer {
  const { name, message } = error;
  // The router's own word for a part of the path that holds nothing.
  if (name === 'ParameterValidationError') return { statusCode: 400, body: { error: name, message } };
  if (error instanceof InvalidInput) return { statusCode: 400, body: { error: name, message } };
  if (error instanceof HttpError) return { statusCode: error.statusCode, body: { error: name, message } };
  return { statusCode: 500, body: { error: name, message: 'The request failed; the log of the function says why' } };
}

/** An answer as it goes out; with a cookie, if it sets one. */
export function toResponse({ statusCode, body }: ApiAnswer, cookie?: string): Response {
  const headers = { 'cache-control': 'no-store', ...(cookie !== undefined && { 'set-cookie': cookie }) };
  return Response.json(body, { status: statusCode, headers });
}
