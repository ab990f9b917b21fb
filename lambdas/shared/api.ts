import * as z from 'zod';
import { parseJson } from '../../lib/parse-json';
import { check } from './check';
import { InvalidEnvironment, InvalidInput } from './errors';
import { logger } from './logger';
import { withContext } from './middleware';

/** The part of an HTTP API request (payload format 2.0) that our handlers read. */
export const apiRequest = z.object({
  requestContext: z.object({
    http: z.object({ method: z.string(), path: z.string() }),
    authorizer: z
      .object({
        iam: z.object({ userArn: z.string() }).optional(),
        jwt: z.object({ claims: z.record(z.string(), z.unknown()) }).optional(),
      })
      .optional(),
  }),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().optional(),
});
export type ApiRequest = z.output<typeof apiRequest>;

/** What a handler answers; sent as JSON. */
export interface ApiAnswer {
  statusCode: number;
  body: object;
}

interface ApiOptions<Env extends z.ZodType, Deps> {
  /** The handler's folder, for example `get-status`. */
  name: string;
  env: Env;
  /** Makes what the handler works with, from its checked environment; called once per function instance. */
  deps: (env: z.output<Env>) => Deps;
}

/**
 * Wraps `verbNoun(deps)(request)` as a handler of the HTTP API: same checks and log lines as a step, and an error
 * becomes an answer with its name and message, never a stack trace.
 * @returns the handler; its `instance` makes one function instance from an environment, for tests and the twin
 */
export function api<Env extends z.ZodType, Deps extends object>(
  { name, env, deps }: ApiOptions<Env, Deps>,
  run: (deps: Deps) => (request: ApiRequest) => Promise<ApiAnswer>,
) {
  const instance = (environment: NodeJS.ProcessEnv) => {
    const made = deps(check(env, environment, InvalidEnvironment, `environment of ${name}`));
    return async (event: unknown) => {
      logger.appendKeys({ cluster: environment.CLUSTER_NAME });
      try {
        return toResponse(await run(made)(check(apiRequest, event, InvalidInput, `request to ${name}`)));
      } catch (error) {
        logger.error('Request failed', error as Error);
        return toResponse(toAnswer(error as Error));
      }
    };
  };
  let warm: ReturnType<typeof instance> | undefined;
  const handler = withContext((event) => (warm ??= instance(process.env))(event));
  return Object.assign(handler, { instance });
}

/** The request's body as its schema types it. @throws InvalidInput that names each field */
export function bodyOf<Body extends z.ZodType>(
  { body = '', isBase64Encoded }: ApiRequest,
  schema: Body,
): z.output<Body> {
  const text = isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
  return check(schema, parseJson(text), InvalidInput, 'body of the request');
}

/** Who asked, as far as the API's authorizer knows. */
export function callerOf({ requestContext: { authorizer } }: ApiRequest): string {
  const { email, sub } = authorizer?.jwt?.claims ?? {};
  const who = authorizer?.iam?.userArn ?? [email, sub].find((claim) => typeof claim === 'string');
  return who === undefined ? 'api' : `api:${who}`;
}

function toAnswer({ name, message }: Error): ApiAnswer {
  if (name === 'InvalidInput') return { statusCode: 400, body: { error: name, message } };
  return { statusCode: 500, body: { error: name, message: 'The request failed; the log of the function says why' } };
}

function toResponse({ statusCode, body }: ApiAnswer) {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { statusCode, headers, body: JSON.stringify(body) };
}
