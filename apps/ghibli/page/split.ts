import { element, prefersStillness } from './dom';

const REVEAL_MS = 900;

/** The border between photo and painting, moved by mouse, finger or arrow keys. */
export class Split {
  private readonly canvas = element('canvas', HTMLElement);
  private readonly range = element('split', HTMLInputElement);
  private animation = 0;

  constructor() {
    this.range.addEventListener('input', () => {
      cancelAnimationFrame(this.animation);
      this.apply();
    });
    // In steps of a tenth, for the mouse; the keys would take all day.
    this.range.addEventListener('keydown', (event) => {
      const direction = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (direction === undefined) return;
      event.preventDefault();
      cancelAnimationFrame(this.animation);
      this.set(this.range.valueAsNumber + direction * (event.shiftKey ? 10 : 2));
    });
  }

  /** Uncovers the painting, from the right to the middle. */
  reveal(): void {
    if (prefersStillness()) {
      this.set(50);
      return;
    }
    const startedAt = performance.now();
    const frame = (now: number) => {
      const share = Math.min(1, Math.max(0, now - startedAt) / REVEAL_MS);
      this.set(100 - 50 * (1 - (1 - share) ** 3));
      if (share < 1) this.animation = requestAnimationFrame(frame);
    };
    this.set(100);
    this.animation = requestAnimationFrame(frame);
  }

  private set(percent: number): void {
    this.range.valueAsNumber = percent;
    this.apply();
  }

  private apply(): void {
    const percent = this.range.valueAsNumber;
    this.canvas.style.setProperty('--split', `${String(percent)}%`);
    this.range.setAttribute('aria-valuetext', `${String(Math.round(100 - percent))} percent painting`);
  }
}
