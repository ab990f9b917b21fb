import { Logger } from '@aws-lambda-powertools/logger';

/** The one logger. Its service name is the step's; cluster and execution are added by `step()`. */
export const logger = new Logger();

type Context = Parameters<Logger['addContext']>[0];

/** A Lambda handler whose log lines carry the invocation's context (request ID, cold start), and nothing of the last one. */
export function withContext<Result>(run: (event: unknown) => Promise<Result>) {
  return async (event: unknown, context: Context): Promise<Result> => {
    logger.addContext(context);
    try {
      return await run(event);
    } finally {
      logger.resetKeys();
    }
  };
}
