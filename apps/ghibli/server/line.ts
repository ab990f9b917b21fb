import { ClientGone } from './problems';

/** Runs tasks in the order of their coming, a few at a time; whoever leaves while waiting costs nothing. */
export class Line {
  private readonly waiting: (() => void)[] = [];
  private running = 0;

  /** @param width tasks that run at the same time */
  constructor(private readonly width: number) {}

  /**
   * Runs a task when its turn has come.
   * @throws ClientGone the signal fired before that
   */
  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.turn(signal);
    try {
      return await task();
    } finally {
      // The place is handed on rather than given up, so that nobody slips in between.
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }

  private async turn(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new ClientGone();
    if (this.running < this.width) {
      this.running += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const begin = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.waiting.splice(this.waiting.indexOf(begin), 1);
        reject(new ClientGone());
      };
      this.waiting.push(begin);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
