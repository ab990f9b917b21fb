import { JOB_HEADER, NOTICE_HEADER, type Progress } from '../contract';
import { failureOf, OFFLINE, type Failure } from './problem';

const POLL_MS = 350;

/** A painting as it came from the server. */
export interface Painted {
  blob: Blob;
  /** Seconds that the model took, if the server said so. */
  inferenceSeconds: number | undefined;
  notice: string | null;
}

/** An upload under way. */
export interface Upload {
  /** @throws UploadFailed */
  result: Promise<Painted>;
  cancel: () => void;
}

/** How far it is: the share of the photo that has been sent, then what the server says. */
export type Step = { stage: 'sending'; share: number } | Progress;

/** There is no painting, and this is why. */
export class UploadFailed extends Error {
  override readonly name = 'UploadFailed';
  constructor(readonly failure: Failure) {
    super(failure.message);
  }
}

/** Sends a photo and waits for the painting. `fetch` can't tell how much has been sent; XMLHttpRequest can. */
export function upload(photo: Blob, name: string, onStep: (step: Step) => void): Upload {
  const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
  const xhr = new XMLHttpRequest();
  const form = new FormData();
  form.append('photo', photo, name);
  let polling: number | undefined;
  const result = new Promise<Painted>((resolve, reject) => {
    const fail = (failure: Failure) => reject(new UploadFailed(failure));
    xhr.upload.onprogress = ({ loaded, total }) => onStep({ stage: 'sending', share: total > 0 ? loaded / total : 0 });
    xhr.upload.onload = () => (polling = poll(id, onStep));
    xhr.onerror = () => fail(OFFLINE);
    xhr.onload = () => {
      const blob = xhr.response as Blob;
      if (xhr.status === 200) {
        const inference = /inference;dur=([\d.]+)/.exec(xhr.getResponseHeader('server-timing') ?? '')?.[1];
        const inferenceSeconds = inference === undefined ? undefined : Number(inference) / 1000;
        resolve({ blob, inferenceSeconds, notice: xhr.getResponseHeader(NOTICE_HEADER) });
        return;
      }
      const retryAfter = xhr.getResponseHeader('retry-after');
      blob.text().then(
        (body) => fail(failureOf(xhr.status, body, retryAfter)),
        () => fail(failureOf(xhr.status, '', retryAfter)),
      );
    };
    xhr.open('POST', '/api/transform');
    xhr.setRequestHeader(JOB_HEADER, id);
    xhr.responseType = 'blob';
    xhr.send(form);
  }).finally(() => clearInterval(polling));
  return {
    result,
    cancel: () => {
      xhr.abort();
      clearInterval(polling);
    },
  };
}

function poll(id: string, onStep: (step: Step) => void): number {
  return setInterval(() => {
    fetch(`/api/progress/${id}`)
      .then(async (response) => {
        if (response.ok) onStep((await response.json()) as Progress);
      })
      // Progress is a courtesy: the painting comes, or its failure, whether or not we know how far it is.
      .catch(() => undefined);
  }, POLL_MS);
}
