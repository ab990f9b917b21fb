import ora, { type Ora } from 'ora';
import { colors } from './colors';

/** How often a line says what is under way, where no spinner can (ms). */
const SIGN_OF_LIFE = 15_000;

/**
 * What the person at the terminal sees: one line a finished thing, and a spinner with the time for the one under way. Files, pipes and
 * terminals without a size (`script`, `docker run -t`) get a line now and then in place of the spinner, which divides by the columns.
 */
export class Progress {
  readonly color: ReturnType<typeof colors>;
  private spinner: Ora | undefined;
  private startedAt = 0;
  private text = '';
  private ticker: NodeJS.Timeout | undefined;

  constructor(private readonly out: NodeJS.WriteStream) {
    this.color = colors(out);
  }

  private get canSpin(): boolean {
    return this.out.isTTY && this.out.columns > 0 && this.out.rows > 0 && process.env.TERM !== 'dumb';
  }

  heading(text: string): void {
    this.print(`\n${this.color.bold(text)}`);
  }

  /** Shows that something has begun; the line changes with {@link update} and ends with {@link done} or {@link fail}. */
  start(text: string): void {
    this.stop();
    this.startedAt = Date.now();
    this.text = text;
    if (this.canSpin) {
      // Its own colours know nothing of NO_COLOR.
      const color = this.color.cyan('') === '' ? false : 'cyan';
      this.spinner = ora({ text, color, stream: this.out, discardStdin: false, isEnabled: true }).start();
      this.ticker = setInterval(() => this.render(), 250);
    } else {
      this.print(`  … ${text}`);
      this.ticker = setInterval(() => {
        this.print(`  … ${this.text} ${this.color.dim(seconds(Date.now() - this.startedAt))}`);
      }, SIGN_OF_LIFE);
    }
  }

  update(text: string): void {
    this.text = text;
    this.render();
  }

  done(text = this.text): void {
    const time = this.startedAt > 0 ? this.color.dim(` ${seconds(Date.now() - this.startedAt)}`) : '';
    this.stop();
    this.print(`  ${this.color.green('✓')} ${text}${time}`);
  }

  fail(text = this.text): void {
    this.stop();
    this.print(`  ${this.color.red('✗')} ${text}`);
  }

  /** A line above whatever is under way. */
  print(line: string): void {
    const { spinner } = this;
    if (spinner?.isSpinning) spinner.clear();
    this.out.write(`${line}\n`);
    if (spinner?.isSpinning) spinner.render();
  }

  stop(): void {
    clearInterval(this.ticker);
    this.spinner?.stop();
    this.spinner = undefined;
  }

  private render(): void {
    if (!this.spinner) return;
    // The window was made so small that the next line could not be counted.
    if (!this.canSpin) {
      this.stop();
      return;
    }
    const elapsed = Date.now() - this.startedAt;
    this.spinner.text = elapsed > 2_000 ? `${this.text} ${this.color.dim(seconds(elapsed))}` : this.text;
  }
}

/** `3.2 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
