/** A deployment ended without what it was for: shown as one message, without a stack. */
export class DeployFailed extends Error {
  override readonly name = 'DeployFailed';
  /**
   * @param message what went wrong
   * @param remedy what to do about it
   * @param details last lines of the output that tells more
   */
  constructor(
    message: string,
    readonly remedy: string,
    readonly details = '',
  ) {
    super(message);
  }
}

/** Somebody pressed Ctrl-C, or the process was asked to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor(readonly signal: NodeJS.Signals) {
    super(`Interrupted by ${signal}`);
  }

  /** What a shell's exit code says of a signal. */
  get exitCode(): number {
    return this.signal === 'SIGINT' ? 130 : 143;
  }
}
