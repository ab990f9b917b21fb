import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import * as z from 'zod';
import { InvalidEnvironment, InvalidInput } from './errors';
import { logger } from './logger';

interface StepOptions<Input extends z.ZodType, Env extends z.ZodType, Deps> {
  /** The step's folder, for example `drain-nodes`. */
  name: string;
  input: Input;
  env: Env;
  /** Makes what the step works with, from its checked environment; called once per function instance. */
  deps: (env: z.output<Env>) => Deps;
}

/** Dependencies of a step that runs under the lease. */
interface WithLease {
  store: { renewLease: (owner: string, step: string) => Promise<void> };
}

/**
 * Wraps `verbNoun(deps)(input)` as a Lambda handler: checks input and environment, adds cluster and execution to each
 * log line, renews the lease of a workflow that holds one (which also stops a workflow that has lost it), and logs
 * how the step ended.
 */
export function step<Input extends z.ZodType, Env extends z.ZodType, Deps extends object, Result>(
  { name, input, env, deps }: StepOptions<Input, Env, Deps>,
  run: (deps: Deps) => (input: z.output<Input>) => Promise<Result>,
) {
  let made: Deps | undefined;
  return middy(async (event: unknown): Promise<Result> => {
    made ??= deps(check(env, process.env, InvalidEnvironment, `environment of ${name}`));
    const checked = check(input, event, InvalidInput, `input of ${name}`);
    const { lease, execution } = (event ?? {}) as { lease?: unknown; execution?: unknown };
    logger.appendKeys({ cluster: process.env.CLUSTER_NAME, execution });
    try {
      if (typeof lease === 'string' && hasLease(made)) await made.store.renewLease(lease, name);
      const result = await run(made)(checked);
      logger.info('Step done', { result: result as object });
      return result;
    } catch (error) {
      logger.warn('Step not done', error as Error);
      throw error;
    }
  }).use(injectLambdaContext(logger, { resetKeys: true }));
}

function hasLease(deps: object): deps is WithLease {
  return 'store' in deps && typeof (deps as Partial<WithLease>).store?.renewLease === 'function';
}

function check<T extends z.ZodType>(
  schema: T,
  value: unknown,
  Invalid: new (message: string) => Error,
  what: string,
): z.output<T> {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new Invalid(`The ${what} is wrong: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
