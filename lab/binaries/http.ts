import { CommandFailed } from '../../cli/terminal/errors';

/** A server said no, and would again. */
export class Refused extends CommandFailed {
  constructor(
    url: string,
    readonly status: number,
    remedy: string,
  ) {
    super(`${url} was answered with ${String(status)}`, remedy);
  }
}

/** No whole answer came: no network, a connection that broke, or a server that is busy. */
export class Unreachable extends CommandFailed {
  constructor(url: string, why: string, remedy: string) {
    super(`${url} can't be reached: ${why}`, remedy);
  }
}

/** What `fetch` and the reading of its body throw: a TypeError; what lies beneath says more. */
interface NetworkFailure {
  name: string;
  cause?: { message: string; code?: string };
}

/**
 * Gets a URL and reads its answer, redirections followed; both as one step, since a connection breaks in either.
 * @param remedy what a person does about a failure
 * @throws Refused, Unreachable
 */
export async function get<T>(
  url: string,
  read: (response: Response) => Promise<T>,
  { signal, remedy }: { signal: AbortSignal; remedy: string },
): Promise<T> {
  try {
    // As it is published: nothing on the way need pack it, and its digest is that of the file.
    const response = await fetch(url, { signal, headers: { 'accept-encoding': 'identity' } });
    const failure = failureOf(response, url, remedy);
    if (failure) {
      await response.body?.cancel();
      throw failure;
    }
    return await read(response);
  } catch (error) {
    signal.throwIfAborted();
    const { name, cause } = error as NetworkFailure;
    if (name !== 'TypeError' || !cause) throw error;
    // Where several addresses were tried, it has a code and no words.
    throw new Unreachable(url, cause.message === '' ? String(cause.code) : cause.message, remedy);
  }
}

function failureOf({ ok, status, url: end }: Response, url: string, remedy: string): CommandFailed | undefined {
  if (status >= 500 || status === 429) return new Unreachable(url, `it answers ${String(status)}`, remedy);
  if (!ok) return new Refused(url, status, remedy);
  if (url.startsWith('https:') && !end.startsWith('https:'))
    return new CommandFailed(`${url} leads to ${end}, which is not encrypted`, remedy);
  return undefined;
}
