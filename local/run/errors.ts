/** Something that the person at the terminal can act on: shown as one message, without a stack. */
export class LocalError extends Error {
  override readonly name = 'LocalError';
  /**
   * @param message what went wrong, and where
   * @param remedy what to do about it
   * @param logTail last lines of the log that tells more
   */
  constructor(
    message: string,
    readonly remedy: string,
    readonly logTail = '',
  ) {
    super(message);
  }
}

/** The run was interrupted (Ctrl-C, SIGTERM): clean up, and end with the signal's exit code. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(readonly signal: NodeJS.Signals) {
    super(`Interrupted by ${signal}`);
  }
}

/** The last lines of a text, for error messages. */
export function tail(text: string, lines = 15): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
