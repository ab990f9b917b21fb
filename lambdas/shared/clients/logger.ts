import { Logger } from '@aws-lambda-powertools/logger';

/** The one logger. Its service name is the step's; cluster and execution are added by `step()`. */
export const logger = new Logger();
