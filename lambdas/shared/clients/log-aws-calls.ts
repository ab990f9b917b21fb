import { passFence } from '../step/fence';
import { logger } from './logger';

/** The part of an SDK client that adding a middleware needs. */
interface Observable {
  config: { serviceId?: string };
  middlewareStack: {
    add: (
      middleware: (
        next: (args: { input: object }) => Promise<unknown>,
        context: { commandName?: string },
      ) => (args: { input: object }) => Promise<unknown>,
      options: { step: 'initialize'; name: string; override: boolean },
    ) => void;
  };
}

/** Inputs that may carry a secret are logged without these fields. */
const SECRET_FIELDS = new Set(['Value', 'Parameters']);

/**
 * Logs each AWS call of a client at DEBUG: service, action, input, duration in ms, outcome. With it, an operator sees
 * what a step asked of AWS, and a test compares what it asked with what its role grants.
 */
export function logAwsCalls<T>(client: T): T {
  const { config, middlewareStack } = client as Observable;
  middlewareStack.add(
    (next, context) => async (args) => {
      const call = {
        service: config.serviceId,
        action: context.commandName?.replace(/Command$/, ''),
        input: Object.fromEntries(Object.entries(args.input).filter(([field]) => !SECRET_FIELDS.has(field))),
      };
      await passFence(call.action ?? '');
      const startedAt = Date.now();
      try {
        const output = await next(args);
        logger.debug('AWS call', { call: { ...call, ms: Date.now() - startedAt } });
        return output;
      } catch (error) {
        logger.debug('AWS call failed', { call: { ...call, ms: Date.now() - startedAt }, error: error as Error });
        throw error;
      }
    },
    { step: 'initialize', name: 'logAwsCalls', override: true },
  );
  return client;
}
