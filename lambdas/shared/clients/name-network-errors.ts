import { AwsUnavailable } from '../step/errors';

/** Codes of Node's own by which a connection fails: the SDK gives them up as plain errors, without a name to match. */
const NETWORK =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|ENOTFOUND|EAI_AGAIN|EAI_FAIL|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|EPROTO)$/;

/** The part of an SDK client that adding a middleware needs. */
interface Observable {
  middlewareStack: {
    add: (
      middleware: (next: (args: object) => Promise<unknown>) => (args: object) => Promise<unknown>,
      options: { step: 'initialize'; priority: 'high'; name: string; override: boolean },
    ) => void;
  };
}

/** True for an error of the network itself, whatever it is wrapped in. */
export function isNetworkError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return (typeof code === 'string' && NETWORK.test(code)) || isNetworkError(error.cause);
}

/** Makes one named error of what the network did to a client's call, once the SDK's own attempts are used up. */
export function nameNetworkErrors<T>(client: T): T {
  (client as Observable).middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        if (!isNetworkError(error)) throw error;
        throw new AwsUnavailable(`${error.name}: ${error.message}`, { cause: error });
      }
    },
    { step: 'initialize', priority: 'high', name: 'nameNetworkErrors', override: true },
  );
  return client;
}
