import { constants } from 'node:os';

/** A command ended without what it was for: shown as one message that the person can act on, without a stack. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  /**
   * @param message what went wrong, and where
   * @param remedy what to do about it
   * @param details last lines of the log or output that tells more
   */
  constructor(
    message: string,
    readonly remedy: string,
    readonly details = '',
  ) {
    super(message);
  }
}

/** Somebody pressed Ctrl-C, or the process was asked to end: clean up, and end with the signal's exit code. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(readonly signal: NodeJS.Signals) {
    super(`Interrupted by ${signal}`);
  }

  /** What a shell's exit code says of a signal. */
  get exitCode(): number {
    return 128 + constants.signals[this.signal];
  }
}

/** The last lines of a text, for error messages. */
export function tail(text: string, lines = 15): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}
