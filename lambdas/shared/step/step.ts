import * as z from 'zod';
import { toStepError } from './aws-errors';
import { check } from './check';
import { InvalidEnvironment, InvalidInput } from './errors';
import { withFence } from './fence';
import { logger } from '../clients/logger';
import { withContext } from './middleware';

interface StepOptions<Input extends z.ZodType, Env extends z.ZodType, Deps> {
  /** The step's folder, for example `drain-nodes`. */
  name: string;
  input: Input;
  env: Env;
  /** Makes what the step works with, from its checked environment; called once per function instance. */
  deps: (env: z.output<Env>) => Deps;
  /** False for the steps that end a workflow: they give the lease back themselves. Default true. */
  renewsLease?: boolean;
}

/** Dependencies of a step that runs under the lease. */
interface WithLease {
  store: { renewLease: (owner: string, step: string) => Promise<void> };
}

/** One instance of a step's function: checks the event, then runs the step on it. */
export type StepInstance<Result> = (event: unknown) => Promise<Result>;

/**
 * Wraps `verbNoun(deps)(input)` as a Lambda handler: checks input and environment, adds cluster and execution to each
 * log line, renews the lease of a workflow that holds one (which also stops a workflow that has lost it), and logs
 * how the step ended.
 * @returns the handler; its `instance` makes one function instance from an environment, for tests and the twin
 */
export function step<Input extends z.ZodType, Env extends z.ZodType, Deps extends object, Result>(
  { name, input, env, deps, renewsLease = true }: StepOptions<Input, Env, Deps>,
  run: (deps: Deps) => (input: z.output<Input>) => Promise<Result>,
) {
  const instance = (environment: NodeJS.ProcessEnv): StepInstance<Result> => {
    const made = deps(check(env, environment, InvalidEnvironment, `environment of ${name}`));
    return async (event) => {
      const checked = check(input, event, InvalidInput, `input of ${name}`);
      const { lease, execution } = (event ?? {}) as { lease?: unknown; execution?: unknown };
      logger.appendKeys({ cluster: environment.CLUSTER_NAME, execution });
      try {
        const work = () => run(made)(checked);
        const held = renewsLease && typeof lease === 'string' && hasLease(made) ? made.store : undefined;
        const result = held ? await withFence(() => held.renewLease(lease as string, name), work) : await work();
        logger.info('Step done', { result: result as object });
        return result;
      } catch (thrown) {
        const error = toStepError(thrown);
        logger.warn('Step not done', error as Error);
        throw error;
      }
    };
  };
  let warm: StepInstance<Result> | undefined;
  const handler = withContext((event) => (warm ??= instance(process.env))(event));
  return Object.assign(handler, { instance });
}

function hasLease(deps: object): deps is WithLease {
  return 'store' in deps && typeof (deps as Partial<WithLease>).store?.renewLease === 'function';
}
