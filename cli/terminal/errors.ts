import { constants } from 'node:os';

/** How a command can end, as scripts see it. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** The command, its options or the configuration are not right. */
  wrongUse: 2,
  /** Another workflow holds the cluster. */
  busy: 3,
  /** Done, but something is missing: the cluster is `awake-degraded`. */
  degraded: 4,
  interrupted: 130,
} as const;

/** A command ended without what it was for: shown as one message that the person can act on, without a stack. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  /**
   * @param message what went wrong, and where
   * @param remedy what to do about it
   * @param details last lines of the log or output that tells more
   * @param exitCode see {@link EXIT}
   */
  constructor(
    message: string,
    readonly remedy: string,
    readonly details = '',
    readonly exitCode: number = EXIT.failed,
  ) {
    super(message);
  }

  /** All of it, as a person reads it. */
  get text(): string {
    return [this.message, this.details, this.remedy].filter(Boolean).join('\n');
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
