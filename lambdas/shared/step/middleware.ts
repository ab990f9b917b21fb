import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { logger } from '../clients/logger';

/**
 * The middleware of every function: its log lines carry the invocation's context (request ID, cold start), and nothing
 * of the last one.
 */
export function withContext<Result>(handle: (event: unknown, context: Context) => Promise<Result>) {
  return middy<unknown, Result>(handle).use(injectLambdaContext(logger, { resetKeys: true }));
}
