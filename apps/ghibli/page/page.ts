import { LIMITS_IN_WORDS } from '../limits';
import { element } from './dom';
import { refuse, tooLarge, type Failure } from './problem';
import { show } from './progress';
import { watchReadiness } from './readiness';
import { fit } from './shrink';
import { Split } from './split';
import { upload, UploadFailed, type Painted, type Step, type Upload } from './upload';

const card = element('card', HTMLElement);
const input = element('photo', HTMLInputElement);
const before = element('before', HTMLImageElement);
const after = element('after', HTMLImageElement);
const bar = element('bar', HTMLProgressElement);
const doing = element('doing', HTMLElement);
const live = element('live', HTMLElement);
const again = element('again', HTMLButtonElement);
const split = new Split();

let running: Upload | undefined;
let photo: File | undefined;
let countdown: number | undefined;
/** Counts the photos, so that what belongs to an earlier one is let go of. */
let turn = 0;

function setState(state: 'idle' | 'working' | 'done' | 'failed'): void {
  card.dataset.state = state;
  clearInterval(countdown);
}

async function start(file: File): Promise<void> {
  running?.cancel();
  const mine = ++turn;
  photo = file;
  const refused = refuse(file);
  if (refused) {
    fail(refused);
    return;
  }
  setPicture(before, file);
  setState('working');
  showStep({ stage: 'sending', share: 0 });
  const sendable = await fit(file);
  if (mine !== turn) return;
  if (!sendable) {
    fail(tooLarge(file));
    return;
  }
  running = upload(sendable.blob, file.name, (step) => {
    if (mine === turn) showStep(step);
  });
  try {
    const painted = await running.result;
    if (mine === turn) await finish(file, painted, sendable.smaller);
  } catch (error) {
    if (mine !== turn) return;
    if (!(error instanceof UploadFailed)) throw error;
    fail(error.failure);
  }
}

function showStep(step: Step): void {
  const shown = show(step);
  // Answers may come out of order; the bar never goes back within one photo.
  bar.value = step.stage === 'sending' && step.share === 0 ? 0 : Math.max(bar.value, shown.percent);
  doing.textContent = shown.doing;
  say(shown.spoken);
  let past = true;
  for (const item of document.querySelectorAll<HTMLElement>('#steps li')) {
    const current = item.dataset.step === shown.step;
    if (current) past = false;
    item.classList.toggle('past', past);
    if (current) item.setAttribute('aria-current', 'step');
    else item.removeAttribute('aria-current');
  }
}

async function finish(file: File, { blob, inferenceSeconds, notice }: Painted, smaller: boolean): Promise<void> {
  setPicture(after, blob);
  await after.decode().catch(() => undefined);
  const download = element('download', HTMLAnchorElement);
  download.href = after.src;
  download.download = `${file.name.replace(/\.[^.]*$/, '')}-painted.${blob.type === 'image/png' ? 'png' : 'jpg'}`;
  const size = `${String(after.naturalWidth)} × ${String(after.naturalHeight)}`;
  const facts = element('facts', HTMLElement);
  facts.textContent = inferenceSeconds === undefined ? size : `${size} · painted in ${seconds(inferenceSeconds)}`;
  const remarks = [notice, smaller ? 'Your photo was large, so it was made smaller before it was sent.' : null];
  const remark = element('remark', HTMLElement);
  remark.textContent = remarks.filter((text) => text !== null).join(' ');
  remark.hidden = remark.textContent === '';
  setState('done');
  say('Your painting is done. Move the border between photo and painting, or download it.');
  facts.focus({ preventScroll: true });
  split.reveal();
}

function fail(failure: Failure): void {
  const what = element('what', HTMLElement);
  what.textContent = failure.message;
  element('remedy', HTMLElement).textContent = failure.remedy;
  again.hidden = !failure.retry;
  // Whatever helps is the button that stands out.
  element('other', HTMLButtonElement).className = failure.retry ? 'quiet' : 'button';
  setState('failed');
  what.focus();
  if (failure.retryAfter !== undefined) countDown(failure.retryAfter);
  else enableAgain();
}

function countDown(from: number): void {
  let rest = Math.ceil(from);
  const tick = () => {
    if (rest <= 0) {
      clearInterval(countdown);
      enableAgain();
      return;
    }
    again.disabled = true;
    again.textContent = `Try again in ${String(rest)} s`;
    rest -= 1;
  };
  tick();
  countdown = setInterval(tick, 1000);
}

function enableAgain(): void {
  again.disabled = false;
  again.textContent = 'Try again';
}

function backToStart(): void {
  turn += 1;
  running?.cancel();
  input.value = '';
  setState('idle');
  say('');
  input.focus();
}

function setPicture(image: HTMLImageElement, source: Blob): void {
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(source);
}

function say(text: string): void {
  if (live.textContent !== text) live.textContent = text;
}

function seconds(value: number): string {
  return value < 1 ? `${String(Math.round(value * 1000))} ms` : `${value.toFixed(1)} s`;
}

function take(files: FileList | null | undefined): void {
  const file = files?.[0];
  if (file) void start(file);
}

for (const limit of LIMITS_IN_WORDS.split(' · ')) {
  element('limits', HTMLElement).append(Object.assign(document.createElement('span'), { textContent: limit }), ' ');
}
input.addEventListener('change', () => take(input.files));
element('form', HTMLFormElement).addEventListener('submit', (event) => event.preventDefault());
element('cancel', HTMLButtonElement).addEventListener('click', backToStart);
element('another', HTMLButtonElement).addEventListener('click', backToStart);
element('other', HTMLButtonElement).addEventListener('click', () => {
  backToStart();
  input.click();
});
again.addEventListener('click', () => {
  if (photo) void start(photo);
});
addEventListener('paste', (event) => take(event.clipboardData?.files));
addEventListener('dragover', (event) => {
  event.preventDefault();
  card.classList.add('dragging');
});
addEventListener('dragleave', (event) => {
  if (event.relatedTarget === null) card.classList.remove('dragging');
});
addEventListener('drop', (event) => {
  event.preventDefault();
  card.classList.remove('dragging');
  take(event.dataTransfer?.files);
});
void watchReadiness();
