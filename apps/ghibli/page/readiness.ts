import type { Problem, Ready } from '../contract';
import { element } from './dom';

const AGAIN_MS = 4000;

/** Says while the painter isn't ready why that is, and stops saying so by itself. */
export async function watchReadiness(): Promise<void> {
  const notice = element('notice', HTMLElement);
  const answer = await ask();
  if (answer?.ok) {
    const { device } = (await answer.json()) as Ready;
    element('device', HTMLElement).textContent = device === 'cuda' ? ' on a GPU' : ' on a CPU';
    notice.hidden = true;
    return;
  }
  const text = `The painter is not ready. ${await reason(answer)} This page goes on asking.`;
  // Only what has changed is read aloud.
  if (notice.textContent !== text) notice.textContent = text;
  notice.hidden = false;
  setTimeout(() => void watchReadiness(), AGAIN_MS);
}

async function ask(): Promise<Response | undefined> {
  return fetch('/readyz', { cache: 'no-store' }).catch(() => undefined);
}

async function reason(answer: Response | undefined): Promise<string> {
  if (!answer) return 'It cannot be reached: the cluster may be asleep, or your connection is down.';
  const problem = (await answer.json().catch(() => undefined)) as Partial<Problem> | undefined;
  return problem?.message && problem.remedy ? `${problem.message} ${problem.remedy}` : 'It does not say why.';
}
