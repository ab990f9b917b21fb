import type { Problem } from '../contract';
import { MAX_PHOTO_BYTES, PHOTO_TYPES } from '../limits';

/** A condition to show, and whether trying the same photo again makes sense. */
export interface Failure extends Problem {
  retry: boolean;
  /** Seconds to wait before that. */
  retryAfter?: number;
}

/** The connection broke, or there never was one. */
export const OFFLINE: Failure = {
  error: 'Offline',
  message: 'The painter could not be reached.',
  remedy: 'Check your connection. If it is fine, the cluster may be asleep or waking up: try again in a minute.',
  retry: true,
};

/** What the server answered instead of a painting. */
export function failureOf(status: number, body: string, retryAfter: string | null): Failure {
  const problem = parse(body) ?? gatewayProblem(status);
  const seconds = Number(retryAfter ?? NaN);
  return {
    ...problem,
    retry: status >= 500 || status === 429,
    ...(Number.isFinite(seconds) && seconds > 0 && { retryAfter: seconds }),
  };
}

/** Why a file need not even be sent; undefined if it may. What is merely too large is made smaller instead. */
export function refuse(file: File): Failure | undefined {
  if (file.size === 0) {
    return {
      error: 'PhotoEmpty',
      message: `${file.name} is empty.`,
      remedy: 'It may still be on its way from a cloud drive. Open it once, then choose it again.',
      retry: false,
    };
  }
  if (PHOTO_TYPES.some((type) => type === file.type) || file.type === '') return undefined;
  const heic = /\.hei[cf]$/i.test(file.name);
  return {
    error: 'TypeNotSupported',
    message: `${file.name} is not a JPEG, PNG or WebP picture.`,
    remedy: heic
      ? 'It is a HEIC photo. Share or export it as JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible).'
      : 'Choose another one, or save it as JPEG.',
    retry: false,
  };
}

/** A photo that is too large to send and could not be made smaller here. */
export function tooLarge(file: File): Failure {
  const megabytes = (file.size / 1024 / 1024).toFixed(1);
  return {
    error: 'PhotoTooLarge',
    message: `${file.name} is too large (${megabytes} MB).`,
    remedy: `Export it smaller: up to ${String(MAX_PHOTO_BYTES / 1024 / 1024)} MB and 24 megapixels are painted.`,
    retry: false,
  };
}

function parse(body: string): Problem | undefined {
  try {
    const value = JSON.parse(body) as Partial<Problem>;
    if (typeof value.message !== 'string' || typeof value.remedy !== 'string') return undefined;
    return { error: value.error ?? 'Unknown', message: value.message, remedy: value.remedy };
  } catch {
    return undefined;
  }
}

/** Between us and the server there are proxies, and they answer in their own way. */
function gatewayProblem(status: number): Problem {
  return status === 413
    ? { error: 'PhotoTooLarge', message: 'The photo is too large.', remedy: 'Export it smaller than 10 MB.' }
    : { error: 'Unreachable', message: 'The painter does not answer right now.', remedy: 'Try again in a minute.' };
}
