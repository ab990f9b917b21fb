import type { Problem } from '../contract';
import { LIMITS_IN_WORDS } from '../limits';

/** A condition that a client is told of, with what to do about it. */
export abstract class ClientProblem extends Error {
  abstract readonly status: number;
  abstract readonly remedy: string;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;

  toJSON(): Problem {
    return { error: this.name, message: this.message, remedy: this.remedy };
  }
}

/** The request carries no upload form. */
export class NotAnUpload extends ClientProblem {
  override readonly name = 'NotAnUpload';
  readonly status = 415;
  readonly remedy = 'Send the photo as multipart/form-data, in a field named photo.';
  constructor() {
    super('The request is not an upload form.');
  }
}

/** It says that it is a form, and not where its parts end. */
export class BoundaryMissing extends ClientProblem {
  override readonly name = 'BoundaryMissing';
  readonly status = 400;
  readonly remedy = 'Let the browser, or the library that sends the form, write the Content-Type itself.';
  constructor() {
    super('The Content-Type of the form has no boundary.');
  }
}

/** Nothing has this address. */
export class NotFound extends ClientProblem {
  override readonly name = 'NotFound';
  readonly status = 404;
  readonly remedy = 'The page is at /.';
  constructor() {
    super('There is nothing here.');
  }
}

/** The request doesn't say how long it is. */
export class LengthMissing extends ClientProblem {
  override readonly name = 'LengthMissing';
  readonly status = 411;
  readonly remedy = 'Send a Content-Length, not a chunked body.';
  constructor() {
    super('The request does not say how long it is.');
  }
}

/** The form holds no file. */
export class PhotoMissing extends ClientProblem {
  override readonly name = 'PhotoMissing';
  readonly status = 400;
  readonly remedy = 'Choose a photo, then send the form again.';
  constructor() {
    super('The form holds no photo.');
  }
}

/** The file holds nothing. */
export class PhotoEmpty extends ClientProblem {
  override readonly name = 'PhotoEmpty';
  readonly status = 400;
  readonly remedy = 'The file may still be on its way from a cloud drive. Open it once, then choose it again.';
  constructor() {
    super('The file is empty.');
  }
}

/** More bytes than are taken. */
export class PhotoTooLarge extends ClientProblem {
  override readonly name = 'PhotoTooLarge';
  readonly status = 413;
  readonly remedy = 'Export it smaller, for example 3000 pixels wide as JPEG: the painting is not larger than that.';
  constructor() {
    super('The photo is larger than 10 MB.');
  }
}

/** More pixels than are decoded. */
export class TooManyPixels extends ClientProblem {
  override readonly name = 'TooManyPixels';
  readonly status = 413;
  readonly remedy = 'Export it smaller, for example 3000 pixels wide: the painting is not larger than that.';
  constructor(width: number, height: number) {
    super(
      `The photo has ${megapixels(width * height)} megapixels (${String(width)} × ${String(height)}); 24 are taken.`,
    );
  }
}

/** Not a picture of a kind that is painted. */
export class TypeNotSupported extends ClientProblem {
  override readonly name = 'TypeNotSupported';
  readonly status = 415;
  readonly remedy = `Save it as one of these: ${LIMITS_IN_WORDS}.`;
  constructor(found: string) {
    super(`The file is ${found}, not a JPEG, PNG or WebP picture.`);
  }
}

/** Its first bytes are a picture's, and the rest isn't. */
export class PhotoDamaged extends ClientProblem {
  override readonly name = 'PhotoDamaged';
  readonly status = 422;
  readonly remedy = 'Open it in a photo program and save it anew, or choose another one.';
  constructor(cause: unknown) {
    super('The photo is damaged or cut off, and could not be read.', { cause });
  }
}

/** As many photos are in the server as may be. */
export class QueueFull extends ClientProblem {
  override readonly name = 'QueueFull';
  readonly status = 429;
  readonly remedy: string;
  override readonly retryAfter: number;
  /** @param expectedMs until there is room again, as far as the last paintings tell */
  constructor(expectedMs: number) {
    super('Many photos are waiting to be painted already.');
    this.retryAfter = Math.max(1, Math.ceil(expectedMs / 1000));
    this.remedy = `Try again in ${this.retryAfter === 1 ? 'a second' : `${String(this.retryAfter)} seconds`}.`;
  }
}

/** As many photos of this client are in the server as may be of one. */
export class TooManyOfYours extends ClientProblem {
  override readonly name = 'TooManyOfYours';
  readonly status = 429;
  readonly remedy = 'Send the next one when one of them is done.';
  override readonly retryAfter = 1;
  /** @param limit photos that one client may have in the server */
  constructor(limit: number) {
    super(
      `${limit === 1 ? 'A photo' : `${String(limit)} photos`} of yours ${limit === 1 ? 'is' : 'are'} being painted already.`,
    );
  }
}

/** The painter can't work, or can't yet; its words are those of `/readyz`. */
export class NotReady extends ClientProblem {
  override readonly name = 'NotReady';
  readonly status = 503;
  override readonly retryAfter = 5;
  constructor(
    message: string,
    readonly remedy: string,
  ) {
    super(message);
  }
}

/** The model failed on this photo. */
export class PaintingFailed extends ClientProblem {
  override readonly name = 'PaintingFailed';
  readonly status = 500;
  readonly remedy = 'Try again. If it happens again, try another photo.';
  constructor(cause: unknown) {
    super('The photo could not be painted.', { cause });
  }
}

/** Whoever sent the photo has gone. Nobody reads this; it ends the work on it. */
export class ClientGone extends ClientProblem {
  override readonly name = 'ClientGone';
  readonly status = 499;
  readonly remedy = 'Send the photo again.';
  constructor() {
    super('The connection was closed before the painting was done.');
  }
}

/** Something that we didn't foresee. */
export class Unexpected extends ClientProblem {
  override readonly name = 'Unexpected';
  readonly status = 500;
  readonly remedy = 'Try again. If it happens again, tell whoever runs this site.';
  constructor(cause: unknown) {
    super('Something went wrong.', { cause });
  }
}

function megapixels(pixels: number): string {
  return (pixels / 1_000_000).toFixed(pixels < 100_000_000 ? 1 : 0);
}
