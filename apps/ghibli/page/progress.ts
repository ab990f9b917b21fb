import type { Step } from './upload';

/** What the progress panel shows. */
export interface Shown {
  /** 0 … 100. */
  percent: number;
  step: 'upload' | 'wait' | 'paint';
  /** What is being done, in words that may change each moment. */
  doing: string;
  /** The same in words that change seldom, to be read aloud. */
  spoken: string;
}

/** Where on the bar each step begins. */
const WAIT_FROM = 40;
const PAINT_FROM = 50;
const FINISH_FROM = 95;

/** How a step looks on the bar. */
export function show(step: Step): Shown {
  switch (step.stage) {
    case 'sending':
      return {
        percent: step.share * WAIT_FROM,
        step: 'upload',
        doing: `Uploading · ${String(Math.round(step.share * 100))} %`,
        spoken: 'Uploading your photo.',
      };
    case 'receiving':
    case 'reading':
      return { percent: WAIT_FROM, step: 'wait', doing: 'Looking at your photo', spoken: 'Looking at your photo.' };
    case 'waiting': {
      const photos = step.ahead === 1 ? 'One photo is' : `${String(step.ahead)} photos are`;
      const doing = step.ahead === 0 ? 'You are next' : `${photos} before yours · ${about(step.expectedMs)}`;
      return { percent: WAIT_FROM + 10 / (1 + step.ahead), step: 'wait', doing, spoken: 'Your photo is in the queue.' };
    }
    case 'painting': {
      // It slows down towards the end of the stretch, and never stands still when the estimate was too short.
      const share = 1 - Math.exp((-1.6 * step.sinceMs) / Math.max(1, step.expectedMs));
      const rest = step.expectedMs - step.sinceMs;
      return {
        percent: PAINT_FROM + share * (FINISH_FROM - PAINT_FROM),
        step: 'paint',
        doing: rest > 1000 ? `Painting · ${about(rest)}` : 'Painting',
        spoken: 'Your photo is being painted.',
      };
    }
    case 'finishing':
      return { percent: FINISH_FROM, step: 'paint', doing: 'Letting it dry', spoken: 'Almost done.' };
  }
}

function about(ms: number): string {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 90) return seconds === 1 ? 'about a second' : `about ${String(seconds)} seconds`;
  return `about ${String(Math.round(seconds / 60))} minutes`;
}
